import RecurrentCore
import ReferenceBackend
import Testing
import UGRUCell

struct NamedParameterTests {
    private let backend = ReferenceBackend()
    private let model: SequenceModel

    init() throws {
        model = try SequenceModel(
            cell: UGRU(), configuration: ModelConfiguration(embeddingSize: 3, hiddenSize: 4),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: 5), targets: .positionClass(classes: 6), isContinuous: false,
                metric: .accuracy), on: backend)
    }

    @Test func aParameterIsFoundByItsName() throws {
        #expect(
            model.parameters.names == [
                "encoder.weight", "rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0",
                "decoder.weight", "decoder.bias",
            ])
        for (index, entry) in model.parameters.entries.enumerated() {
            let found = try #require(model.parameters[entry.name])
            #expect(found.name == entry.name && found.shape == entry.shape && found.range.count == entry.count)
            backend.fill(found.value, with: Double(index))
            backend.fill(found.gradient, with: -Double(index))
        }
        #expect(model.parameters.named.map(\.name) == model.parameters.names)
        #expect(model.parameters["decoder.bias"]?.shape == [6] && model.parameters["decoder.weight"]?.shape == [6, 4])
        // Each view is that of its own elements.
        let values: [Double] = backend.download(model.parameters.allValues)
        let gradients: [Double] = backend.download(model.parameters.allGradients)
        for (index, parameter) in model.parameters.named.enumerated() {
            #expect(values[parameter.range].allSatisfy { $0 == Double(index) })
            #expect(gradients[parameter.range].allSatisfy { $0 == -Double(index) })
        }
    }

    @Test func anOrthogonalBlockHasANameToo() throws {
        let name = try #require(model.parameters.orthogonalBlocks.first?.name)
        let block = try #require(model.parameters[name])
        #expect(name == "rnn.weight_hh_l0.W_n" && block.shape == [4, 4] && block.value.count == 16)
        backend.fill(block.value, with: 7)
        let whole: [Double] = backend.download(try #require(model.parameters["rnn.weight_hh_l0"]).value)
        #expect(whole.count { $0 == 7 } == 16 && whole[32...].allSatisfy { $0 == 7 })
    }

    @Test(arguments: ["", "encoder", "encoder.weigh", "rnn.weight_hh_l0.W_r", "Encoder.weight"])
    func anUnknownNameIsNone(name: String) { #expect(model.parameters[name] == nil) }
}
