import RecurrentCore

extension GradientsCommand {
    /// What is measured: the saved run, or a fresh model.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for an option that would do nothing.
    func measuredRun() throws -> TrainingRun {
        guard let runFolder else {
            let wanted = try options.resolve(cell: cell)
            let usual = try Registry.current.dataset(wanted.dataset).standard
            for change in try usual.changes(to: wanted) { try Self.checkUse(of: change) }
            return try TrainingRun(wanted)
        }
        let directory = RunDirectory(opening: runFolder)
        let saved = try directory.configuration()
        let wanted = try options.applied(to: saved, cell: cell)
        for change in try saved.changes(to: wanted) where !RunConfiguration.places.contains(change.key) {
            try Self.checkUse(of: change)
            throw RecurrentError.invalidOption(
                "\(change.option) can't change in a saved run (it is \(change.old ?? "not set")); leave it out, or leave out the run to measure a fresh model")
        }
        let made = try TrainingRun(wanted, vocabulary: directory.vocabulary())
        try directory.loadModel(into: made.model)
        return made
    }

    private static func checkUse(of change: RunConfiguration.Change) throws {
        if change.key == "batchSize" || change.key == "evaluationBatchSize" {
            throw RecurrentError.invalidOption("\(change.option) does nothing in gradients; --samples says how many sequences are measured")
        }
        if dropouts.contains(change.key) {
            throw RecurrentError.invalidOption("\(change.option) does nothing in gradients, which are measured without dropout; leave it out")
        }
        if training.contains(change.key) {
            throw RecurrentError.invalidOption("\(change.option) does nothing in gradients, where nothing is trained; leave it out")
        }
    }

    private static let dropouts: Set = ["dropout", "dropoutOn", "lockedDropout", "embeddingDropout", "weightDropout"]
    private static let training: Set = [
        "optimizer", "learningRate", "recurrentLearningRate", "manifoldLearningRate", "momentum", "nesterov", "weightDecay",
        "clipNorm", "clipRecurrent", "schedule", "scheduleEpochs", "schedulePatience", "scheduleFactor",
        "minimumLearningRate", "warmupSteps", "epochs", "batchesPerEpoch", "patience", "stopLoss", "checkpointEvery",
    ]
}
