import CoRNNCell
import Foundation
import GRUCell
import LEMCell
import RecurrentCore
import RecurrentONNX
import Testing

/// Which operators models become.
struct OperatorTests {
    private func exported(_ test: ExportCase) throws -> (file: ReadModel, summary: ONNXSummary, model: TrainedModel) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("onnx-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let model = try TrainedModel(test.makeModel()), path = folder.path + "/model.onnx"
        let summary = try model.exportONNX(to: path, isBatchFirst: test.isBatchFirst)
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        return (try #require(ReadModel(bytes)), summary, model)
    }

    @Test(arguments: ExportCase.all.indices) func layersBecomeTheirOperators(index: Int) throws {
        let test = ExportCase.all[index]
        let (file, summary, _) = try exported(test)
        #expect(summary.recurrentOperators == test.operators, "\(test.name)")
        #expect(file.recurrent.map(\.operation) == test.operators, "\(test.name)")
        #expect(file.model.integer(1) == 8 && file.model.messages(8).first?.integer(2) == 17)
        #expect(file.model.text(2) == "urnn" && file.model.text(3)?.isEmpty == false)

        let isTokens = test.inputs == .tokens(vocabulary: ExportCase.vocabulary)
        let states = test.cell.stateNames
        let inputs = ReadModel.names(file.graph.messages(11)), outputs = ReadModel.names(file.graph.messages(12))
        let isNumber = test.targets == .positionValue || test.targets == .sequenceValue
        #expect(inputs == [isTokens ? "tokens" : "inputs"] + states.map { "initial_\($0)" })
        #expect(outputs == [isNumber ? "predictions" : "logits"] + states.map { "final_\($0)" })
        #expect(file.graph.messages(11).allSatisfy { $0.text(3)?.hasSuffix(".") == true })
    }

    /// Every name is defined once, before its use, and a loop's body may use what is defined before the loop.
    @Test(arguments: ExportCase.all.indices) func namesAreDefinedOnceAndBeforeTheirUse(index: Int) throws {
        let (file, _, _) = try exported(ExportCase.all[index])
        var known: Set<String> = [""]
        func define(_ names: [String]) {
            for name in names where name != "" { #expect(known.insert(name).inserted, "\(name) is defined twice") }
        }
        func check(_ graph: ProtocolReader) {
            define(ReadModel.names(graph.messages(11)))
            for node in ReadModel.nodes(of: graph) {
                for name in node.inputs { #expect(known.contains(name), "\(name) isn't defined") }
                for body in node.attributes["body"]?.messages(6) ?? [] { check(body) }
                define(node.outputs)
            }
            for name in ReadModel.names(graph.messages(12)) { #expect(known.contains(name), "\(name) isn't computed") }
        }
        define(Array(file.tensors.keys))
        check(file.graph)
    }

    /// torch's gates are r, z, n, and ONNX's are z, r, h.
    @Test func gatesAreInONNXsOrder() throws {
        let (file, _, model) = try exported(.named("gru_tanh_1"))
        let size = ExportCase.hiddenSize, node = try #require(file.recurrent.first)
        let ours = try #require(model.values(of: "rnn.weight_hh_l0"))
        let theirs = try #require(file.tensors[node.inputs[2]])
        #expect(theirs.shape == [1, 3 * size, size])
        let block = size * size
        #expect(Array(theirs.values[..<block]) == Array(ours[block..<2 * block]))
        #expect(Array(theirs.values[block..<2 * block]) == Array(ours[..<block]))
        #expect(Array(theirs.values[(2 * block)...]) == Array(ours[(2 * block)...]))
        let biases = try #require(file.tensors[node.inputs[3]])
        #expect(biases.shape == [1, 6 * size])
        // The two biases of z act together.
        let (input, state) = (model.values(of: "rnn.bias_ih_l0")!, model.values(of: "rnn.bias_hh_l0")!)
        for unit in 0..<size {
            #expect(abs(biases.values[unit] - (input[size + unit] + state[size + unit])) < 1e-6)
            #expect(biases.values[3 * size + unit] == 0)
            #expect(biases.values[5 * size + unit] == state[2 * size + unit])
        }
    }

    @Test(arguments: [
        ("gru_tanh_1", 1, ["Sigmoid", "Tanh"], [Float]()), ("ugru_before_relu_1", 0, ["Sigmoid", "Relu"], []),
        ("gru_leaky-relu_2", 1, ["Sigmoid", "LeakyRelu"], [0.3]), ("other_gru", 1, ["Sigmoid", "Tanh"], []),
        ("gru_identity_1", 1, ["Sigmoid", "Affine"], [1]),
    ])
    func attributes(name: String, isAfter: Int, functions: [String], alphas: [Float]) throws {
        let node = try #require(try exported(.named(name)).file.recurrent.first)
        #expect(node.attributes["linear_before_reset"]?.integer(3) == isAfter)
        #expect(node.attributes["activations"]?.texts(9) == functions)
        #expect(node.attributes["activation_alpha"]?.floats(7) ?? [] == alphas)
        #expect(node.attributes["hidden_size"]?.integer(3) == ExportCase.hiddenSize)
    }

    /// 1 − sigmoid(a) is sigmoid(−a): a gate that says what is new is ONNX's with the other sign.
    @Test func aGateMayBeTheOtherWayRound() throws {
        let (other, same) = (try exported(.named("other_gru")), try exported(.named("other_gru_keeps")))
        func weights(_ file: ReadModel) -> [Float] {
            Array(file.tensors[file.recurrent[0].inputs[1]]!.values.prefix(ExportCase.hiddenSize * 5))
        }
        let values = other.model.values(of: "rnn.weight_ih_l0")!
        let gate = Array(values[ExportCase.hiddenSize * 5..<2 * ExportCase.hiddenSize * 5])
        #expect(weights(other.file) == gate.map { -$0 })
        #expect(weights(same.file) == gate)
    }

    @Test func aTiedWeightIsStoredOnce() throws {
        let (file, _, model) = try exported(.named("gru_tied"))
        let table = try #require(model.values(of: "encoder.weight"))
        #expect(file.tensors.values.count { $0.values == table } == 1)
        #expect(file.nodes.filter { $0.inputs.contains("encoder.weight") }.map(\.operation) == ["Gather", "Gemm"])
    }

    /// Inside a loop there are products of the state alone, and nothing is transposed.
    @Test func inputProductsAreHoisted() throws {
        let (file, _, _) = try exported(.named("urnn_abs_1"))
        let loop = try #require(file.recurrent.first)
        let body = ReadModel.nodes(of: try #require(loop.attributes["body"]?.messages(6).first)).map(\.operation)
        #expect(body.count { $0 == "MatMul" } == 1 && !body.contains("Transpose") && !body.contains("Cast"))
        #expect(file.nodes.count { $0.operation == "MatMul" } == 1)
        // Both gates' products are one.
        let lstm = try exported(.named("coupled")).file.recurrent[0]
        let nodes = ReadModel.nodes(of: try #require(lstm.attributes["body"]?.messages(6).first))
        #expect(nodes.count { $0.operation == "MatMul" } == 1)
        #expect(nodes.first { $0.operation == "Split" }?.outputs.count == 3)
    }

    @Test func similarCellsAreNoOperators() throws {
        let cells: [any RecurrentCell] = [CoupledLSTM(), CoRNN(), LEM(), ExportCase.positive, Deaf()]
        for cell in cells + NotQuite.Difference.allCases.map({ NotQuite(difference: $0) }) {
            var test = ExportCase(cell.name, cell, "Scan")
            test.embeddingSize = ExportCase.hiddenSize
            let operators = try exported(test).summary.recurrentOperators
            #expect(operators == ["Scan"], "\(cell.name)")
        }
    }

    @Test func onlyTheDifferenceMakesTheDifference() throws {
        #expect(try exported(ExportCase("gru", NotQuite(difference: nil), "GRU")).summary.recurrentOperators == ["GRU"])
    }
}
