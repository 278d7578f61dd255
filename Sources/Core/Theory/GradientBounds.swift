#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The bounds on `‖∂x_t/∂x_k‖` from Theorem 1 of Lin & Wang (Section 2).
///
/// For `x_t = σ(W x_{t−1} + …)` and `β ≤ |σ'| ≤ γ`,
///
///     (λ β)ⁿ ‖I‖ ≤ ‖∂x_t/∂x_k‖ ≤ (Λ γ)ⁿ ‖I‖,   n = t − k,
///
/// with `‖I‖_F = √H` and `‖I‖₂ = 1`. In the paper, λ and Λ are eigenvalues, with which
/// the theorem holds for normal matrices; here they are the smallest and the largest
/// singular value, with which it holds for every `W`.
///
/// With zoneout at rate z, the mean step `z x_{t−1} + (1 − z) σ(…)` has the Jacobian
/// `z I + (1 − z) J`. The factor of one step is then at most `z + (1 − z) Λγ`, and at
/// least the largest of `(1 − z) λβ − z`, `z − (1 − z) Λγ` and 0.
public struct GradientBounds: Sendable, Equatable {
    /// The least (λβ) and the greatest (Λγ) factor by which one step multiplies the norm;
    /// with zoneout, those of the mean step.
    public let gain: ClosedRange<Double>
    /// The number of real numbers of the state: the hidden width H, or 2H if the state is complex.
    public let width: Int

    /// Creates the bounds for one recurrent weight and activation.
    ///
    /// - Parameters:
    ///   - slopes: the bounds β...γ of the slope of the activation.
    ///   - singularValues: the range λ...Λ of the singular values of the recurrent weight;
    ///     1...1 if it is orthogonal or unitary.
    ///   - width: the number of real numbers of the state, H; 2H if it is complex.
    ///   - zoneout: the rate z at which units keep their values, in 0..<1.
    public init(
        slopes: ClosedRange<Double>, singularValues: ClosedRange<Double>, width: Int, zoneout: Double = 0
    ) {
        precondition((0..<1).contains(zoneout))
        let z = zoneout
        let low = (1 - z) * (slopes.lowerBound * singularValues.lowerBound)
        let high = (1 - z) * (slopes.upperBound * singularValues.upperBound)
        // The least gain of a sum is the amount by which one part exceeds the other.
        gain = max(low - z, z - high, 0)...z + high
        self.width = width
    }

    /// Returns the bounds of the Frobenius norm after `n` steps.
    public func frobeniusNorm(after n: Int) -> ClosedRange<Double> {
        let root = Double(width).squareRoot()
        return root * pow(gain.lowerBound, Double(n))...root * pow(gain.upperBound, Double(n))
    }

    /// Returns the bounds of the operator norm after `n` steps.
    public func operatorNorm(after n: Int) -> ClosedRange<Double> {
        pow(gain.lowerBound, Double(n))...pow(gain.upperBound, Double(n))
    }

    /// The behaviour of `‖∂x_t/∂x_k‖` for t → ∞ that the bounds imply (the paper's Table 1).
    public enum Limit: String, Sendable, CaseIterable {
        /// The norm goes to 0.
        case vanishes = "0"
        /// The norm doesn't explode but may go to 0.
        case mayVanish = "0*"
        /// The norm may go to 0 or to infinity.
        case mayVanishOrExplode = "0/∞*"
        /// The norm stays the same.
        case constant = "constant"
        /// The norm doesn't vanish but may go to infinity.
        case mayExplode = "∞*"
        /// The norm goes to infinity.
        case explodes = "∞"
    }

    /// The behaviour for t → ∞ that the gain implies.
    ///
    /// A gain within 1e-5 of 1 counts as 1: the singular values of a matrix that is
    /// orthogonal up to rounding in Float32 are no closer to 1.
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
    /// Returns the bounds of the norms that ``GradientFlow`` measures, for a layer's current
    /// weight, the current parameters of its activation, and its zoneout; nil if the theorem doesn't apply, because the cell
    /// has no ``RecurrentCell/slopeBounds`` or doesn't have exactly one recurrent weight, of the full shape. A unitary weight
    /// `A + iS` counts as one, whose state has a real and an imaginary part.
    ///
    /// - Parameter layer: the recurrent layer, counted from 0; nil for the last.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if the weight has no singular values, or the activation no
    ///   bounds, because elements aren't finite.
    public func gradientBounds(layer: Int? = nil) throws -> GradientBounds? {
        let layer = recurrentLayers[layer ?? recurrentLayers.count - 1]
        guard let slopes = try slopeBounds(of: layer) else { return nil }
        let weights = zip(layer.layout.packed, layer.parameterIndices).filter {
            $0.0.parts[0].parameter.kind == .recurrentWeight
        }
        guard weights.count == 1, weights[0].0.parts[0].parameter.shape == .full else { return nil }
        let (packed, number) = weights[0], blocks = packed.orthogonalBlocks
        let isComplex = blocks.first?.field == .complex
        guard packed.parts.count == (isComplex ? 2 : 1) else { return nil }
        // A frozen weight may be anything, even if the cell keeps it orthogonal.
        let weight = parameters.value(number)
        let isOrthogonal =
            try !blocks.isEmpty
            && OrthogonalSpectrum.orthogonalityError(of: weight, on: backend) <= 1e-4
        let values = isOrthogonal ? 1...1 : try SingularValues.range(of: weight, on: backend)
        return GradientBounds(
            slopes: slopes, singularValues: values, width: isComplex ? 2 * layer.hiddenWidth : layer.hiddenWidth,
            zoneout: layer.zoneoutRate)
    }

    /// Returns the bounds of the slope of a layer's nonlinearity at the present values of its vectors.
    private func slopeBounds(of layer: RecurrentLayer) throws -> ClosedRange<Double>? {
        var broken: String?, unknown: String?
        let bounds = layer.cell.slopeBounds(at: { name in
            guard let index = layer.cell.parameters.firstIndex(where: { $0.name == name }) else {
                unknown = name
                return [Double](repeating: 0, count: layer.hiddenWidth)
            }
            let location = layer.layout.locations[index], packed = layer.parameterIndices[location.packed]
            let columns = location.start..<location.start + layer.hiddenWidth
            let values: [Double] = backend.download(parameters.value(packed).columns(columns))
            if values.allSatisfy(\.isFinite) { return values }
            broken = name
            return values.map { $0.isFinite ? $0 : 0 }
        })
        if let unknown {
            throw RecurrentError.cell(
                "cell '\(layer.cell.name)' asks for '\(unknown)' in its slopeBounds(at:), but declares no such vector")
        }
        if let broken {
            throw RecurrentError.linearAlgebra(
                "'\(broken)' of cell '\(layer.cell.name)' has elements that aren't finite")
        }
        return bounds
    }
}
