/// Consecutive elements that are stepped in one run.
struct UpdateStep {
    let range: Range<Int>
    /// The rate relative to the learning rate.
    let rate: Double
    let kernels: OptimizerKernels
}

/// The optimizers and the rates of all parts of the parameters.
struct UpdateSettings {
    private let grouped: GroupedParameters
    /// The steps of all optimizers: those of the updater's own first, then those of the groups that have others.
    let kernels: [OptimizerKernels]
    /// The position in ``kernels`` for each group.
    private let kernelIndices: [Int]
    /// The rates of skew parameters and of free recurrent weights, relative to the learning rate.
    let skewRate: Double, recurrentRate: Double
    private let learningRate: Double

    /// Compiles the optimizers' steps.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if an option of an optimizer is wrong, or it has no weight decay that
    ///   a group could change, and what the backend throws.
    init(
        _ grouped: GroupedParameters, _ optimizer: any Optimizer, _ configuration: TrainingConfiguration,
        on backend: any Backend
    ) throws {
        self.grouped = grouped
        learningRate = configuration.learningRate
        skewRate = (configuration.manifoldLearningRate ?? learningRate) / learningRate
        recurrentRate = (configuration.recurrentLearningRate ?? learningRate) / learningRate
        var kernels = [try OptimizerKernels(optimizer, weightDecay: nil, on: backend)]
        kernelIndices = try grouped.groups.map { group in
            guard group.optimizer != nil || group.weightDecay != nil else { return 0 }
            kernels.append(
                try OptimizerKernels(group.optimizer ?? optimizer, weightDecay: group.weightDecay, on: backend))
            return kernels.count - 1
        }
        self.kernels = kernels
    }

    /// The number of state variables of the optimizer that has the most.
    var stateVariables: Int { kernels.reduce(0) { max($0, $1.stateCount) } }

    /// Returns the optimizer's steps for a group; nil for what is in none.
    func kernels(of group: Int?) -> OptimizerKernels { kernels[group.map { kernelIndices[$0] } ?? 0] }

    /// Returns the rate of a skew parameter relative to the learning rate.
    func skewRate(_ group: ParameterGroup?) -> Double { group?.learningRate.map { $0 / learningRate } ?? skewRate }

    /// Returns the runs in which elements are stepped: as few as possible.
    ///
    /// - Parameter ranges: the elements that this process steps, in ascending order.
    func steps(_ ranges: [Range<Int>], _ parameters: ParameterStore) -> [UpdateStep] {
        guard !grouped.groups.isEmpty else {
            return recurrentRate == 1
                ? ranges.map { UpdateStep(range: $0, rate: 1, kernels: kernels[0]) }
                : parameters.freeRangesByKind.flatMap { kind in
                    ranges.clamped(to: kind.range).map {
                        UpdateStep(range: $0, rate: kind.isRecurrent ? recurrentRate : 1, kernels: kernels[0])
                    }
                }
        }
        var result: [UpdateStep] = []
        for part in grouped.parts where !part.isOrthogonal {
            let kernels = kernels(of: part.group)
            let rate =
                grouped.group(of: part)?.learningRate.map { $0 / learningRate }
                ?? (part.isRecurrent ? recurrentRate : 1)
            for range in ranges.clamped(to: part.range) {
                if let last = result.last, last.range.upperBound == range.lowerBound, last.rate == rate,
                    last.kernels === kernels
                {
                    result[result.count - 1] = UpdateStep(
                        range: last.range.lowerBound..<range.upperBound, rate: rate, kernels: kernels)
                } else {
                    result.append(UpdateStep(range: range, rate: rate, kernels: kernels))
                }
            }
        }
        return result
    }
}
