#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A point in a training run at which it can be saved and later resumed.
///
/// The numbers are read from the backend when ``save(to:metadata:)`` is called,
/// which must be before training continues.
public struct TrainingCheckpoint {
    /// The progress of the run at this point.
    public let progress: TrainingProgress
    let trainer: Trainer

    /// The version of the file's format.
    static let version = "1"

    /// Writes everything that is needed to resume the run, as tensors in the backend's
    /// own precision, with a checksum; the file is replaced as a whole or not at all.
    ///
    /// - Parameters:
    ///   - path: the path of the file.
    ///   - metadata: strings to save with it; ``Trainer/restore(from:best:)`` returns them.
    /// - Throws: ``RecurrentError/file(path:reason:)`` if the file can't be written.
    public func save(to path: String, metadata: [String: String] = [:]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .checkpoint
        var strings = trainer.identity.merging(metadata) { own, _ in own }
        strings["version"] = Self.version
        strings["step"] = String(trainer.updater.step)
        strings["progress"] = String(decoding: try encoder.encode(progress), as: UTF8.self)
        var writer = SafeTensorsWriter(metadata: strings, hasChecksum: true)
        let backend = trainer.model.backend
        for (name, view) in trainer.model.stateViews + trainer.updater.stateViews + trainer.carriedViews(progress) {
            switch backend.scalarType {
            case .float32:
                writer.add(name, shape: [view.rows, view.columns]) { backend.download(view, as: Float.self) }
            case .float64:
                writer.add(name, shape: [view.rows, view.columns]) { backend.download(view, as: Double.self) }
            }
        }
        try writer.write(to: path)
    }
}

extension Trainer {
    /// What a saved state must agree with, besides the shapes.
    fileprivate var identity: [String: String] {
        [
            "kind": "training state", "cell": model.cell.name, "optimizer": updater.optimizer.name,
            "dataset": dataset.name, "seed": String(model.seed), "batch size": String(configuration.batchSize),
        ]
    }

    /// Returns the states that the next batch starts from, within an epoch of continuous data.
    fileprivate func carriedViews(_ progress: TrainingProgress) -> [(name: String, view: MatrixView)] {
        guard model.data.isContinuous, progress.batches > 0 else { return [] }
        return model.recurrentLayers.enumerated().flatMap { layer, item in
            (0..<item.stateCount).map { (Self.carriedName(layer, $0), item.finalState($0)) }
        }
    }

    private static func carriedName(_ layer: Int, _ state: Int) -> String { "carried.layer\(layer).state\(state)" }

    /// Restores a run to where ``TrainingCheckpoint/save(to:metadata:)`` saved it.
    /// Nothing changes unless everything can be read.
    ///
    /// - Parameters:
    ///   - path: the path of the saved state.
    ///   - modelPath: the path of the best weights so far, as ``SequenceModel/save(to:metadata:)`` wrote
    ///     them.
    /// - Returns: the strings that were saved with the state.
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` or
    ///   ``RecurrentError/file(path:reason:)`` if a file is missing, damaged, of
    ///   another version, or of another run.
    public func restore(from path: String, best modelPath: String) throws -> [String: String] {
        func fail(_ reason: String) -> RecurrentError { .checkpoint(path: path, reason: reason) }
        let file = try SafeTensors(path: path)
        guard let version = file.metadata["version"], file.metadata["kind"] == identity["kind"] else {
            throw fail("isn't a training state")
        }
        guard version == TrainingCheckpoint.version else {
            throw fail("has version \(version); this program reads version \(TrainingCheckpoint.version)")
        }
        try file.verifyChecksum()
        for (key, value) in identity.sorted(by: { $0.key < $1.key }) where file.metadata[key] != value {
            throw fail("belongs to a run whose \(key) is '\(file.metadata[key] ?? "missing")', not '\(value)'")
        }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .checkpoint
        guard let step = file.metadata["step"].flatMap(Int.init),
            let progress = try? decoder.decode(
                TrainingProgress.self, from: Data((file.metadata["progress"] ?? "").utf8)),
            progress.isConsistent(step: step)
        else { throw fail("doesn't record the progress of its run") }

        let pieces = file.tensors.count { $0.name.hasPrefix(ParameterUpdater.freePrefix) }
        let numbers = try (model.stateViews + updater.stateViews(pieces: pieces)).map { name, view in
            (view, try file.numbers(name, shape: [view.rows, view.columns], as: model.backend.scalarType))
        }
        let carried =
            try model.data.isContinuous && progress.batches > 0
            ? model.recurrentLayers.enumerated().map { layer, item in
                try (0..<item.stateCount).map { state in
                    try file.numbers(
                        Self.carriedName(layer, state), shape: [configuration.batchSize, item.hiddenWidth],
                        as: model.backend.scalarType)
                }
            } : []
        let expected = numbers.count + carried.reduce(0) { $0 + $1.count }
        guard file.tensors.count == expected else {
            throw fail("holds \(file.tensors.count) tensors, not \(expected); is it from another model?")
        }
        let best = progress.best == nil || progress.isAtBest ? nil : try model.weights(from: modelPath)

        for (view, values) in numbers { values.upload(to: view, model.backend) }
        for (layer, states) in zip(model.recurrentLayers, carried) {
            layer.restoreStates(
                try states.map { values in
                    let view = try model.backend.allocate(rows: configuration.batchSize, columns: layer.hiddenWidth)
                    values.upload(to: view, model.backend)
                    return view
                })
        }
        try updater.restored(step: step)
        self.progress = progress
        bestWeights = best
        return file.metadata
    }
}

extension SequenceModel {
    fileprivate var stateViews: [(name: String, view: MatrixView)] {
        parameters.entries.enumerated().map { ("model.\($1.name)", parameters.value($0)) }
    }
}

/// The numbers of a tensor in a backend's precision.
private enum Numbers {
    case float32([Float])
    case float64([Double])

    func upload(to view: MatrixView, _ backend: any Backend) {
        switch self {
        case .float32(let values): backend.upload(values, to: view)
        case .float64(let values): backend.upload(values, to: view)
        }
    }
}

extension SafeTensors {
    fileprivate func numbers(_ name: String, shape: [Int], as type: ScalarType) throws -> Numbers {
        switch type {
        case .float32: .float32(try floats(name, shape: shape))
        case .float64: .float64(try doubles(name, shape: shape))
        }
    }
}

extension JSONEncoder.NonConformingFloatEncodingStrategy {
    fileprivate static var checkpoint: Self {
        .convertToString(positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    }
}
extension JSONDecoder.NonConformingFloatDecodingStrategy {
    fileprivate static var checkpoint: Self {
        .convertFromString(positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    }
}
