#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A measurement of `‖∂x_t/∂x_k‖` in a model, trained or not: how far gradients reach.
///
///     let flow = GradientFlow(model)
///     let norms = try flow.measure(batch)          // ∂x_t/∂x_1 for t = 1 … T
///     print(norms.last.frobenius.mean)
///
/// The derivatives are exact: they are products of the Jacobians of the steps, for any
/// cell on any backend. x stands for all states of one recurrent layer, whose inputs are
/// held fixed. As in evaluation, there is no dropout, and zoneout takes its mean. The
/// measurement changes nothing in the model.
public final class GradientFlow {
    /// The steps in which to compute the operator norm, which takes longer than the
    /// Frobenius norm.
    public enum OperatorNorms: Sendable {
        /// All steps.
        case everyStep
        /// The last step only.
        case lastStep
        /// No step.
        case none
    }

    private let model: SequenceModel
    /// The model's layers up to the one that is measured.
    private let stack: LayerStack
    private let samples: Int
    private var jacobian: (sequences: Int, value: StateJacobian)?
    private var products: [MatrixView] = []

    /// Creates a measurement of one recurrent layer.
    ///
    /// - Parameters:
    ///   - model: the model that is measured.
    ///   - layer: the recurrent layer, counted from 0; nil for the last.
    ///   - samples: the largest number of sequences of a batch to measure.
    public init(_ model: SequenceModel, layer: Int? = nil, samples: Int = 8) {
        let layer = layer ?? model.recurrentLayers.count - 1
        precondition(model.recurrentLayers.indices.contains(layer) && samples > 0)
        self.model = model
        self.samples = samples
        stack = model.stack.twin(layers: layer + 1)
    }

    private var layer: RecurrentLayer { stack.layers[stack.layers.count - 1] }

    /// Returns the norms of `∂x_t/∂x_k` for t = k, k + 1, … of some sequences of a batch.
    ///
    /// - Parameters:
    ///   - batch: the batch, whose first sequences that are long enough are measured.
    ///   - k: the step k, counted from 1.
    ///   - to: the last step t; nil for T.
    ///   - operatorNorms: the steps in which to compute the operator norm.
    ///   - continuing: whether to start from the initial states of the model's last forward
    ///     pass, whose batch or first shard must have had the same size, rather than from zeros.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the batch has no such steps, or no
    ///   sequence that is long enough; or what the backend throws.
    public func measure(
        _ batch: Batch, from k: Int = 1, to: Int? = nil, operatorNorms: OperatorNorms = .everyStep,
        continuing: Bool = false
    ) throws -> GradientNorms {
        let end = to ?? batch.steps
        guard k <= end || k > batch.steps else {
            throw RecurrentError.invalidOption(
                "can't measure gradients from step \(k) to step \(end): the first step must not be above the last")
        }
        guard k >= 1, k <= end, end <= batch.steps else {
            throw RecurrentError.invalidOption(
                "can't measure gradients from step \(k) to step \(end): these sequences have steps 1 to \(batch.steps)")
        }
        let sequences = Array((0..<batch.size).filter { batch.lengths?[$0] ?? end >= end }.prefix(samples))
        guard !sequences.isEmpty else {
            throw RecurrentError.invalidOption(
                "no sequence of this batch has \(end) steps; choose an earlier last step")
        }
        return try measure(
            batch, sequences, steps: k...end, operatorNorms: operatorNorms,
            start: continuing ? model.carriedShards.first.map { .before($0) } ?? .lastPass : .zeros)
    }

    /// Where the states before the first step come from.
    enum Start {
        /// They are zero.
        case zeros
        /// They are those that the model's last pass began with.
        case lastPass
        /// They are those that the last pass over a shard began with.
        case before(CarriedStates)
    }

