#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The theorem of Lin & Wang (Section 2, Theorem 1): for `x_t = σ(W x_{t−1} + …)`
/// and `β ≤ |σ'| ≤ γ`,
///
///     (λ β)ⁿ ‖I‖ ≤ ‖∂x_t/∂x_k‖ ≤ (Λ γ)ⁿ ‖I‖,   n = t − k,
///
/// with `‖I‖_F = √H` and `‖I‖₂ = 1`. The paper prints eigenvalues for λ and Λ, which
/// holds for normal matrices; here they are the smallest and the largest singular
/// value, with which it holds for every `W`.
///
/// With zoneout at rate z the mean step `z x_{t−1} + (1 − z) σ(…)` has the Jacobian
/// `z I + (1 − z) J`. A step's factors are then `z + (1 − z) Λγ` at most, and at least
/// the largest of `(1 − z) λβ − z`, `z − (1 − z) Λγ` and 0.
public struct GradientBounds: Sendable, Equatable {
    /// What one step multiplies the norm by at least (λβ) and at most (Λγ); with
    /// zoneout, for the mean step.
    public let gain: ClosedRange<Double>
    /// H.
    public let width: Int

    /// - Parameters:
    ///   - slopes: β...γ of the activation.
    ///   - singularValues: λ...Λ of the recurrent weight; 1...1 if it is orthogonal.
    ///   - width: H.
    ///   - zoneout: the rate z at which units keep their values, in 0..<1.
    public init(
        slopes: ClosedRange<Double>, singularValues: ClosedRange<Double>, width: Int, zoneout: Double = 0
    ) {
        precondition((0..<1).contains(zoneout))
        let z = zoneout
        let low = (1 - z) * (slopes.lowerBound * singularValues.lowerBound)
        let high = (1 - z) * (slopes.upperBound * singularValues.upperBound)
        // The least gain of a sum is what one part has more than the other takes away.
        gain = max(low - z, z - high, 0)...z + high
        self.width = width
    }

    /// Of the Frobenius norm after `n` steps.
    public func frobeniusNorm(after n: Int) -> ClosedRange<Double> {
        let root = Double(width).squareRoot()
        return root * pow(gain.lowerBound, Double(n))...root * pow(gain.upperBound, Double(n))
    }

    /// Of the operator norm after `n` steps.
    public func operatorNorm(after n: Int) -> ClosedRange<Double> {
        pow(gain.lowerBound, Double(n))...pow(gain.upperBound, Double(n))
    }

    /// What the bounds say of `‖∂x_t/∂x_k‖` for t → ∞ (the paper's Table 1).
    public enum Limit: String, Sendable, CaseIterable {
        case vanishes = "0"
        case mayVanish = "0*"
        case mayVanishOrExplode = "0/∞*"
        case constant = "constant"
        case mayExplode = "∞*"
        case explodes = "∞"
    }

    /// A gain within 1e-5 of 1 counts as 1: the singular values of a Float32 matrix
    /// that is as orthogonal as can be are no nearer.
    public var limit: Limit {
        let tolerance = 1e-5
        let lower = gain.lowerBound - 1, upper = gain.upperBound - 1
        if upper < -tolerance { return .vanishes }
        if lower > tolerance { return .explodes }
        if lower >= -tolerance { return upper <= tolerance ? .constant : .mayExplode }
        return upper <= tolerance ? .mayVanish : .mayVanishOrExplode
    }
}

extension SequenceModel {
    /// The bounds for a layer's present weight and its zoneout, as ``GradientFlow``
    /// measures them; nil for a cell without
    /// ``RecurrentCell/slopeBounds``, about which the theorem says nothing.
    ///
    /// - Parameter layer: counted from 0; nil for the last.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if the weight has no singular
    ///   values, because it holds no numbers.
    public func gradientBounds(layer: Int? = nil) throws -> GradientBounds? {
        let layer = recurrentLayers[layer ?? recurrentLayers.count - 1]
        guard let slopes = layer.cell.slopeBounds else { return nil }
        let weights = zip(layer.layout.packed, layer.parameterIndices).filter {
            $0.0.parts[0].parameter.kind == .recurrentWeight
        }
        guard weights.count == 1, weights[0].0.parts.count == 1 else { return nil }
        let (packed, number) = weights[0]
        let values =
            packed.parts[0].parameter.constraint == .orthogonal
            ? 1...1 : try SingularValues.range(of: parameters.value(number), on: backend)
        return GradientBounds(
            slopes: slopes, singularValues: values, width: layer.hiddenWidth, zoneout: layer.zoneoutRate)
    }
}
