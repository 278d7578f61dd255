import RecurrentCore
import ReferenceBackend
import Testing

/// Cells that declare the initial values of their parameters.
struct OwnInitializationTests {
    /// A diagonal-ish start as in linear recurrent units: every kind of parameter with values of its own.
    struct Started: RecurrentCell {
        var name: String { "started" }
        var summary: String { "" }
        var parameters: [CellParameter] {
            [
                .inputWeight("U", initialization: .uniform(2...3)), .inputWeight("V"),
                .recurrentWeight("W", initialization: weight), .recurrentWeight("R"),
                .inputBias("a", initialization: .constant(0.25)),
                .recurrentBias("b", initialization: .uniform(-5 ... -4)),
                .perUnit("v", initialization: .uniform(7...8)), .perUnit("w", initialValue: 1.5),
                CellParameter("z", .perUnit),
            ]
        }
        var weight: CellParameter.Initialization = .computed { rows, columns, random in
            (0..<rows * columns).map { Double($0) + random.normal() * 1e-3 }
        }
        func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
            let h = states[0]
            return [tanh(p.U • x + p.V • x + p.W • h + p.R • h + p.a + p.b + p.v * p.w + p.z)]
        }
    }

    private func values(
        _ cell: any RecurrentCell, seed: UInt64 = 1, start: RecurrentInitialization = .uniform
    ) throws -> [String: [Double]] {
        let model = try SequenceModel(
            cell: cell,
            configuration: ModelConfiguration(
                embeddingSize: 3, hiddenSize: 4, layers: 2, recurrentInitialization: start),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: 5), targets: .positionClass(classes: 5), isContinuous: true,
                metric: .perplexity),
            on: ReferenceBackend(), seed: seed)
        return Dictionary(
            uniqueKeysWithValues: model.parameters.named.map { ($0.name, model.backend.download($0.value)) })
    }

    @Test func everyKindOfParameterStartsAsDeclared() throws {
        let all = try values(Started())
        for (layer, width) in [(0, 3), (1, 4)] {
            let input = try #require(all["rnn.weight_ih_l\(layer)"]),
                recurrent = try #require(all["rnn.weight_hh_l\(layer)"])
            #expect(input[..<(4 * width)].allSatisfy { (2...3).contains($0) })
            #expect(input[(4 * width)...].allSatisfy { abs($0) <= 0.5 })
            for (index, value) in recurrent[..<16].enumerated() { #expect(abs(value - Double(index)) < 0.01) }
            #expect(recurrent[16...].allSatisfy { abs($0) <= 0.5 })
            #expect(all["rnn.bias_ih_l\(layer)"] == [0.25, 0.25, 0.25, 0.25])
            #expect(all["rnn.bias_hh_l\(layer)"]?.allSatisfy { (-5 ... -4).contains($0) } == true)
            #expect(all["rnn.v_l\(layer)"]?.allSatisfy { (7...8).contains($0) } == true)
            #expect(all["rnn.w_l\(layer)"] == [1.5, 1.5, 1.5, 1.5] && all["rnn.z_l\(layer)"] == [0, 0, 0, 0])
        }
        // Each layer draws its own numbers.
        #expect(all["rnn.v_l0"] != all["rnn.v_l1"] && all["rnn.weight_hh_l0"] != all["rnn.weight_hh_l1"])
    }

    @Test func theSeedDecides() throws {
        #expect(try values(Started(), seed: 3) == values(Started(), seed: 3))
        #expect(try values(Started(), seed: 3)["rnn.v_l0"] != values(Started(), seed: 4)["rnn.v_l0"])
    }

    /// What a run chooses concerns the other recurrent weights only.
    @Test func theRunsChoiceIsForWeightsWithoutADeclaration() throws {
        let recurrent = try #require(try values(Started(), start: .identity)["rnn.weight_hh_l0"])
        #expect(abs(recurrent[1] - 1) < 0.01 && Array(recurrent[16..<21]) == [1, 0, 0, 0, 0] && recurrent[21] == 1)
    }

    static let wrong: [(values: [Double], message: String)] = [
        ([1], "computes 1 initial value for 'W', which has 16 elements, [4, 4]"),
        ([Double](repeating: 0, count: 17), "computes 17 initial values for 'W', which has 16 elements, [4, 4]"),
        ([], "computes 0 initial values for 'W', which has 16 elements, [4, 4]"),
        (
            [Double](repeating: 0, count: 15) + [.nan],
            "starts 'W' with nan at element 15; initial values must be finite"
        ),
    ]
    @Test(arguments: wrong.indices) func whatIsComputedMustFit(index: Int) throws {
        let (numbers, message) = Self.wrong[index]
        #expect(throws: RecurrentError.cell("cell 'started' \(message)")) {
            try values(Started(weight: .computed { _, _, _ in numbers }))
        }
    }

    @Test func rangesMustBeFinite() throws {
        let error = #expect(throws: RecurrentError.self) { try values(Started(weight: .uniform(0 ... .infinity))) }
        #expect(error?.description.contains("must be finite") == true)
    }
}
