/// The exponential of many numbers in single precision, without calls, so that it is computed in vectors on any processor
/// (Cephes' expf: reduction by multiples of ln 2 and a polynomial; relative error below 3e-7).
enum FastExponential {
    private typealias Vector = SIMD16<Float>

    /// Computes `exp((x − maximum) · scale)` for each x, none of which is above `maximum`; results below 1e-37 are 0.
    static func fill(
        _ results: UnsafeMutableBufferPointer<Float>, _ x: UnsafeBufferPointer<Float>, maximum: Float, scale: Float
    ) {
        precondition(results.count >= x.count, "room for \(results.count) of \(x.count) exponentials")
        let whole = x.count / 16 * 16
        for start in stride(from: 0, to: whole, by: 16) {
            let part = UnsafeRawPointer(x.baseAddress! + start).loadUnaligned(as: Vector.self)
            UnsafeMutableRawPointer(results.baseAddress! + start)
                .storeBytes(of: exponential((part - maximum) * scale), as: Vector.self)
        }
        guard whole < x.count else { return }
        var part = Vector(repeating: maximum)
        for index in whole..<x.count { part[index - whole] = x[index] }
        part = exponential((part - maximum) * scale)
        for index in whole..<x.count { results[index] = part[index - whole] }
    }

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
