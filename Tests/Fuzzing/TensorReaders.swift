import CPUBackend
import GRUCell
import ManifoldUpdates
import RecurrentCommandLine
import RecurrentCore
import RecurrentOptimizers
import ToyDatasets
import URNNCell
import VanillaRNNCell

/// Files of tensors, with every tensor read in every way, and written again.
struct TensorReader: FuzzedReader {
    static let name = "safetensors"
    static let words = SafeTensorsWords.all
    init(_ folder: ScratchFolder) {}

    var seeds: [[UInt8]] {
        var all = SafeTensorsWriter(metadata: ["format": "pt"], hasChecksum: true)
        all.add("a", shape: [2], [1, -2] as [Float])
        all.add("b", shape: [1, 1], [0.5] as [Double])
        all.add("c", shape: [], [7] as [Int64])
        all.add("d", shape: [3, 0], [] as [Int32])
        var plain = SafeTensorsWriter()
        plain.add("w", shape: [1, 2], [3, 4] as [Int32])
        return [all.encoded(), plain.encoded(), SafeTensorsWriter().encoded()]
    }

    func read(_ input: [UInt8]) throws {
        let file = try SafeTensors(bytes: input, path: "input")
        var writer = SafeTensorsWriter(metadata: file.metadata)
        var isWritable = true
        for tensor in file.tensors {
            try require(
                try file.bytes(tensor.name).count == tensor.shape.reduce(tensor.type.size, *),
                "a tensor's size is wrong")
            switch tensor.type {
            case .float32: writer.add(tensor.name, shape: tensor.shape, try file.floats(tensor.name))
            case .float64:
                writer.add(tensor.name, shape: tensor.shape, try file.doubles(tensor.name))
                _ = try file.floats(tensor.name)
            case .int32:
                writer.add(tensor.name, shape: tensor.shape, try file.integers(tensor.name).map { Int32($0) })
            case .int64: writer.add(tensor.name, shape: tensor.shape, try file.integers(tensor.name))
            case .float16, .bfloat16:
                _ = try file.doubles(tensor.name)
                isWritable = false
            default: isWritable = false
            }
        }
        if isWritable {
            let again = try SafeTensors(bytes: writer.encoded(), path: "output")
            try require(again.metadata == file.metadata, "the metadata changed")
            try require(
                Set(again.tensors.map(\.name)) == Set(file.tensors.map(\.name)), "the names changed")
            for tensor in file.tensors {
                try require(
                    try again.bytes(tensor.name, shape: tensor.shape) == file.bytes(tensor.name), "a tensor changed")
            }
        }
        try file.verifyChecksum()
    }
}

enum SafeTensorsWords {
    static let all = [
        "\"__metadata__\":{", "\"dtype\":", "\"shape\":", "\"data_offsets\":[0,0]", "\"F32\"", "\"F64\"", "\"I64\"",
        "\"I32\"", "\"BF16\"", "\"F16\"", "\"BOOL\"", "\"crc32c\":\"00000000\"", ",\"format\":\"pt\"", "\\ud83d\\ude00",
    ]
}

/// The state of a run, from which training continues.
struct StateReader: FuzzedReader {
    static let name = "state"
    static let words =
        SafeTensorsWords.all + [
            "progress", "step", "version", "kind", "\\\"epoch\\\":", "\\\"batches\\\":", "\\\"records\\\":[",
            "\\\"isBest\\\":true", "model.", "\\\"sums\\\":{", "\\\"seconds\\\":", "\\\"NaN\\\"",
        ]
    private let folder: ScratchFolder
    private let trainer: Trainer
    private var path: String { folder.path + "/state.safetensors" }
    private var best: String { folder.path + "/model.safetensors" }

    init(_ folder: ScratchFolder) throws {
        self.folder = folder
        trainer = try Self.makeTrainer()
        try trainer.model.save(to: best)
    }

    private static func makeTrainer(_ observers: [any TrainingObserver] = []) throws -> Trainer {
        let sizes = SplitSizes(train: 4, valid: 2, test: 2)
        let data = try RecallDataset(length: 2, symbols: 2, sizes: sizes)
        let model = try SequenceModel(
            cell: URNN(), configuration: ModelConfiguration(hiddenSize: 2), data: data.description,
            on: CPUBackend(threads: 1))
        let updater = try ParameterUpdater(
            model: model, optimizer: SGD(), manifold: ExponentialUpdate(), skewInitialization: ZeroSkew(),
            configuration: TrainingConfiguration(epochs: 3, batchSize: 2, patience: 2, checkpointEvery: "1"))
        return try Trainer(model: model, dataset: data, updater: updater, observers: observers)
    }

