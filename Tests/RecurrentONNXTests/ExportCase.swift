import CoRNNCell
import GRUCell
import LEMCell
import LRUCell
import LSTMCell
import MinGRUCell
import NNRNNCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import UGRUCell
import URNNCell
import VanillaRNNCell

/// A model to export, and the operators that its layers become.
struct ExportCase: Sendable {
    var name: String
    var cell: any RecurrentCell
    var operators: [String]
    var layers = 1
    var inputs = DatasetDescription.Inputs.tokens(vocabulary: Self.vocabulary)
    var targets = DatasetDescription.Targets.positionClass(classes: Self.vocabulary)
    var isTied = false
    var zoneout = 0.0
    var isBatchFirst = false
    var embeddingSize = 5

    static let vocabulary = 11, hiddenSize = 6, steps = 9, batch = 3

    init(_ name: String, _ cell: any RecurrentCell, _ operators: String, layers: Int = 1) {
        self.name = name
        self.cell = cell
        self.layers = layers
        self.operators = Array(repeating: operators, count: layers)
    }

    func with(_ name: String, _ change: (inout ExportCase) -> Void) -> ExportCase {
        var other = self
        other.name = name
        change(&other)
        return other
    }

    static let activations: [any Activation] = [
        Identity(), AbsoluteValue(), ReLU(), LeakyReLU(slope: 0.3), Tanh(), Sigmoid(), ModReLU(), Softsign(),
        Softplus(), GELU(), SiLU(), PReLU(), Snake(),
    ]
    static let loopActivations: Set = ["abs", "modrelu", "gelu", "silu", "prelu", "snake"]
    /// A minGRU whose candidate is none of the operator's functions.
    static let positive: MinGRU = {
        var options = MinGRU.Options()
        options.candidate = .positive
        return MinGRU(options: options)
    }()

    static let all: [ExportCase] = {
        var cases: [ExportCase] = []
        for activation in activations {
            let isLoop = loopActivations.contains(activation.name)
            for layers in 1...2 {
                let rest = "\(activation.name)_\(layers)"
                let rnn = isLoop ? "Scan" : "RNN", gru = isLoop ? "Scan" : "GRU"
                cases += [
                    ExportCase("rnn_\(rest)", VanillaRNN(activation: activation), rnn, layers: layers),
                    ExportCase("urnn_\(rest)", URNN(activation: activation), rnn, layers: layers),
                    ExportCase("gru_\(rest)", GRU(activation: activation), gru, layers: layers),
                    ExportCase("ugru_\(rest)", UGRU(activation: activation), gru, layers: layers),
                    ExportCase(
                        "gru_before_\(rest)", GRU(activation: activation, resetGate: .before), gru, layers: layers),
                    ExportCase(
                        "ugru_before_\(rest)", UGRU(activation: activation, resetGate: .before), gru, layers: layers),
                ]
            }
        }
        cases += [
            ExportCase("lstm", LSTM(), "LSTM"), ExportCase("lstm_2", LSTM(), "LSTM", layers: 2),
            ExportCase("lstm_softsign", LSTM(activation: Softsign()), "LSTM"),
            ExportCase("lstm_identity", LSTM(activation: Identity()), "LSTM"),
            ExportCase("lstm_leaky", LSTM(activation: LeakyReLU(slope: 0.2)), "LSTM"),
            ExportCase("lstm_peepholes", PeepholeLSTM(), "LSTM", layers: 2),
            ExportCase("coupled", CoupledLSTM(), "Scan", layers: 2),
            ExportCase("other_gru_keeps", OtherGRU(keeps: true), "GRU", layers: 2),
            ExportCase("other_gru", OtherGRU(keeps: false), "GRU"),
            ExportCase("other_gru_before", OtherGRU(keeps: false, isBefore: true), "GRU"),
            ExportCase("mgu", MGU(), "GRU", layers: 2), ExportCase("cornn", CoRNN(), "Scan", layers: 2),
            ExportCase("lem", LEM(), "Scan", layers: 2), ExportCase("mingru", MinGRU(), "GRU", layers: 2),
            ExportCase("lru", LRU(), "Scan", layers: 2), ExportCase("nnrnn", NNRNN(), "Scan", layers: 2),
            ExportCase("mingru_positive", positive, "Scan", layers: 2),
            ExportCase("deaf", Deaf(), "Scan", layers: 2),
            ExportCase("everything", Everything(), "Scan", layers: 2).with("everything") {
                $0.embeddingSize = hiddenSize
            },
        ]
        cases += [
            ExportCase("structured", StructuredCell(), "Scan"),
            ExportCase("structured_2", StructuredCell(blocks: 3), "Scan", layers: 2),
            ExportCase("structured_rnn", StructuredRNN(), "Scan"),
        ]
        for layers in 1...2 {
            let base = ExportCase("complex_\(layers)", ComplexCell(), "Scan", layers: layers)
            cases += [
                base, base.with("complex_class_\(layers)") { $0.targets = .sequenceClass(classes: 4) },
                base.with("complex_tied_\(layers)") {
                    $0.isTied = true
                    $0.embeddingSize = 2 * hiddenSize
                },
                base.with("complex_batch_first_\(layers)") { $0.isBatchFirst = true },
            ]
        }
        cases += (0..<20).map { seed in ExportCase("random_\(seed)", RandomCell(seed: seed), "Scan", layers: 2) }
        for (name, cell, kind) in [
            ("gru", GRU() as any RecurrentCell, "GRU"), ("urnn_abs", URNN(activation: AbsoluteValue()), "Scan"),
            ("lstm", LSTM(), "LSTM"),
        ] {
            let base = ExportCase(name, cell, kind, layers: 2)
            cases += [
                base.with("\(name)_tied") {
                    $0.isTied = true
                    $0.embeddingSize = hiddenSize
                },
                base.with("\(name)_batch_first") { $0.isBatchFirst = true },
                base.with("\(name)_zoneout") {
                    $0.zoneout = 0.2
                    $0.operators = ["Scan", "Scan"]
                },
                base.with("\(name)_vectors") { $0.inputs = .vectors(width: 4) },
                base.with("\(name)_vectors_batch_first") {
                    $0.inputs = .vectors(width: 4)
                    $0.targets = .positionValue
                    $0.isBatchFirst = true
                },
                base.with("\(name)_class") { $0.targets = .sequenceClass(classes: 4) },
                base.with("\(name)_class_batch_first") {
                    $0.targets = .sequenceClass(classes: 4)
                    $0.isBatchFirst = true
                },
                base.with("\(name)_value") { $0.targets = .sequenceValue },
                base.with("\(name)_values") { $0.targets = .positionValue },
            ]
        }
        return cases
    }()

    static func named(_ name: String) -> ExportCase { all.first { $0.name == name }! }

    /// Makes the model with random weights, which are exact in Float32.
    func makeModel() throws -> SequenceModel {
        let model = try SequenceModel(
            cell: cell,
            configuration: ModelConfiguration(
                embeddingSize: embeddingSize, hiddenSize: Self.hiddenSize, layers: layers, zoneout: zoneout,
                tiesEmbedding: isTied),
            data: DatasetDescription(inputs: inputs, targets: targets, isContinuous: false, metric: .loss),
            on: ReferenceBackend())
        var random = RandomStream(RandomKey(seed: 1, purpose: .test))
        model.restore(model.snapshot().map { _ in Float(random.uniform(in: -0.4...0.4)) })
        return model
    }
}
