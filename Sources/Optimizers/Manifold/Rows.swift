/// Operations on the rows of matrices on the host.
enum Rows {
    typealias Row = UnsafePointer<Double>
    typealias MutableRow = UnsafeMutablePointer<Double>

    /// Returns the sum of the products of n elements, in several sums at a time.
    @inline(__always)
    static func dot(_ a: Row, _ b: Row, _ n: Int) -> Double {
        var sums = SIMD8<Double>.zero
        let whole = n / 8 * 8
        for i in stride(from: 0, to: whole, by: 8) {
            sums +=
                UnsafeRawPointer(a + i).loadUnaligned(as: SIMD8<Double>.self)
                * UnsafeRawPointer(b + i).loadUnaligned(as: SIMD8<Double>.self)
        }
        var sum = sums.sum()
        for i in whole..<n { sum += a[i] * b[i] }
        return sum
    }

    /// Returns the dot product of two vectors of the same length.
    static func dot(_ a: [Double], _ b: [Double]) -> Double { dot(a, b, a.count) }

    /// Adds `factor · a` to n elements.
    @inline(__always)
    static func add(_ factor: Double, _ a: Row, to b: MutableRow, _ n: Int) {
        for i in 0..<n { b[i] += factor * a[i] }
    }

    /// Replaces (a, b) by (c a − s b, s a + c b).
    @inline(__always)
    static func rotate(_ a: MutableRow, _ b: MutableRow, cosine c: Double, sine s: Double, _ n: Int) {
        for i in 0..<n {
            let (x, y) = (a[i], b[i])
            a[i] = c * x - s * y
            b[i] = s * x + c * y
        }
    }

    /// Returns the product of A [rows, inner] and the transpose of B [columns, inner], [rows, columns].
    static func productOfTransposed(_ a: [Double], _ b: [Double], inner: Int) -> [Double] {
        let rows = a.count / inner, columns = b.count / inner
        var result = [Double](repeating: 0, count: rows * columns)
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                for i in 0..<rows {
                    for j in 0..<columns {
                        result[i * columns + j] = dot(a.baseAddress! + i * inner, b.baseAddress! + j * inner, inner)
                    }
                }
            }
        }
        return result
    }

    /// Returns the product of A [rows, inner] and B [inner, columns], [rows, columns].
    static func product(_ a: [Double], _ b: [Double], inner: Int, columns: Int) -> [Double] {
        let rows = a.count / inner
        var result = [Double](repeating: 0, count: rows * columns)
        result.withUnsafeMutableBufferPointer { result in
            b.withUnsafeBufferPointer { b in
                for i in 0..<rows {
                    for k in 0..<inner {
                        add(
                            a[i * inner + k], b.baseAddress! + k * columns, to: result.baseAddress! + i * columns,
                            columns)
                    }
                }
            }
        }
        return result
    }
}
