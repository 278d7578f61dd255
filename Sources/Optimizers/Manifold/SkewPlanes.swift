/// The invariant planes of a real skew-symmetric matrix K [n, n]: orthonormal pairs (x, y) with `K x = σ y` and
/// `K y = −σ x`, so that `K = Σ σ (y xᵀ − x yᵀ)`.
///
/// Between the vectors of even and those of odd number in its tridiagonal form, K is a bidiagonal matrix C, and its
/// singular vectors are the pairs. Planes in which K is zero have a pair too, which eigenvectors wouldn't give.
struct SkewPlanes {
    /// A plane, with x and y of length n.
    struct Plane {
        let x: [Double]
        let y: [Double]
        /// The value σ, at least 0.
        let value: Double
    }
    /// The ⌊n / 2⌋ planes; if n is odd, one more vector is orthogonal to all of them.
    let planes: [Plane]

    /// Finds the planes of a matrix given row by row.
    init(_ matrix: [Double], size n: Int) {
        let form = Tridiagonal(matrix, size: n, .skew)
        let evens = (n + 1) / 2, odds = n / 2
        var c = [Double](repeating: 0, count: odds * evens)
        for j in 0..<odds {
            c[j * evens + j] = form.below[2 * j]
            if j + 1 < evens { c[j * evens + j + 1] = -form.below[2 * j + 1] }
        }
        let (left, right, values) = Self.singularVectors(c, rows: odds, columns: evens)
        let even = Self.rows(form, from: 0), odd = Self.rows(form, from: 1)
        guard odds > 0 else {
            planes = []
            return
        }
        let x = Rows.product(right, even, inner: evens, columns: n)
        let y = Rows.product(left, odd, inner: odds, columns: n)
        planes = (0..<odds).map { i in
            let range: Range<Int> = i * n..<(i + 1) * n
            return Plane(x: Array(x[range]), y: Array(y[range]), value: values[i])
        }
    }

    /// Returns every second basis vector of a tridiagonal form, row by row.
    private static func rows(_ form: Tridiagonal, from first: Int) -> [Double] {
        let n = form.size
        var result: [Double] = []
        for k in stride(from: first, to: n, by: 2) { result += form.basis[k * n..<(k + 1) * n] }
        return result
    }

    /// Returns `Σ f(σ) (y xᵀ − x yᵀ)`, row by row, for K's planes and a function f.
    func sum(size n: Int, _ function: (Double) -> Double) -> [Double] {
        var result = [Double](repeating: 0, count: n * n)
        result.withUnsafeMutableBufferPointer { result in
            for plane in planes {
                let factor = function(plane.value)
                for i in 0..<n {
                    let row = result.baseAddress! + i * n
                    plane.x.withUnsafeBufferPointer { Rows.add(factor * plane.y[i], $0.baseAddress!, to: row, n) }
                    plane.y.withUnsafeBufferPointer { Rows.add(-factor * plane.x[i], $0.baseAddress!, to: row, n) }
                }
            }
        }
        return result
    }

    /// Returns orthonormal rows u and v, one pair per row of C [rows, columns], and values σ with `C = Σ σ u vᵀ`; C has at
    /// least as many columns as rows. It uses the one-sided Jacobi method (Hestenes 1958).
    private static func singularVectors(_ c: [Double], rows: Int, columns: Int) -> (
        left: [Double], right: [Double], values: [Double]
    ) {
        var g = c, u = [Double](repeating: 0, count: rows * rows)
        for i in 0..<rows { u[i * rows + i] = 1 }
        g.withUnsafeMutableBufferPointer { g in
            u.withUnsafeMutableBufferPointer { u in
                var isDone = rows < 2
                var sweeps = 0
                while !isDone, sweeps < 60 {
                    (isDone, sweeps) = (true, sweeps + 1)
                    for i in 0..<rows - 1 {
                        for j in i + 1..<rows {
                            let a = g.baseAddress! + i * columns, b = g.baseAddress! + j * columns
                            let overlap = Rows.dot(a, b, columns)
                            let (x, y) = (Rows.dot(a, a, columns), Rows.dot(b, b, columns))
                            guard abs(overlap) > 1e-15 * (x * y).squareRoot() else { continue }
                            isDone = false
                            let ratio = (y - x) / (2 * overlap)
                            let t = (ratio >= 0 ? 1 : -1) / (abs(ratio) + (1 + ratio * ratio).squareRoot())
                            let cosine = 1 / (1 + t * t).squareRoot()
                            Rows.rotate(a, b, cosine: cosine, sine: cosine * t, columns)
                            Rows.rotate(
                                u.baseAddress! + i * rows, u.baseAddress! + j * rows, cosine: cosine, sine: cosine * t,
                                rows)
                        }
                    }
                }
            }
        }
        var values = (0..<rows).map { i in
            let row = Array(g[i * columns..<(i + 1) * columns])
            return Rows.dot(row, row).squareRoot()
        }
        // Rows that are only rounding errors are replaced by any that complete the others.
        let negligible = (values.max() ?? 0) * Double(rows) * 0x1p-50
        var basis: [[Double]] = []
        for i in 0..<rows where values[i] > negligible {
            basis.append(g[i * columns..<(i + 1) * columns].map { $0 / values[i] })
        }
        var right = basis[...], next = 0
        var result: [Double] = []
        for i in 0..<rows {
            if values[i] > negligible {
                result += right.removeFirst()
            } else {
                values[i] = 0
                let vector = Self.completion(of: basis, columns, &next)
                basis.append(vector)
                result += vector
            }
        }
        return (u, result, values)
    }

    /// Returns a unit vector that is orthogonal to fewer than `size` orthonormal ones, made from the next of the
    /// coordinate vectors that isn't nearly in their span.
    private static func completion(of basis: [[Double]], _ size: Int, _ next: inout Int) -> [Double] {
        while true {
            var vector = [Double](repeating: 0, count: size)
            vector[next] = 1
            next += 1
            for _ in 0..<2 {
                for other in basis {
                    let overlap = Rows.dot(vector, other)
                    for i in 0..<size { vector[i] -= overlap * other[i] }
                }
            }
            let length = Rows.dot(vector, vector).squareRoot()
            if length > 0.5 / Double(size) { return vector.map { $0 / length } }
        }
    }
}
