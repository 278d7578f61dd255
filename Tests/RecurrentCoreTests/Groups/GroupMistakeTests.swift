import GRUCell
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import ReferenceBackend
import Testing

/// What a group can't ask for, and what the messages say.
struct GroupMistakeTests {
    /// An optimizer without weight decay.
    private struct Descent: Optimizer {
        let name = "descent", summary = "descent", stateCount = 0
        func update(
            parameter: SymbolicValue, gradient: SymbolicValue, state: [SymbolicValue], rate: SymbolicValue,
            scalars: [SymbolicValue]
        ) -> (parameter: SymbolicValue, state: [SymbolicValue]) { (parameter - rate * gradient, []) }
    }

    @Test(arguments: [-1, .nan, .infinity]) func ratesThatAreNone(rate: Double) throws {
        let model = try SequenceModel(
            cell: GRU(), configuration: ModelConfiguration(embeddingSize: 3, hiddenSize: 4),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: 5), targets: .sequenceClass(classes: 5), isContinuous: false, metric: .loss),
            on: ReferenceBackend())
        let updater = try ParameterUpdater(parameters: model.parameters, on: model.backend, optimizer: SGD())
        let before = model.snapshot()
        #expect(
            throws: RecurrentError.invalidOption("a learning rate must be at least 0 and finite, not \(rate)")
        ) {
            try updater.update(learningRate: rate)
        }
        #expect(model.snapshot() == before && updater.step == 0)
    }

    @Test func mistakesAreNamed() throws {
        let fixture = try GroupFixture(), free = try GroupFixture(cell: GRU())
        let names = "the parameters are encoder.weight, rnn.weight_ih_l0, "
        for (group, says) in [
            (ParameterGroup("encodr.*"), "no parameter's name fits 'encodr.*'; \(names)"),
            (ParameterGroup("encoder.*", "rnn.weight_hh_l0.W_r"), "no parameter's name fits 'rnn.weight_hh_l0.W_r'"),
            (ParameterGroup(where: { $0 == "x" }), "accepts no parameter's name; \(names)"),
            (ParameterGroup(), "the group : a name is empty"), (ParameterGroup(""), "the group '': a name is empty"),
            (ParameterGroup("encoder.*", learningRate: 0), "'encoder.*': its learning rate must be above 0, not 0.0"),
            (ParameterGroup("encoder.*", learningRate: .nan), "its learning rate must be above 0, not nan"),
            (ParameterGroup("encoder.*", weightDecay: -1), "its weight decay must be at least 0, not -1.0"),
            (ParameterGroup("encoder.*", learningRate: 1, isFrozen: true), "frozen parameters have no learning rate"),
            (ParameterGroup("*", isFrozen: true), "all parameters are frozen"),
            (
                ParameterGroup("encoder.*", manifold: CayleyUpdate()),
                "a manifold update does nothing for encoder.weight, which isn't kept orthogonal"
            ),
            (
                ParameterGroup(GroupFixture.block, weightDecay: 1),
                "weight decay does nothing for \(GroupFixture.block), which is kept orthogonal"
            ),
            (ParameterGroup("rnn.*", optimizer: SGD(momentum: 2)), "`momentum` must be"),
            (
                ParameterGroup("rnn.*", weightDecay: 0.5, optimizer: Descent()),
                "the weight decay of the optimizer descent can't be chosen for a group"
            ),
        ] {
            let error = #expect(throws: RecurrentError.self) { try fixture.updater(Adam(), [group]) }
            #expect(error?.description.contains(says) == true, "\(says): \(error?.description ?? "")")
            #expect(error?.description.contains("\n") == false)
        }
        #expect(throws: Never.self) {
            try fixture.updater(Adam(), [ParameterGroup("rnn.*", weightDecay: 0, optimizer: Descent())])
        }
        let late = #expect(throws: RecurrentError.self) {
            try fixture.updater(
                Adam(), [ParameterGroup("rnn.*", isFrozen: true), ParameterGroup("rnn.bias*", learningRate: 1)])
        }
        #expect(
            late?.description.contains(
                "the group 'rnn.bias*': does nothing, because earlier groups have all the parameters that it matches")
                == true)
        // Only orthogonal blocks have names of their own.
        #expect(throws: RecurrentError.self) { try free.updater(Adam(), [ParameterGroup(GroupFixture.block)]) }
    }

    @Test(
        arguments: [
            ("encoder.weight", ["encoder.weight"]), ("*.weight", ["encoder.weight", "decoder.weight"]),
            ("*_hh_*", ["rnn.weight_hh_l0", "rnn.bias_hh_l0", GroupFixture.block]), ("**", nil),
            ("*W_n", [GroupFixture.block]),
            ("e*r.*t", ["encoder.weight"]), ("*bias", ["decoder.bias"]),
            (
                "rnn.*_l0",
                [
                    "rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0",
                ]
            ), ("weight", []), ("Encoder.*", []), ("encoder.weight*", ["encoder.weight"]), ("encoder.?eight", []),
        ] as [(String, [String]?)])
    func patternsFitWholeNames(pattern: String, fits: [String]?) throws {
        let parameters = try GroupFixture().parameters
        let names = parameters.names + parameters.orthogonalBlocks.map(\.name)
        #expect(names.filter(ParameterGroup(pattern).matches) == fits ?? names)
    }

    @Test(arguments: [
        ("freeze", "a,,b", "`freeze` has an empty element in 'a,,b'"), ("freeze", "", "`freeze` has an empty element"),
        ("freeze", "rnn.*=0.1", "`freeze` must be names of parameters"), ("freeze", "a b", "`freeze` must be names"),
        ("rate", "rnn.*", "`rate` must be names of parameters with rates above 0, such as rnn.*=0.1, not 'rnn.*'"),
        ("rate", "rnn.*=0", "not 'rnn.*=0'"), ("rate", "rnn.*=-1", "not 'rnn.*=-1'"), ("rate", "=1", "not '=1'"),
        ("rate", "rnn.*=inf", "not 'rnn.*=inf'"), ("rate", "a=1=2", "not 'a=1=2'"),
        ("rate", "a=1,", "`rate` has an empty"),
    ])
    func optionsAreChecked(option: String, text: String, says: String) throws {
        var configuration = TrainingConfiguration()
        if option == "freeze" { configuration.freeze = text } else { configuration.rate = text }
        let error = #expect(throws: RecurrentError.self) { try configuration.check() }
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }

    /// The names that options are checked against before there is a model are those of the model.
    @Test(arguments: [true, false]) func theNamesAreTheModels(isTied: Bool) throws {
        let model = ModelConfiguration(embeddingSize: 4, hiddenSize: 4, layers: 2, tiesEmbedding: isTied)
        for cell in try [GRU(), GroupFixture().model.cell] as [any RecurrentCell] {
            for inputs in [.tokens(vocabulary: 7), .vectors(width: 3)] as [DatasetDescription.Inputs] {
                if isTied, case .vectors = inputs { continue }
                let made = try SequenceModel(
                    cell: cell, configuration: model,
                    data: DatasetDescription(
                        inputs: inputs, targets: .positionClass(classes: 7), isContinuous: false, metric: .accuracy),
                    on: GroupFixture().backend)
                let names = made.parameters.names + made.parameters.orthogonalBlocks.map(\.name)
                let isToken = if case .tokens = inputs { true } else { false }
                let error = #expect(throws: RecurrentError.self) {
                    try TrainingConfiguration(freeze: "none").checkNames(
                        cell: cell, model: model, hasTokenInputs: isToken)
                }
                #expect(error?.description.hasSuffix("the parameters are \(names.joined(separator: ", "))") == true)
            }
        }
    }
}
