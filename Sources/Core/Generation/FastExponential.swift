/// The exponential of many numbers in single precision, without calls, so that it is computed in vectors on any processor
/// (Cephes' expf: reduction by multiples of ln 2 and a polynomial; relative error below 3e-7).
enum FastExponential {
    private typealias Vector = SIMD16<Float>

    /// The largest number; −∞ if there is none that is a number.
    static func maximum(_ x: UnsafeBufferPointer<Float>) -> Float {
        let whole = x.count / 16 * 16
        var largest = Vector(repeating: -.infinity)
        for start in stride(from: 0, to: whole, by: 16) {
            let part = UnsafeRawPointer(x.baseAddress! + start).loadUnaligned(as: Vector.self)
            largest.replace(with: part, where: part .> largest)
        }
        return x[whole...].reduce(largest.max()) { $1 > $0 ? $1 : $0 }
    }

    /// Computes `exp((x − maximum) · scale)` for each x, none of which is above `maximum`; results below 1e-37 are 0.
    ///
    /// - Parameters:
    ///   - results: where they go.
    ///   - sums: where the sums of each ``block`` of them go; the last block may be shorter.
    static func fill(
        _ results: UnsafeMutableBufferPointer<Float>, _ sums: UnsafeMutableBufferPointer<Double>,
        _ x: UnsafeBufferPointer<Float>, maximum: Float, scale: Float
    ) {
        precondition(
            results.count >= x.count && sums.count * block >= x.count,
            "room for \(results.count) of \(x.count) exponentials")
        for number in 0..<(x.count + block - 1) / block {
            let end = min((number + 1) * block, x.count)
            var start = number * block, sum = Vector()
            while start + 16 <= end {
                let part = UnsafeRawPointer(x.baseAddress! + start).loadUnaligned(as: Vector.self)
                let result = exponential((part - maximum) * scale)
                UnsafeMutableRawPointer(results.baseAddress! + start).storeBytes(of: result, as: Vector.self)
                sum += result
                start += 16
            }
            if start < end {
                var part = Vector(repeating: maximum), counted = Vector()
                for index in start..<end { part[index - start] = x[index] }
                let result = exponential((part - maximum) * scale)
                for index in start..<end {
                    results[index] = result[index - start]
                    counted[index - start] = result[index - start]
                }
                sum += counted
            }
            sums[number] = Double(sum.sum())
        }
    }

    /// The number of results whose sum is noted.
    static let block = 256

    private static func exponential(_ x: Vector) -> Vector {
        let isTiny = x .< Vector(repeating: -85)
        let bounded = x.replacing(with: 0, where: isTiny)
        // Adding 1.5 · 2²³ leaves the nearest whole number in the lowest bits.
        let shift = Vector(repeating: 0x1.8p23)
        let shifted = bounded * 1.44269504 + shift
        let n = shifted - shift
        let r = bounded - n * 0.693359375 - n * -2.12194440e-4
        var polynomial = r * 1.9875691500e-4 + 1.3981999507e-3
        polynomial = polynomial * r + 8.3334519073e-3
        polynomial = polynomial * r + 4.1665795894e-2
        polynomial = polynomial * r + 1.6666665459e-1
        polynomial = polynomial * r + 5.0000001201e-1
        let mantissa = polynomial * r * r + r + 1
        let exponent = (unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &+ 127) &<< 23
        let power = unsafeBitCast(exponent, to: Vector.self)
        return (mantissa * power).replacing(with: 0, where: isTiny)
    }
}
