import Foundation
import GRUCell
import RecurrentCore
import RecurrentONNX
import ReferenceBackend
import Testing

/// Files, and what is said in them.
struct ModelFileTests {
    private func exported(_ model: TrainedModel) throws -> ReadModel {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).onnx").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try model.exportONNX(to: path)
        return try #require(ReadModel(Array(try Data(contentsOf: URL(fileURLWithPath: path)))))
    }

    private func languageModel(_ vocabulary: Vocabulary) throws -> TrainedModel {
        try TrainedModel(
            SequenceModel(
                cell: GRU(), configuration: ModelConfiguration(embeddingSize: 3, hiddenSize: 4),
                data: DatasetDescription(
                    inputs: .tokens(vocabulary: vocabulary.count), targets: .positionClass(classes: vocabulary.count),
                    isContinuous: true, metric: .perplexity),
                on: ReferenceBackend()), vocabulary: vocabulary)
    }

    @Test func languageModelsHaveTheirVocabulary() throws {
        let words = ["the", "naïve", "\"quoted\\\"", "<eos>", "tab\there", "line\nend"]
        let metadata = try exported(languageModel(Vocabulary(words))).metadata
        let json = try #require(metadata["vocabulary"])
        #expect(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String] == words)
        #expect(metadata["tokens"] == "words" && metadata["blank"] == nil && metadata["cell"] == "gru")

        let characters = try exported(languageModel(Vocabulary(["a", "_", "<eos>"], form: .characters()))).metadata
        #expect(characters["tokens"] == "characters" && characters["blank"] == "_")
    }

    @Test func otherModelsHaveNone() throws {
        let metadata = try exported(TrainedModel(ExportCase.named("lstm_class").makeModel())).metadata
        #expect(metadata == ["cell": "lstm"])
    }

    /// Nothing is written, and no weight is asked for.
    @Test func filesEndAtTwoGibibytes() throws {
        var graph = ONNXGraph(name: "large")
        graph.tensors = [
            ONNXTensor("table", shape: [1 << 19, 1 << 10], .floats { preconditionFailure("a weight was asked for") })
        ]
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).onnx").path
        let error = #expect(throws: RecurrentError.self) { try ONNXModel(graph: graph).write(to: path) }
        #expect(error?.description.contains("2 GiB") == true && error?.description.contains(path) == true)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func operationsWithoutAnOperatorAreNamed() throws {
        let model = try TrainedModel(ExportCase("numbered", Numbered(), "Scan").makeModel())
        let error = #expect(throws: RecurrentError.self) { try model.onnxModel() }
        #expect(
            error?.description.contains("`columnIndex`") == true && error?.description.contains("'numbered'") == true)
    }
}
