import Foundation
import RecurrentCore

/// An observer that writes a run's folder: the metrics as they arrive, the state at checkpoints, the best weights so far,
/// and how the run ended.
final class MetricsLog: TrainingObserver {
    private let folder: RunFolder
    private let configuration: RunConfiguration
    private let registry: Registry
    private let dataset: any Dataset
    private lazy var dataChecksum = Result {
        try DataChecksum.digits(of: dataset, batchSize: configuration.training.batchSize)
    }
    /// What is saved with the weights and the state of a model that has a vocabulary.
    private let vocabularyMetadata: [String: String]
    private var file: LogFile!
    private var metric = DatasetDescription.Metric.accuracy
    /// The epoch of the last batch.
    private var epoch = 1

    init(_ folder: RunFolder, _ run: Run) {
        self.folder = folder
        configuration = run.configuration
        registry = run.registry
        dataset = run.dataset
        vocabularyMetadata = RunFolder.metadata(vocabulary: (run.dataset as? any VocabularyProviding)?.vocabulary)
    }

    /// Begins the log of a new run.
    func begin() throws { file = try LogFile(folder.file("metrics.jsonl")) }

    /// Restores the run from its last checkpoint; a run without a checkpoint starts again.
    func resume(_ trainer: Trainer) throws {
        let path = folder.file("state.safetensors")
        guard folder.hasState else {
            if let from = configuration.from {
                throw RecurrentError.checkpoint(
                    path: folder.path,
                    reason:
                        "was stopped before the weights of its start were saved; start it again with `from` \(from) and `overwrite`"
                )
            }
            try folder.writeDataFiles(trainer.dataset)
            return try begin()
        }
        let saved = try folder.restore(trainer)
        guard let size = saved[Self.sizeKey].flatMap(Int.init),
            let before = try? RunConfiguration(json: Data((saved[Self.configurationKey] ?? "").utf8), path: path)
        else { throw RecurrentError.checkpoint(path: path, reason: "wasn't written by `train --output`") }
        do {
            try registry.resolve(before, locatesData: false).checkResumable(as: configuration, registry: registry)
        } catch RecurrentError.invalidOption(let reason) {
            throw RecurrentError.checkpoint(path: path, reason: "doesn't fit config.json: \(reason)")
        }
        guard try saved[Self.dataKey].map({ try $0 == dataChecksum.get() }) ?? true else {
            throw RecurrentError.checkpoint(
                path: folder.path,
                reason:
                    "was trained on other data: the batches of \(dataset.name) differ from those it had; resume it with its own data, or start a new run from its weights with `from` and another `output`"
            )
        }
        // Without its words, the folder wouldn't be accepted once the state has their checksum.
        if try folder.vocabulary() == nil { try folder.writeDataFiles(trainer.dataset) }
        file = try LogFile(
            folder.file("metrics.jsonl"), keeping: size,
            checksum: saved[Self.checksumKey])
        try folder.write(configuration)
        RunEnd.remove(from: folder)
    }

    // The metadata of a state: the size of metrics.jsonl and its checksum, the configuration, and the checksum of the data.
    private static let sizeKey = "metrics.jsonl", checksumKey = "metrics.jsonl crc32c"
    private static let configurationKey = "config.json", dataKey = "data crc32c"

    /// Returns the configuration with which the state in a folder was saved.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError`` if there is no state, or it is damaged.
    static func configuration(ofStateIn folder: RunFolder) throws -> RunConfiguration {
        let path = folder.file("state.safetensors"), metadata = try SafeTensors(path: path).metadata
        return try RunConfiguration(json: Data((metadata[configurationKey] ?? "").utf8), path: path)
    }

    private func write(_ record: MetricsRecord) throws { try file.append(record.line()) }

    func trainingWillStart(_ plan: TrainingPlan) throws { metric = plan.metric }

    /// Saves the state, which contains the size of the log; the log is therefore written to disk first.
    func didReachCheckpoint(_ checkpoint: TrainingCheckpoint) throws {
        try file.synchronize()
        try checkpoint.save(
            to: folder.file("state.safetensors"),
            metadata: [
                Self.sizeKey: String(file.size),
                Self.checksumKey: file.checksum.digits,
                Self.configurationKey: String(decoding: try configuration.json(), as: UTF8.self),
                Self.dataKey: dataChecksum.get(),
            ].merging(vocabularyMetadata) { own, _ in own })
    }

    func didImprove(_ record: EpochRecord, model: SequenceModel) throws {
        try model.save(to: folder.file("model.safetensors"), metadata: vocabularyMetadata)
    }

    var acceptsLateBatches: Bool { true }
    func didTrainBatch(_ progress: BatchProgress) throws { epoch = progress.epoch }

    func didMeasure(_ values: [String: Double], step: Int) throws {
        try write(MetricsRecord(step: step, epoch: epoch, measured: values))
    }

    func didFinishEpoch(_ record: EpochRecord) throws {
        func figures(_ split: Split, _ sums: LossSums) -> MetricsRecord {
            MetricsRecord(split, sums, metric, epoch: record.epoch, step: record.step)
        }
        var train = figures(.train, record.train)
        train.seconds = record.trainSeconds
        train.sequencesPerSecond = record.sequencesPerSecond
        train.learningRate = record.learningRate
        try write(train)
        for (split, sums) in [(Split.valid, record.validation), (.test, record.test)] as [(Split, LossSums?)] {
            guard let sums else { continue }
            var held = figures(split, sums)
            held.isBest = record.isBest
            try write(held)
        }
    }

    func trainingDidEnd(_ summary: TrainingSummary, model: SequenceModel) throws {
        if let test = summary.test, let best = summary.best {
            try write(MetricsRecord(.test, test, metric, epoch: best.epoch, step: best.step))
        }
        try file.synchronize()
        try RunEnd(summary).write(to: folder)
    }
}
