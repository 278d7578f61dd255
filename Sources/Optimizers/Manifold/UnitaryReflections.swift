import RecurrentCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A unitary matrix as `W = H(v₁) … H(v_k) D` with reflections and a diagonal of phases, by a QR decomposition (Householder
/// 1958), computed on the host.
///
/// Each reflection makes one column and its row those of a diagonal matrix: that of the column with the largest elements beside
/// the diagonal. n − 1 reflections are exact. With fewer, the columns of the others are approximate, and D has the phases
/// of what is then their diagonal. Those that aren't needed reflect units, which D makes up for.
struct UnitaryReflections {
    /// The rows vᴴ of unit vectors, [k, 2n], row by row: real parts and then imaginary parts.
    private(set) var rows: [Double] = []
    /// The n angles of D.
    private(set) var angles: [Double] = []
    /// The number of reflections after which no column has a length above 1e-4 beside the diagonal; at most n − 1.
    private(set) var needed = 0
    private let size: Int
    /// What is left of W, column by column.
    private var real: [Double], imaginary: [Double]
    /// The columns that aren't those of a diagonal matrix yet.
    private var open: [Int]

    /// Decomposes a unitary matrix.
    ///
    /// - Parameters:
    ///   - weight: W as [A; S] of [2n, n], row by row.
    ///   - n: the number of rows and columns of W.
    ///   - count: the number k of reflections, at least 1.
    init(_ weight: [Double], size n: Int, count: Int) {
        size = n
        real = (0..<n * n).map { weight[$0 % n * n + $0 / n] }
        imaginary = (0..<n * n).map { weight[n * n + $0 % n * n + $0 / n] }
        open = Array(0..<n)
        for done in 0..<n {
            if done == count { setAngles() }
            let rests = open.map(rest), place = rests.indices.max { rests[$0] < rests[$1] }!
            if rests[place] > 1e-4 { needed = done + 1 }
            let row = reflect(open[place])
            if done < count { rows += row }
            open.remove(at: place)
        }
        guard count >= n else { return }
        setAngles()
        for unit in (n..<count).map({ $0 % n }) {
            rows += (0..<2 * n).map { $0 == unit ? 1 : 0 }
            angles[unit] += .pi
        }
    }

    /// Gives D the phases of the diagonal of what is left.
    private mutating func setAngles() {
        angles = (0..<size).map { atan2(imaginary[$0 * size + $0], real[$0 * size + $0]) }
    }

    /// Returns the length of a column beside the diagonal.
    private func rest(_ column: Int) -> Double {
        open.reduce(0) { sum, row in
            let place = column * size + row
            return row == column ? sum : sum + real[place] * real[place] + imaginary[place] * imaginary[place]
        }.squareRoot()
    }

    /// Takes a column to a multiple of its unit vector by a reflection, and returns that as a row vᴴ.
    private mutating func reflect(_ column: Int) -> [Double] {
        let n = size, first = column * n
        var (a, b) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
        for row in open { (a[row], b[row]) = (real[first + row], imaginary[first + row]) }
        func length() -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.0 + $1.1 * $1.1 }.squareRoot() }
        // v = x + ‖x‖ e with the phase of x's element there, so that nothing cancels.
        let whole = length(), size = (a[column] * a[column] + b[column] * b[column]).squareRoot()
        a[column] += size > 0 ? whole * a[column] / size : whole > 0 ? whole : 1
        b[column] += size > 0 ? whole * b[column] / size : 0
        let scale = 1 / length()
        for row in open { (a[row], b[row]) = (scale * a[row], scale * b[row]) }
        for other in open {
            let start = other * n
            // vᴴ x
            var (x, y) = (0.0, 0.0)
            for row in open {
                x += a[row] * real[start + row] + b[row] * imaginary[start + row]
                y += a[row] * imaginary[start + row] - b[row] * real[start + row]
            }
            for row in open {
                real[start + row] -= 2 * (a[row] * x - b[row] * y)
                imaginary[start + row] -= 2 * (a[row] * y + b[row] * x)
            }
        }
        return a + b.map { -$0 }
    }
}
