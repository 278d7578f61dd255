#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The transcendental functions of ``PointwiseOperation`` in Double.
public enum RealFunctions {
    /// Returns the exponential of `x`.
    public static func exp(_ x: Double) -> Double { _exp(x) }
    /// Returns the natural logarithm of `x`.
    public static func log(_ x: Double) -> Double { _log(x) }
    /// Returns the hyperbolic tangent of `x`.
    public static func tanh(_ x: Double) -> Double { _tanh(x) }

    /// Returns `1 / (1 + exp(-x))`, without overflow for large negative `x`.
    public static func sigmoid(_ x: Double) -> Double {
        if x >= 0 { return 1 / (1 + _exp(-x)) }
        let e = _exp(x)
        return e / (1 + e)
    }

    /// Returns the sine of `x` in radians.
    public static func sin(_ x: Double) -> Double { _sin(x) }
    /// Returns the cosine of `x` in radians.
    public static func cos(_ x: Double) -> Double { _cos(x) }
    /// Returns the error function `2/√π ∫₀ˣ exp(-t²) dt`.
    public static func erf(_ x: Double) -> Double { _erf(x) }
}

// Module-level functions, so that the static ones above don't call themselves.
private func _exp(_ x: Double) -> Double { exp(x) }
private func _log(_ x: Double) -> Double { log(x) }
private func _tanh(_ x: Double) -> Double { tanh(x) }
private func _sin(_ x: Double) -> Double { sin(x) }
private func _cos(_ x: Double) -> Double { cos(x) }
private func _erf(_ x: Double) -> Double { erf(x) }
