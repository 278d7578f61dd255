import ArgumentParser
import RecurrentCore

/// The option that says how often a run reports its progress within an epoch, if its output isn't a terminal.
struct LogInterval: ParsableArguments {
    @Option(
        name: .customLong("log-interval"), parsing: .unconditional,
        help: ArgumentHelp(
            "Seconds between lines within an epoch if there is no terminal; 0 for none (default: 30).",
            valueName: "s"))
    var given: Double?

    /// The interval in seconds.
    var seconds: Double { given ?? 30 }

    /// Checks the interval.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` if it is negative, or nothing is printed anyway.
    func check(quiet: Bool) throws {
        guard let given else { return }
        guard given >= 0 else {
            throw RecurrentError.invalidOption("--log-interval must be at least 0 seconds, not \(given)")
        }
        if quiet {
            throw RecurrentError.invalidOption("--log-interval does nothing with --quiet; leave out one of them")
        }
    }
}
