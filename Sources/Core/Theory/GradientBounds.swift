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
public struct GradientBounds: Sendable, Equatable {
    /// What one step multiplies the norm by at least (λβ) and at most (Λγ).
    public let gain: ClosedRange<Double>
    /// H.
    public let width: Int

    /// - Parameters:
    ///   - slopes: β...γ of the activation.
    ///   - singularValues: λ...Λ of the recurrent weight; 1...1 if it is orthogonal.
    ///   - width: H.
    public init(slopes: ClosedRange<Double>, singularValues: ClosedRange<Double>, width: Int) {
        gain = slopes.lowerBound * singularValues.lowerBound...slopes.upperBound * singularValues.upperBound
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

    public var limit: Limit {
        let (lower, upper) = (gain.lowerBound, gain.upperBound)
        if upper < 1 { return .vanishes }
        if lower > 1 { return .explodes }
        if lower == 1 { return upper == 1 ? .constant : .mayExplode }
        return upper == 1 ? .mayVanish : .mayVanishOrExplode
    }
}

extension SequenceModel {
    /// The bounds for a layer's present weight; nil for a cell without
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
        return GradientBounds(slopes: slopes, singularValues: values, width: layer.hiddenWidth)
    }

}
