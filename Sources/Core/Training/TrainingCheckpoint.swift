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
        let transfer = StateTransfer(trainer.updater.communicator, trainer.model.backend)
        for tensor in trainer.stateTensors(progress) {
            let shape = [tensor.rows, tensor.columns]
            switch trainer.model.backend.scalarType {
            case .float32:
                writer.add(tensor.name, shape: shape, collecting: { try transfer.collect(tensor, as: Float.self) })
            case .float64:
                writer.add(tensor.name, shape: shape, collecting: { try transfer.collect(tensor, as: Double.self) })
            }
        }
        try trainer.tellSaving()
        try writer.write(to: path)
    }
}

extension Trainer {
    /// What a saved state must agree with, besides the shapes.
    fileprivate var identity: [String: String] {
        var strings = [
            "kind": "training state", "cell": model.cell.name, "optimizer": updater.optimizer.name,
            "dataset": dataset.name, "seed": String(model.seed), "batch size": String(configuration.batchSize),
        ]
        let frozen = updater.frozenNames
        // Frozen parameters have no state with which they could be trained.
        if !frozen.isEmpty { strings[Self.frozenKey] = frozen.joined(separator: " ") }
        return strings
    }

    fileprivate static let frozenKey = "frozen parameters"

    /// Returns all tensors of the state, in the order of their declaration.
    fileprivate func stateTensors(_ progress: TrainingProgress) -> [StateTensor] {
        let hasOtherBest = progress.best != nil && !progress.isAtBest && updater.hasKeptPoints
        return model.stateTensors + updater.stateTensors + carriedTensors(progress)
            + (hasOtherBest ? updater.keptTensors : [])
    }

    /// Returns the states that the next batch starts from, within an epoch of continuous data: each rank holds those of
    /// its shards.
    private func carriedTensors(_ progress: TrainingProgress) -> [StateTensor] {
        guard model.data.isContinuous, progress.batches > 0 else { return [] }
        let size = configuration.batchSize, ranks = updater.communicator.size
        return model.recurrentLayers.enumerated().flatMap { layer, item in
            (0..<item.stateCount).map { state in
                let parts = (0..<sharded.plan.count).map { shard in
                    let rows = Batch.sequences(ofShard: shard, of: sharded.plan.count, size: size)
                    let own = sharded.plan.own.contains(shard) ? shard - sharded.plan.own.lowerBound : nil
                    return StateTensor.Part(
                        rank: ranks == 1 ? nil : shard / sharded.plan.perRank,
                        elements: rows.lowerBound * item.hiddenWidth..<rows.upperBound * item.hiddenWidth,
                        view: own.map {
                            sharded.carried.isEmpty ? item.finalState(state) : sharded.carried[$0].after[layer][state]
                        })
                }
                return StateTensor(
                    Self.carriedName(layer, state), rows: size, columns: item.hiddenWidth, parts: parts)
            }
        }
    }

    /// Sends the own part of the state to rank 0 whenever it saves the run, until it has.
    func sendState() throws {
        let communicator = updater.communicator, transfer = StateTransfer(communicator, model.backend)
        while try communicator.allGather([UInt8]())[0] == [1] {
            for tensor in SafeTensorsWriter.ordered(stateTensors(progress), by: \.name) { try transfer.send(tensor) }
        }
    }

    /// Tells the other ranks that this one, rank 0, saves the run, so that they send their part of the state.
    fileprivate func tellSaving() throws { try tell([1]) }
    /// Tells the other ranks that the run has been saved.
    func tellSaved() throws { try tell([0]) }
    private func tell(_ message: [UInt8]) throws {
        if updater.communicator.size > 1 { _ = try updater.communicator.allGather(message) }
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
        if let frozen = file.metadata[Self.frozenKey], updater.frozenNames.isEmpty {
            throw fail("belongs to a run whose \(Self.frozenKey) are '\(frozen)'; freeze them here, too")
        }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .checkpoint
        guard let step = file.metadata["step"].flatMap(Int.init),
            let progress = try? decoder.decode(
                TrainingProgress.self, from: Data((file.metadata["progress"] ?? "").utf8)),
            progress.isConsistent(step: step)
        else { throw fail("doesn't record the progress of its run") }

        let pieces = file.tensors.count { $0.name.hasPrefix(ParameterUpdater.freePrefix) }
        // States of earlier versions have no points of the best weights.
        let kept = progress.best == nil || progress.isAtBest ? [] : updater.keptTensors
        let hasKept = kept.allSatisfy { file[$0.name] != nil }
        let tensors = model.stateTensors + updater.stateTensors(pieces: pieces) + (hasKept ? kept : [])
        let numbers = try tensors.map { tensor in
            (tensor, try file.numbers(tensor.name, shape: [tensor.rows, tensor.columns], as: model.backend.scalarType))
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

        for (tensor, values) in numbers {
            for part in tensor.parts {
                if let view = part.view { values.upload(part.elements, to: view, model.backend) }
            }
        }
        if !carried.isEmpty { try restore(carried) }
        try updater.restored(step: step)
        self.progress = progress
        bestWeights = best
        updater.hasKeptPoints = hasKept
        return file.metadata
    }

    /// Restores the states that the next batch of each own shard starts from.
    private func restore(_ carried: [[Numbers]]) throws {
        let plan = sharded.plan
        for (index, shard) in plan.own.enumerated() {
            let rows = Batch.sequences(ofShard: shard, of: plan.count, size: configuration.batchSize)
            let states = try zip(model.recurrentLayers, carried).map { layer, states in
                try states.map { values in
                    let width = layer.hiddenWidth
                    let view = try model.backend.allocate(rows: rows.count, columns: width)
                    values.upload(rows.lowerBound * width..<rows.upperBound * width, to: view, model.backend)
                    return view
                }
            }
            if sharded.carried.isEmpty {
                for (layer, views) in zip(model.recurrentLayers, states) { layer.restoreStates(views) }
            } else {
                sharded.carried[index].restore(states)
            }
        }
    }
}

extension SequenceModel {
    fileprivate var stateTensors: [StateTensor] {
        parameters.entries.enumerated().map { StateTensor("model.\($1.name)", parameters.value($0)) }
    }
}

/// The numbers of a tensor in a backend's precision.
private enum Numbers {
    case float32([Float])
    case float64([Double])

    /// Copies some of the numbers, in their order, to a packed view.
    func upload(_ range: Range<Int>, to view: MatrixView, _ backend: any Backend) {
        func copy<S: HostScalar>(_ values: [S]) {
            values.withUnsafeBufferPointer {
                backend.upload(UnsafeBufferPointer(rebasing: $0[range]), to: view.memory, offset: view.offset)
            }
        }
        switch self {
        case .float32(let values): copy(values)
        case .float64(let values): copy(values)
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
