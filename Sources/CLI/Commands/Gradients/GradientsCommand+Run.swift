import RecurrentCore
import RecurrentRuns

extension GradientsCommand {
    /// Returns the run to measure: a saved run, or one with a fresh model.
    ///
    /// - Parameter split: the split that is measured; the files of the others may be missing.
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` for an option that does nothing, or that can't change
    ///   in a saved run.
    func measuredRun(_ split: Split) throws -> Run {
        let (flags, words) = try separated(), registry = Registry.current
        if words.count > 1 { throw RecurrentError.invalidOption("unexpected argument '\(words[1])'") }
        guard let path = words.first else {
            return try Run(Self.parser.configuration(flags), registry: registry, splits: [split])
        }
        try checkRun(path)
        let folder = RunFolder(opening: path)
        let saved = try folder.resolvedConfiguration(registry)
        let wanted = try Self.parser.configuration(flags, onto: saved)
        let places = saved.places(registry).union(wanted.places(registry))
        for change in saved.changes(to: wanted) where !places.contains(change.name) {
            throw RecurrentError.invalidOption(
                "`\(change.name)` can't change in a saved run (it is \(change.old?.text ?? "not set")); leave it out, or leave out the run to measure a fresh model"
            )
        }
        return try Run(opening: path, registry: registry, splits: [split]) { $0 = wanted }
    }
}
