import RecurrentCore

extension TrainCommand {
    /// A new run that starts from the weights of another, with that run's options
    /// where none are given.
    func started(from folder: String) throws -> (run: TrainingRun, summary: TrainingSummary) {
        if let output { try RunDirectory.check(output, overwrite: overwrite) }
        let source = RunDirectory(opening: folder)
        let run = try TrainingRun(
            options.applied(to: source.configuration(), cell: cell), vocabulary: source.vocabulary(),
            measuresGradientNorm: tensorboard)
        try run.model.load(from: source.file("model.safetensors"))
        try run.updater.adoptWeights()
        return try Self.train(run, output: output, overwrite: overwrite, quiet: quiet, tensorboard: tensorboard,
            trackGradients: trackGradients)
    }
}
