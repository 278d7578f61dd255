/// Word-level language modelling at the paper's sizes with other settings than the
/// paper's: a larger learning rate that falls to nearly 0, a rate of its own for `B`,
/// smaller batches, and more against overfitting.
enum SearchedLanguageTask {
    struct Model: Sendable {
        let label: String
        /// As part of a folder's name, and of the paper's numbers.
        let id: String
        let options: [String]
    }

    /// The best of Results/search-ugru; the GRU takes the uGRU's rate.
    static let gated = [
        Model(label: "GRU", id: "gru", options: ["--cell", "gru", "--learning-rate", "0.004"]),
        Model(label: "uGRU", id: "ugru", options: ["--cell", "ugru", "--learning-rate", "0.004", "--manifold-learning-rate", "0.002"]),
    ]
    /// The second tells the start and the rate from the constraint: W has both of `B`.
    static let plain = [
        Model(label: "RNN", id: "rnn", options: ["--cell", "rnn", "--learning-rate", "0.002"]),
        Model(
            label: "RNN from W = I", id: "identity-rnn",
            options: ["--cell", "rnn", "--learning-rate", "0.002", "--recurrent-init", "identity", "--recurrent-learning-rate", "0.0005"]),
        Model(label: "uRNN", id: "urnn", options: ["--cell", "urnn", "--learning-rate", "0.002", "--manifold-learning-rate", "0.0005"]),
    ]

    static func gated(_ model: Model, bptt: Int, _ plan: Plan) -> Experiment {
        Experiment(
            "ptb-\(model.id)-bptt\(bptt)-searched",
            options(model, bptt: bptt, width: 200, plan) + (plan.scale == .smoke ? [] : ["--weight-dropout", "0.2"]))
    }

    static func plain(_ model: Model, _ activation: LanguageTask.Activation, _ plan: Plan) -> Experiment {
        Experiment(
            "ptb-\(model.id)-\(activation.id)-searched",
            options(model, bptt: LanguageTask.bptt, width: activation.width, plan) + activation.options + [
                "--track-gradients", LanguageTask.interval(plan.scale),
                "--track-epochs", epochsShown(plan.scale).map(String.init).joined(separator: ","),
            ])
    }

    private static func options(_ model: Model, bptt: Int, width: Int, _ plan: Plan) -> [String] {
        let common =
            ["--dataset", "ptb", "--data", plan.corpus] + model.options + [
                "--bptt", "\(bptt)", "--optimizer", "adamw", "--weight-decay", "0.05", "--dropout", "0.5", "--locked-dropout",
                "--embedding-dropout", "0.1", "--clip-norm", "5", "--schedule", "cosine", "--minimum-learning-rate", "0.00002",
                "--epochs", "\(epochs(plan.scale))",
            ]
        guard plan.scale == .smoke else {
            // Longer sequences make fewer steps an epoch; half the batch makes up for some.
            return common + ["--hidden-size", "\(width)", "--batch-size", bptt > 100 ? "20" : "40"]
        }
        return common + [
            "--embedding-size", "40", "--hidden-size", "\(width / 4)", "--batch-size", "20", "--batches-per-epoch", "8",
            "--evaluation-batch-size", "20",
        ]
    }

    static func epochs(_ scale: Scale) -> Int {
        switch scale {
        case .smoke: 2
        case .short: 20
        case .paper: 60
        }
    }

    /// The first epoch and the last, of which every batch's norm is measured.
    static func epochsShown(_ scale: Scale) -> [Int] { [1, epochs(scale)] }

    /// For readers.
    static func tracked(_ scale: Scale) -> String {
        let interval = LanguageTask.interval(scale), epochs = epochsShown(scale)
        return interval == "1" ? "every batch" : "every \(interval)th batch and each of epochs \(epochs[0]) and \(epochs[1])"
    }

    static func settings(_ plan: Plan) -> String {
        let found =
            "On \(plan.corpusName). AdamW, learning rate 2e-3 with cosine decay to 2e-5, 5e-4 for B (and for W of the RNN from W = I); GRU and uGRU 4e-3, 2e-3 for B; weight decay 0.05, gradients' norm clipped to 5, dropout 0.5 on embedding and output with one mask for all steps, word dropout 0.1; GRU and uGRU: weight dropout 0.2"
        if plan.scale == .smoke {
            return "\(found) at the other scales. Here a quarter of the paper's widths and 16 batches of 20 sequences: too little to learn anything."
        }
        return "\(found); E 400, H 200 (|x|: 100), batches of 40 (BPTT 150: 20), \(epochs(plan.scale)) epochs."
    }
}
