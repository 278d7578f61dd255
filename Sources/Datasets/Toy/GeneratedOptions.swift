import RecurrentCore

extension Array {
    /// Returns the options of generated data: the number of sequences in each split, and whether
    /// training sequences are drawn anew in each epoch.
    static func generated<Options>(
        _ train: any WritableKeyPath<Options, Int> & Sendable, _ valid: any WritableKeyPath<Options, Int> & Sendable,
        _ test: any WritableKeyPath<Options, Int> & Sendable, _ freshData: any WritableKeyPath<Options, Bool> & Sendable
    ) -> Self where Element == OptionField<Options> {
        [
            .integer("trainSize", train, 1...(.max), "Number of training sequences."),
            .integer("validSize", valid, 1...(.max), "Number of validation sequences."),
            .integer("testSize", test, 1...(.max), "Number of test sequences."),
            .flag("freshData", freshData, "Draw new training sequences in each epoch."),
        ]
    }
}

extension OptionField {
    static func length(_ path: any WritableKeyPath<Section, Int> & Sendable, _ least: Int, _ help: String) -> Self {
        .integer("length", path, least...(1 << 20), help)
    }
}

extension RunDefaults {
    /// Sets defaults for the standard memory tasks: no dropout or, if it is asked for, dropout on
    /// the outputs, as predicted numbers have no logits.
    mutating func useMemoryDefaults() {
        model.dropout = 0
        model.dropoutPlaces = [.output]
        model.hiddenSize = 128
        // Starting from rotations and with a tenth of the learning rate for B, a uRNN solves both
        // tasks at T = 100.
        training.manifoldLearningRate = 1e-4
        training.clipNorm = 1
        skewInitialization = "henaff"
    }
}
