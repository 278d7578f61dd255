import RecurrentCore

extension RunConfiguration {
    /// Checks the ranges that no plug-in checks for itself, so that neither a
    /// command line nor an edited `config.json` can ask for what can't be built.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` naming the option.
    func validate() throws {
        func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
            if !condition { throw RecurrentError.invalidOption(message()) }
        }
        try require(
            ResetGate(rawValue: resetGate) != nil, "--reset-gate must be after or before, not '\(resetGate)'")
        try require((0...1).contains(slope), "--slope must be in 0...1, not \(slope)")
        try require((0..<1).contains(momentum), "--momentum must be at least 0 and below 1, not \(momentum)")
        try require(!nesterov || momentum > 0, "--nesterov needs a --momentum above 0")
        if let weightDecay {
            try require(
                weightDecay >= 0 && weightDecay.isFinite, "--weight-decay must be at least 0 and finite, not \(weightDecay)")
        }
        try require(
            learningRate > 0 && learningRate.isFinite, "the learning rate must be above 0 and finite, not \(learningRate)")
        try validateSchedule()
        if let checkpointEvery {
            try require(
                CheckpointInterval(text: checkpointEvery) != nil,
                "--checkpoint-every must be a number of steps (500) or of minutes (10m), not '\(checkpointEvery)'")
        }
        for (name, value) in [
            ("--clip-recurrent", clipRecurrent), ("--clip-norm", clipNorm), ("--manifold-learning-rate", manifoldLearningRate),
            ("--recurrent-learning-rate", recurrentLearningRate),
            ("--stop-loss", stopLoss),
        ] {
            if let value { try require(value > 0 && value.isFinite, "\(name) must be above 0 and finite, not \(value)") }
        }
        try require((0...Self.largestSize).contains(device), "--device must be at least 0 and a GPU's number, not \(device)")
        for epoch in trackEpochs ?? [] {
            try require(epoch >= 1, "--track-epochs must be epochs from 1, not \(epoch)")
        }
        for (name, value, most) in [
            ("--threads", threads, 1024), ("--batches-per-epoch", batchesPerEpoch, .max), ("--patience", patience, .max),
            ("--track-gradients", trackGradients, .max),
            ("--epochs", epochs, .max), ("--layers", layers, 1000),
            // Products of two of these, and of one with a split's size, stay far
            // from overflowing.
            ("--bptt", bptt, Self.largestSize), ("--batch-size", batchSize, Self.largestSize),
            ("--evaluation-batch-size", evaluationBatchSize, Self.largestSize),
            ("--classes", classes, Self.largestSize), ("--embedding-size", embeddingSize, Self.largestSize), ("--hidden-size", hiddenSize, Self.largestSize),
        ] as [(String, Int?, Int)] {
            guard let value else { continue }
            try require(value >= 1, "\(name) must be at least 1, not \(value)")
            try require(value <= most, "\(name) must be at most \(most), not \(value)")
        }
    }

    static let largestSize = 1 << 24

    /// Where a run is computed and its data lie.
    static let places: Set<String> = ["backend", "threads", "device", "precision", "data"]
    /// What may change when a run is gone on with: nothing that its state depends on.
    private static let resumable = places.union([
        "epochs", "patience", "stopLoss", "learningRate", "checkpointEvery", "tensorboard", "trackGradients", "trackEpochs",
        "trackTest",
    ])

    /// - Throws: ``RecurrentError/invalidOption(_:)`` naming the first option that
    ///   a resumed run can't change.
    func checkResumable(as wanted: RunConfiguration) throws {
        for change in try changes(to: wanted) where !Self.resumable.contains(change.key) {
            throw RecurrentError.invalidOption(
                "\(change.option) can't change in a run that is resumed (it is \(change.old ?? "not set")); leave it out, or train anew with --output")
        }
    }
}
