import RecurrentCore

extension Array {
    /// The options of data that are drawn: how many sequences each split has, and whether
    /// those of training are new in each epoch.
    static func generated<Options>(
        _ train: any WritableKeyPath<Options, Int> & Sendable, _ valid: any WritableKeyPath<Options, Int> & Sendable,
        _ test: any WritableKeyPath<Options, Int> & Sendable, _ freshData: any WritableKeyPath<Options, Bool> & Sendable
    ) -> Self where Element == OptionField<Options> {
        [
            .integer("trainSize", train, 1...(.max), "Training sequences."),
            .integer("validSize", valid, 1...(.max), "Validation sequences."),
            .integer("testSize", test, 1...(.max), "Test sequences."),
            .flag("freshData", freshData, "Draw new training sequences each epoch."),
        ]
    }
}

extension OptionField {
    static func length(_ path: any WritableKeyPath<Section, Int> & Sendable, _ least: Int, _ help: String) -> Self {
        .integer("length", path, least...(1 << 20), help)
    }
}

extension RunDefaults {
    /// What suits the field's tests of memory: no dropout (but if asked for, on the
    /// outputs, as numbers have no logits).
    mutating func useMemoryDefaults() {
        model.dropout = 0
        model.dropoutPlaces = [.output]
        model.hiddenSize = 128
        // From rotations, with a tenth of the rate for B, a uRNN solves both at T = 100.
        training.manifoldLearningRate = 1e-4
        training.clipNorm = 1
        skewInitialization = "henaff"
    }
}