    private final class Checkpoints: TrainingObserver {
        let path: String
        var files: [[UInt8]] = []
        init(path: String) { self.path = path }
        func didReachCheckpoint(_ checkpoint: TrainingCheckpoint) throws {
            try checkpoint.save(to: path)
            files.append(try FileReader.contents(of: path))
        }
    }

    /// The states of a whole run, with and without their checksums, which mutations would make wrong.
    var seeds: [[UInt8]] {
        get throws {
            let checkpoints = Checkpoints(path: path)
            _ = try Self.makeTrainer([checkpoints]).run()
            return try [checkpoints.files[0]]
                + checkpoints.files.map { bytes in
                    let file = try SafeTensors(bytes: bytes, path: "seed")
                    var writer = SafeTensorsWriter(metadata: file.metadata.filter { $0.key != "crc32c" })
                    for tensor in file.tensors {
                        writer.add(tensor.name, shape: tensor.shape, try file.floats(tensor.name))
                    }
                    return writer.encoded()
                }
        }
    }

    func read(_ input: [UInt8]) throws {
        _ = try trainer.restore(from: folder.write(input, to: "state.safetensors"), best: best)
        let progress = trainer.progress
        try trainer.checkpoint.save(to: path)
        _ = try trainer.restore(from: path, best: best)
        try require(
            trainer.progress == progress || "\(progress)".contains("nan"), "the progress changed: \(progress)")
        _ = try trainer.run()
    }
}

/// The weights of a language model from PyTorch.
struct StateDictReader: FuzzedReader {
    static let name = "state-dict"
    static let words =
        SafeTensorsWords.all + [
            "encoder.weight", "decoder.weight", "decoder.bias", "rnn.weight_ih_l0", "rnn.weight_hh_l1",
            "rnn.bias_ih_l0",
            "module.", "_orig_mod.", "_reverse", "weight_hr_l0", "l0", "l1", "[3,1]",
        ]
    private let folder: ScratchFolder
    private let backend: CPUBackend

    init(_ folder: ScratchFolder) throws {
        self.folder = folder
        backend = try CPUBackend(threads: 1)
    }

    var seeds: [[UInt8]] {
        func file(gates: Int, prefix: String, layers: Int, isTied: Bool, hasBiases: Bool) -> [UInt8] {
            var writer = SafeTensorsWriter()
            func add(_ name: String, _ rows: Int, _ columns: Int) {
                writer.add(
                    prefix + name, shape: columns == 0 ? [rows] : [rows, columns],
                    (0..<rows * max(columns, 1)).map { Float($0) })
            }
            add("encoder.weight", 2, 1)
            for layer in 0..<layers {
                add("rnn.weight_ih_l\(layer)", gates, 1)
                add("rnn.weight_hh_l\(layer)", gates, 1)
                if hasBiases { add("rnn.bias_ih_l\(layer)", gates, 0) }
            }
            if !isTied { add("decoder.weight", 2, 1) }
            if hasBiases { add("decoder.bias", 2, 0) }
            return writer.encoded()
        }
        return [
            file(gates: 1, prefix: "", layers: 1, isTied: false, hasBiases: false),
            file(gates: 3, prefix: "module.", layers: 1, isTied: true, hasBiases: true),
            file(gates: 3, prefix: "", layers: 2, isTied: true, hasBiases: false),
        ]
    }

    func read(_ input: [UInt8]) throws {
        let weights = try StateDict(path: folder.write(input, to: "weights.safetensors"))
        let model = try SequenceModel(
            cell: weights.gates == 1 ? VanillaRNN() : GRU(),
            configuration: ModelConfiguration(
                embeddingSize: weights.embeddingSize, hiddenSize: weights.hiddenSize, layers: weights.layers,
                tiesEmbedding: weights.isTied),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: weights.vocabulary), targets: .positionClass(classes: weights.vocabulary),
                isContinuous: true, metric: .perplexity),
            on: backend)
        model.restore(try weights.values(for: model))
        try require(model.snapshot().allSatisfy(\.isFinite), "a weight isn't finite")
    }
}
