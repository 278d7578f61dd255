import RecurrentCore
import RecurrentRuns

/// Word-level language modelling at the paper's sizes, but with other settings: a larger learning rate that decays to
/// nearly 0, a separate rate for `B`, smaller batches, and more regularization.
enum SearchedLanguageTask {
    /// A model with its learning rates.
    struct Model: Sendable {
        let label: String
        /// The part of the folders' names that stands for the model, and its key in the paper's numbers.
        let id: String
        /// Applies the model's settings.
        let edit: @Sendable (inout RunConfiguration) -> Void
    }

    /// The gated models, with the best rates of Results/search-gru and Results/search-ugru-higher.
    static let gated = [
        Model(label: "GRU", id: "gru") {
            $0.cell = "gru"
            $0.training.learningRate = 0.006
        },
        Model(label: "uGRU", id: "ugru") {
            $0.cell = "ugru"
            $0.training.learningRate = 0.006
            $0.training.manifoldLearningRate = 0.002
        },
    ]
    /// The models without gates; the uRNN has the best initialization and rates of Results/search-urnn-abs and
    /// Results/search-urnn-abs-higher.
    ///
    /// The second separates the effects of initialization and learning rate from that of the constraint: its W is
    /// initialized to the same kind of matrix as the uRNN's, and has the learning rate of `B`.
    static let plain = [
        Model(label: "RNN", id: "rnn") {
            $0.useRNN()
            $0.training.learningRate = 0.002
        },
        Model(label: "RNN from rotations", id: "rotations-rnn") {
            $0.useRNN(from: .rotations)
            $0.training.learningRate = 0.002
            $0.training.recurrentLearningRate = 0.001
        },
        Model(label: "uRNN", id: "urnn") {
            $0.cell = "urnn"
            $0.skewInit = "henaff"
            $0.training.learningRate = 0.002
            $0.training.manifoldLearningRate = 0.001
        },
    ]

    static func gated(_ model: Model, bptt: Int, _ plan: Plan) -> Experiment {
        plan.experiment("ptb-\(model.id)-bptt\(bptt)-searched", on: "ptb") {
            edit(&$0, model, bptt: bptt, width: 200, plan)
            if plan.scale != .smoke { $0.model.weightDropout = 0.2 }
        }
    }

    static func plain(_ model: Model, _ activation: LanguageTask.Activation, _ plan: Plan) -> Experiment {
        plan.experiment("ptb-\(model.id)-\(activation.id)-searched", on: "ptb") {
            edit(&$0, model, bptt: LanguageTask.bptt, width: activation.width, plan)
            $0.activation = activation.choice
            $0.tracking.trackGradients = LanguageTask.interval(plan.scale)
            $0.tracking.trackEpochs = epochsShown(plan.scale)
        }
    }

    private static func edit(
        _ configuration: inout RunConfiguration, _ model: Model, bptt: Int, width: Int, _ plan: Plan
    ) {
        configuration.dataset["data"] = .text(plan.corpus)
        configuration.dataset["bptt"] = .integer(bptt)
        model.edit(&configuration)
        configuration.optimizer = PluginChoice("adamw", ["weightDecay": 0.05])
        configuration.schedule = PluginChoice("cosine", ["minimumLearningRate": 2e-5])
        configuration.training.clipNorm = 5
        configuration.training.epochs = epochs(plan.scale)
        configuration.model.dropout = 0.5
        configuration.model.locksDropout = true
        configuration.model.embeddingDropout = 0.1
        if plan.scale == .smoke { return configuration.useSmokeCorpus(width: width) }
        configuration.model.hiddenSize = width
        // Longer sequences mean fewer steps per epoch; halving the batch makes up for some of that.
        configuration.training.batchSize = bptt > 100 ? 20 : 40
    }

    static func epochs(_ scale: Scale) -> Int {
        switch scale {
        case .smoke: 2
        case .short: 20
        case .paper: 60
        }
    }

    /// Returns the first and the last epoch, in which the norm is measured after every batch.
    static func epochsShown(_ scale: Scale) -> [Int] { [1, epochs(scale)] }

    /// Returns the text that says after which batches the norms are measured.
    static func tracked(_ scale: Scale) -> String {
        let interval = LanguageTask.interval(scale), epochs = epochsShown(scale)
        return interval == 1
            ? "every batch" : "every \(interval)th batch and each of epochs \(epochs[0]) and \(epochs[1])"
    }

    static func settings(_ plan: Plan) -> String {
        let found =
            "On \(plan.corpusName). AdamW, learning rate 2e-3 with cosine decay to 2e-5, 1e-3 for B (and for W of the RNN from rotations), which starts from rotations; GRU and uGRU 6e-3, 2e-3 for B, which starts at 0; weight decay 0.05, gradients' norm clipped to 5, dropout 0.5 on embedding and output with one mask for all steps, word dropout 0.1; GRU and uGRU: weight dropout 0.2"
        if plan.scale == .smoke {
            return
                "\(found) at the other scales. Here a quarter of the paper's widths and 16 batches of 20 sequences: too little to learn anything."
        }
        return "\(found); E 400, H 200 (|x|: 100), batches of 40 (BPTT 150: 20), \(epochs(plan.scale)) epochs."
    }
}
