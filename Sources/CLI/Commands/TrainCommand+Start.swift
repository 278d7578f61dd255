import Foundation
import RecurrentCore

extension TrainCommand {
    /// A new run that starts from the weights of another, with that run's options
    /// where none are given.
    func started(from folder: String) throws -> (run: TrainingRun, summary: TrainingSummary) {
        if let output { try RunDirectory.check(output, overwrite: overwrite) }
        let source = RunDirectory(opening: folder)
        var configuration = try recorded(options.applied(to: source.configuration(), cell: cell))
        configuration.from = URL(fileURLWithPath: folder).standardizedFileURL.path
        let run = try TrainingRun(configuration, vocabulary: source.vocabulary())
        try source.loadModel(into: run.model)
        try run.updater.adoptWeights()
        return try Self.train(run, output: output, overwrite: overwrite, quiet: quiet)
    }
}
