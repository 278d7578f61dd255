import RecurrentCore

/// How options are named on a command line.
public enum Flags {
    /// `timeStep` as `--time-step`, without the dashes.
    package static func flag(_ option: String) -> String {
        option.reduce(into: "") { $0 += $1.isUppercase ? "-" + $1.lowercased() : String($1) }
    }

    /// `time-step`, or `time_step`, as `timeStep`.
    static func option(_ flag: some StringProtocol) -> String {
        let words = flag.lowercased().split(whereSeparator: { $0 == "-" || $0 == "_" })
        return (words.first.map(String.init) ?? "")
            + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// Other names that people know, such as those of PyTorch's word_language_model.
    static let aliases: [String: String] = [
        "lr": "learning-rate", "wd": "weight-decay", "emsize": "embedding-size", "nhid": "hidden-size",
        "nlayers": "layers",
        "clip": "clip-norm", "model": "cell",
    ]
    /// A flag as it is listed, from another name of it, in whatever case: `LR`, `learning_rate`.
    ///
    /// - Parameter typed: without its dashes.
    public static func canonical(_ typed: some StringProtocol) -> String {
        let flag = typed.lowercased().replacing("_", with: "-")
        return aliases[flag] ?? flag
    }

    /// Flags that stand for an option with a value.
    static let shorthands: [String: (option: String, value: String)] = ["tf32": ("precision", "tf32")]

    /// Flags of commands, which no plug-in's option may have.
    package static let reserved: Set = [
        "help", "version", "config", "output", "overwrite", "resume", "from", "quiet", "cells", "json", "split", "try",
        "trials", "seeds",
        "jobs", "scale", "models", "report-only", "no-report", "workload", "seconds", "samples", "layer", "batch", "to",
        "plot",
        "plot-angles", "json-angles", "words", "prompt", "temperature", "top-k", "greedy", "vocabulary",
        "experimental-dump-help",
    ]

    /// A library's message with the names of options, which stand in backticks there, as flags.
    public static func translate(_ message: String) -> String {
        message.replacing(/`([a-z][A-Za-z0-9]*)`/) { "--" + flag(String($0.output.1)) }
    }

    /// A library's error as a command line tells it.
    public static func translate(_ error: RecurrentError) -> RecurrentError {
        switch error {
        case .invalidOption(let text): .invalidOption(translate(text))
        case .dataset(let text): .dataset(translate(text))
        case .file(let path, let reason): .file(path: path, reason: translate(reason))
        case .checkpoint(let path, let reason): .checkpoint(path: path, reason: translate(reason))
        case .backend(let text): .backend(translate(text))
        case .linearAlgebra(let text): .linearAlgebra(translate(text))
        case .unknownName, .diverged: error
        }
    }
}