    /// Returns the norms of `∂x_t/∂x_k` of the given sequences of a batch, for k and t within its steps.
    func measure(
        _ batch: Batch, _ sequences: [Int], steps range: ClosedRange<Int>, operatorNorms: OperatorNorms, start: Start
    ) throws -> GradientNorms {
        try forward(batch, start)
        guard case .vectors(let inputs) = layer.input else { preconditionFailure("a twin's layers read vectors") }
        let states = (0..<layer.stateCount).map { layer.states($0) }
        let jacobian = try prepared(sequences.count)
        let n = jacobian.width, backend = model.backend
        var product = products[0], other = products[1]
        backend.upload((0..<product.count).map { Float($0 % n == $0 / n % n ? 1 : 0) }, to: product)
        // Each product is M · 2^e, where e keeps M within the range of the backend's scalars.
        var exponents = [Int](repeating: 0, count: sequences.count)
        var steps: [GradientNorms.Step] = []
        for t in range {
            if t > range.lowerBound {
                let factor = try jacobian.compute(
                    inputs: inputs, inputRows: sequences.map { (t - 1) * batch.size + $0 }, before: states,
                    stateRows: sequences.map { (t - 2) * batch.size + $0 })
                for s in sequences.indices {
                    let rows = s * n..<(s + 1) * n, norm = steps[steps.count - 1].frobenius.values[s]
                    let shift = rescaling(norm, exponents[s])
                    backend.gemm(
                        alpha: scalbn(1, Int32(shift)), factor.rows(rows), product.rows(rows), beta: 0, other.rows(rows)
                    )
                    exponents[s] -= shift
                }
                (product, other) = (other, product)
            }
            let wantsOperatorNorm = operatorNorms == .everyStep || (operatorNorms == .lastStep && t == range.upperBound)
            steps.append(norms(of: product, n, exponents, step: t, wantsOperatorNorm))
        }
        return GradientNorms(from: range.lowerBound, steps: steps)
    }

    /// Returns the exponent of the power of two that brings the norm of M back near 1, or 0 if
    /// it isn't far from 1; such a scaling is exact in any floating-point format.
    private func rescaling(_ norm: Double, _ exponent: Int) -> Int {
        let stored = scalbn(norm, Int32(-exponent))
        guard stored > 0, stored.isFinite, !(1e-6...1e6).contains(stored) else { return 0 }
        return -Int(ilogb(stored))
    }

    private func norms(
        of product: MatrixView, _ n: Int, _ exponents: [Int], step: Int, _ wantsOperatorNorm: Bool
    ) -> GradientNorms.Step {
        let values: [Double] = model.backend.download(product)
        var frobenius: [Double] = [], operatorNorms: [Double] = []
        values.withUnsafeBufferPointer { values in
            for (s, exponent) in exponents.enumerated() {
                let block = UnsafeBufferPointer(rebasing: values[s * n * n..<(s + 1) * n * n])
                var sum = 0.0
                for value in block { sum += value * value }
                frobenius.append(scalbn(sum.squareRoot(), Int32(exponent)))
                if wantsOperatorNorm {
                    operatorNorms.append(scalbn(SingularValues.largest(block, size: n), Int32(exponent)))
                }
            }
        }
        return GradientNorms.Step(
            step: step, frobenius: .init(values: frobenius),
            operatorNorm: wantsOperatorNorm ? .init(values: operatorNorms) : nil)
    }

    private func prepared(_ sequences: Int) throws -> StateJacobian {
        if let jacobian, jacobian.sequences == sequences { return jacobian.value }
        let made = try StateJacobian(layer, parameters: model.parameters, sequences: sequences, on: model.backend)
        products = try (0..<2).map { _ in try model.backend.allocate(rows: sequences * made.width, columns: made.width)
        }
        jacobian = (sequences, made)
        return made
    }

    /// Runs the layers up to the one that is measured.
    private func forward(_ batch: Batch, _ start: Start) throws {
        _ = try stack.forward(
            batch.inputs, steps: batch.steps, batch: batch.size,
            initial: { index in
                let states: [MatrixView]? =
                    switch start {
                    case .zeros: nil
                    case .lastPass: model.recurrentLayers[index].initialStates
                    case .before(let carried): carried.before[index]
                    }
                return states.map { .given($0) } ?? .zeros
            },
            output: .allSteps)
    }
}
