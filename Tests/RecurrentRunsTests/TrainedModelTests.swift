import BuiltInPlugins
import CPUBackend
import Foundation
import RecurrentCore
import RecurrentRuns
import ReferenceBackend
import Testing
import UGRUCell

/// Saved runs of every kind of task, loaded for inference.
struct TrainedModelTests {
    /// The options of a data set with few short sequences.
    private static let tasks: [(dataset: PluginChoice, cell: String)] = [
        (PluginChoice("recall", ["length": .integer(6)]), "urnn"),
        (PluginChoice("copying", ["length": .integer(5)]), "gru"),
        (PluginChoice("adding", ["length": .integer(6)]), "ugru"),
        (PluginChoice("digits"), "rnn"),
    ]

    private func trained(_ task: Int, in folder: TemporaryFolder) throws -> Run {
        var configuration = RunConfiguration(cell: PluginChoice(Self.tasks[task].cell))
        configuration.dataset = Self.tasks[task].dataset
        if configuration.dataset.name == "digits" {
            try writeImages(to: folder.file("images"))
            configuration.dataset["data"] = .text(folder.file("images"))
        }
        configuration.model = ModelConfiguration(
            embeddingSize: 5, hiddenSize: 8, layers: 2, dropout: 0.3, dropoutPlaces: [.output])
        configuration.training = TrainingConfiguration(epochs: 1, batchSize: 16, batchesPerEpoch: 3)
        let run = try Run(configuration, registry: .builtIn)
        _ = try run.train(output: folder.file("run"))
        return run
    }

    /// Writes a few images of 3 × 3 pixels.
    private func writeImages(to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        func number(_ value: Int) -> [UInt8] { [0, 0, UInt8(value >> 8), UInt8(value & 255)] }
        for (name, count) in [("train", 120), ("t10k", 32)] {
            let pixels = (0..<9 * count).map { UInt8($0 * 29 % 251) }, labels = (0..<count).map { UInt8($0 % 10) }
            try Data([0, 0, 8, 3] + number(count) + number(3) + number(3) + pixels)
                .write(to: URL(fileURLWithPath: "\(folder)/\(name)-images-idx3-ubyte"))
            try Data([0, 0, 8, 1] + number(count) + labels)
                .write(to: URL(fileURLWithPath: "\(folder)/\(name)-labels-idx1-ubyte"))
        }
    }

    /// What sessions predict is what the run's model predicts: the losses of a batch agree.
    @Test(arguments: tasks.indices, [false, true]) func predictionsAreTheRuns(task: Int, onCPU: Bool) throws {
        let folder = try TemporaryFolder(), run = try trained(task, in: folder)
        // The data aren't needed.
        try? FileManager.default.removeItem(atPath: folder.file("images"))
        let model = try TrainedModel.load(
            folder.file("run"), registry: .builtIn,
            backend: onCPU ? CPUBackend(threads: 2) : ReferenceBackend())
        #expect(model.data == run.dataset.description && model.vocabulary == nil)
        let batch = try run.dataset.batch(.test, epoch: 0, index: 0, batchSize: 16)
        let session = try model.makeSession(streams: 16)
        var total = 0.0, count = 0
        func add(_ row: Int, _ prediction: Predictions.Row) {
            if !batch.values.isEmpty {
                total += Double(prediction[0] - batch.values[row]) * Double(prediction[0] - batch.values[row])
                count += 1
            } else if batch.targets[row] >= 0 {
                total -= RealFunctions.log(Double(prediction[Int(batch.targets[row])]))
                count += 1
            }
        }
        let isPerPosition = max(batch.targets.count, batch.values.count) > 16
        for step in 0..<batch.steps {
            let rows = step * 16..<(step + 1) * 16
            switch batch.inputs {
            case .tokens(let ids): try session.advance(ids[rows].map(Int.init))
            case .vectors(let values, let width):
                try session.advance(Array(values[rows.lowerBound * width..<rows.upperBound * width]))
            }
            guard isPerPosition || step == batch.steps - 1 else { continue }
            let predictions = try batch.values.isEmpty ? session.probabilities() : session.scores()
            for stream in 0..<16 { add(isPerPosition ? step * 16 + stream : stream, predictions[stream]) }
        }
        let expected = try run.model.evaluate(batch)
        #expect(count == expected.count && abs(total / Double(count) - expected.meanLoss) < 2e-5)
    }

    /// A language model needs neither its corpus nor its data set.
    @Test func aLanguageModelIsLoadedWithoutItsCorpus() throws {
        let folder = try TemporaryFolder(), corpus = folder.file("corpus")
        try FileManager.default.createDirectory(atPath: corpus, withIntermediateDirectories: true)
        for split in ["train", "valid", "test"] {
            try String(repeating: "the cat sat on the mat\nthe dog sat\n", count: 30)
                .write(toFile: "\(corpus)/ptb.\(split).txt", atomically: true, encoding: .utf8)
        }
        var configuration = RunConfiguration(cell: PluginChoice("ugru"))
        configuration.dataset = PluginChoice("ptb", ["data": .text(corpus)])
        configuration.model = ModelConfiguration(embeddingSize: 5, hiddenSize: 8)
        configuration.training = TrainingConfiguration(epochs: 1, batchSize: 4)
        let run = try Run(configuration, registry: .builtIn)
        _ = try run.train(output: folder.file("run"))
        try FileManager.default.removeItem(atPath: corpus)

        let model = try TrainedModel.load(folder.file("run"), registry: .builtIn)
        let vocabulary = try #require(model.vocabulary)
        #expect(vocabulary.tokens == (run.dataset as? any VocabularyProviding)?.vocabulary)
        let ids = try vocabulary.ids(of: "the mat sat\nthe dog")
        #expect(vocabulary.text(of: ids) == "the mat sat\nthe dog" && vocabulary[ids[3]] == "<eos>")
        let session = try model.makeSession()
        try session.advance(sequences: [ids])
        let batch = Batch(
            steps: ids.count, size: 1, inputs: .tokens(ids.map(Int32.init)),
            targets: [Int32](repeating: -1, count: ids.count - 1) + [Int32(ids[0])])
        let loss = try run.model.evaluate(batch).meanLoss
        let probability = try Double(session.probabilities()[0][ids[0]])
        #expect(abs(RealFunctions.log(probability) + loss) < 1e-5)

        // Nor does it need the plug-ins that only training needs.
        var small = Registry()
        small.add(UGRU.self)
        small.add(Tanh.self)
        let alone = try TrainedModel.load(folder.file("run"), registry: small, backend: CPUBackend(threads: 1))
        #expect(alone.vocabulary?.tokens == vocabulary.tokens && alone.cell.name == "ugru")
        #expect(throws: RecurrentError.self) { try TrainedModel.load(folder.file("run"), registry: small) }
        #expect(throws: RecurrentError.self) { try TrainedModel.load(folder.file("run"), registry: Registry()) }

        do {
            _ = try vocabulary.ids(of: "the zebra")
            Issue.record("an unknown word is accepted")
        } catch {
            #expect("\(error)" == "the model doesn't know 'zebra', and has no <unk> to stand for it")
        }
        try FileManager.default.removeItem(atPath: folder.file("run/vocabulary.txt"))
        #expect(throws: RecurrentError.self) { try TrainedModel.load(folder.file("run"), registry: .builtIn) }
    }
}
