import Foundation
import RecurrentCore

/// A run's folder: `config.json`, `metrics.jsonl`, `model.safetensors`, and for
/// corpora `vocabulary.txt`.
struct RunDirectory {
    let path: String

    func file(_ name: String) -> String { path + "/" + name }

    private static let files = ["config.json", "metrics.jsonl", "model.safetensors", "vocabulary.txt"]

    /// Checks that a run may be written to `path`; changes nothing.
    /// - Throws: ``RecurrentError/file(path:reason:)`` if it is no folder, or holds
    ///   files that a run would replace, unless `overwrite`.
    static func check(_ path: String, overwrite: Bool) throws {
        guard !path.isEmpty else { throw RecurrentError.invalidOption("--output names no folder") }
        let manager = FileManager.default
        var isFolder: ObjCBool = false
        guard manager.fileExists(atPath: path, isDirectory: &isFolder) else { return }
        guard isFolder.boolValue else { throw RecurrentError.file(path: path, reason: "is a file; --output names a folder") }
        if !overwrite, let file = files.first(where: { manager.fileExists(atPath: path + "/" + $0) }) {
            throw RecurrentError.file(
                path: path, reason: "holds a run already (\(file)); choose another --output, or add --overwrite")
        }
    }

    /// Makes the folder and writes `config.json` into it.
    /// - Throws: ``RecurrentError/file(path:reason:)`` if it holds a run already,
    ///   or can't be written.
    init(creating path: String, _ configuration: RunConfiguration, overwrite: Bool) throws {
        try Self.check(path, overwrite: overwrite)
        self.path = path
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw RecurrentError.file(path: path, reason: "the folder can't be made; choose an --output that can be written")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(Array(try encoder.encode(configuration)) + [10], to: file("config.json"))
        // What is left of another run must not be taken for this one's.
        for name in Self.files where name != "config.json" { try? FileManager.default.removeItem(atPath: file(name)) }
    }

    /// An existing run.
    init(opening path: String) { self.path = path }

    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if it is missing,
    ///   damaged, of a later version, or has a value out of range.
    func configuration() throws -> RunConfiguration {
        guard let data = FileManager.default.contents(atPath: file("config.json")) else {
            throw RecurrentError.checkpoint(path: path, reason: "there is no config.json; a run is a folder that `train --output` wrote")
        }
        do {
            let result = try JSONDecoder().decode(RunConfiguration.self, from: data)
            guard result.version == RunConfiguration().version else {
                throw RecurrentError.checkpoint(
                    path: file("config.json"), reason: "has version \(result.version); this program reads version \(RunConfiguration().version)")
            }
            try result.validate()
            return result
        } catch RecurrentError.invalidOption(let reason) {
            throw RecurrentError.checkpoint(path: file("config.json"), reason: reason)
        } catch let error as RecurrentError {
            throw error
        } catch {
            throw RecurrentError.checkpoint(path: file("config.json"), reason: "isn't a run's configuration (\(Self.oneLine(error)))")
        }
    }

    /// What a model needs of its data to be used elsewhere.
    func writeDataFiles(_ dataset: any Dataset) throws {
        if let tokens = (dataset as? any VocabularyProviding)?.vocabulary {
            try AtomicFile.write(Array((tokens.joined(separator: "\n") + "\n").utf8), to: file("vocabulary.txt"))
        }
    }

    private static func oneLine(_ error: any Error) -> String {
        switch error as? DecodingError {
        case .keyNotFound(let key, _)?: "no \"\(key.stringValue)\""
        case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?:
            "\"\(context.codingPath.map(\.stringValue).joined(separator: "."))\" has another type"
        default: "no JSON object"
        }
    }
}

extension JSONEncoder.NonConformingFloatEncodingStrategy {
    static var infinityAsText: Self {
        .convertToString(positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    }
}

/// Writes a run's metrics as they come, and the best weights so far.
final class MetricsLog: TrainingObserver {
    private let directory: RunDirectory
    private let handle: FileHandle
    private var metric = DatasetDescription.Metric.accuracy

    init(_ directory: RunDirectory) throws {
        self.directory = directory
        let path = directory.file("metrics.jsonl")
        guard FileManager.default.createFile(atPath: path, contents: nil), let handle = FileHandle(forWritingAtPath: path)
        else { throw RecurrentError.file(path: path, reason: "can't be written") }
        self.handle = handle
    }

    private struct Line: Encodable {
        let step: Int
        let epoch: Int
        let split: Split
        let loss: Double
        let accuracy: Double?
        let perplexity: Double?
        let seconds: Double?
        let sequencesPerSecond: Double?
        let learningRate: Double?
        let isBest: Bool?
    }

    private func write(
        _ split: Split, _ sums: LossSums, epoch: Int, step: Int, seconds: Double? = nil, rate: Double? = nil,
        learningRate: Double? = nil, isBest: Bool? = nil
    ) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        // exp of a large loss is infinite; JSON has no number for it.
        encoder.nonConformingFloatEncodingStrategy = .infinityAsText
        let line = Line(
            step: step, epoch: epoch, split: split, loss: sums.meanLoss,
            accuracy: metric == .accuracy ? sums.accuracy : nil, perplexity: metric == .perplexity ? sums.perplexity : nil,
            seconds: seconds, sequencesPerSecond: rate, learningRate: learningRate, isBest: isBest)
        do {
            try handle.write(contentsOf: try encoder.encode(line) + Data("\n".utf8))
        } catch {
            throw RecurrentError.file(path: directory.file("metrics.jsonl"), reason: "can't be written: is the disk full?")
        }
    }

    func trainingWillStart(_ plan: TrainingPlan) throws { metric = plan.metric }

    func didImprove(_ record: EpochRecord, model: SequenceModel) throws {
        try model.save(to: directory.file("model.safetensors"))
    }

    func didFinishEpoch(_ record: EpochRecord) throws {
        try write(
            .train, record.train, epoch: record.epoch, step: record.step, seconds: record.trainSeconds,
            rate: record.sequencesPerSecond, learningRate: record.learningRate)
        try write(.valid, record.validation, epoch: record.epoch, step: record.step, isBest: record.isBest)
    }

    func trainingDidEnd(_ summary: TrainingSummary, model: SequenceModel) throws {
        if let test = summary.test, let best = summary.best {
            try write(.test, test, epoch: best.epoch, step: best.step)
        }
    }
}
