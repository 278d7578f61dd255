import RecurrentCore

/// An observer that writes event files for `tensorboard --logdir`: the losses, the metric, the learning rate, the gradient
/// norm, and for each orthogonal weight the angles of its eigenvalues and the largest element of WᵀW − I, or
/// of WᴴW − I; where singular values may leave 1 by a margin, also the smallest and the largest one.
final class TensorBoardLog: TrainingObserver {
    private let folder: String
    private var file: EventFile!
    private let model: SequenceModel
    private let updater: ParameterUpdater
    private var spectra: [Int: OrthogonalSpectrum] = [:]
    private var metric = DatasetDescription.Metric.accuracy
    /// The number of batches between two points of a curve.
    private var interval = 1
    private static let pointsPerEpoch = 50, bins = 64

    init(in folder: String, model: SequenceModel, updater: ParameterUpdater) {
        self.folder = folder
        self.model = model
        self.updater = updater
    }

    func trainingWillStart(_ plan: TrainingPlan) throws {
        file = try EventFile(in: folder, resumedAt: updater.step > 0 ? updater.step + 1 : nil)
        metric = plan.metric
        interval = max(plan.batchesPerEpoch / Self.pointsPerEpoch, 1)
        if updater.step == 0 { try writeWeights(step: 0) }
    }

    func didTrainBatch(_ progress: BatchProgress) throws {
        guard progress.step % interval == 0 else { return }
        try file.scalar("batch/loss", progress.batchSums.meanLoss, step: progress.step)
        try file.scalar("batch/learning rate", progress.learningRate, step: progress.step)
        if let norm = updater.gradientNorm { try file.scalar("batch/gradient norm", norm, step: progress.step) }
    }

    func didMeasure(_ values: [String: Double], step: Int) throws {
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            try file.scalar("gradients/\(name)", value, step: step)
        }
    }

    func didFinishEpoch(_ record: EpochRecord) throws {
        for (split, sums) in [(Split.train, record.train), (.valid, record.validation)] {
            try write(split.rawValue, sums, record.step)
        }
        if let test = record.test { try write("test by epoch", test, record.step) }
        try writeWeights(step: record.step)
    }

    func trainingDidEnd(_ summary: TrainingSummary, model: SequenceModel) throws {
        // A run that was interrupted is tested again at its real end.
        guard summary.end != .interrupted, let test = summary.test else { return }
        // The test is written at the last step: if the run is resumed it ends later, so no step has two values.
        try write(Split.test.rawValue, test, updater.step)
    }

    private func write(_ name: String, _ sums: LossSums, _ step: Int) throws {
        try file.scalar("loss/\(name)", sums.meanLoss, step: step)
        try file.scalar("\(metric.rawValue)/\(name)", metric.value(of: sums), step: step)
    }

    private func writeWeights(step: Int) throws {
        // A frozen weight doesn't change, and may be anything.
        for block in model.parameters.orthogonalBlocks where !updater.frozenNames.contains(block.name) {
            let weight = model.parameters.value(of: block)
            let spectrum = try spectra[block.size] ?? OrthogonalSpectrum(size: block.size, on: model.backend)
            spectra[block.size] = spectrum
            try file.histogram(
                "eigenvalue angles/\(block.name)", spectrum.angles(of: weight), in: -Double.pi...Double.pi,
                bins: Self.bins, step: step)
            let error = try OrthogonalSpectrum.orthogonalityError(of: weight, on: model.backend)
            try file.scalar("orthogonality error/\(block.name)", error, step: step)
            // The singular values of a weight that a manifold update keeps within a margin only.
            guard updater.margin(of: block) > 0, error.isFinite else { continue }
            let values = try SingularValues.range(of: weight, on: model.backend)
            try file.scalar("smallest singular value/\(block.name)", values.lowerBound, step: step)
            try file.scalar("largest singular value/\(block.name)", values.upperBound, step: step)
        }
    }
}
