import RecurrentCore

/// The names of options on a command line.
public enum Flags {
    /// Returns the flag of an option, without its dashes: `time-step` for `timeStep`.
    package static func flag(_ option: String) -> String {
        option.reduce(into: "") { flag, letter in
            guard letter.isUppercase else { return flag.append(letter) }
            flag += "-" + letter.lowercased()
        }
    }

    /// Returns the option of a flag: `timeStep` for `time-step` or `time_step`.
    package static func option(_ flag: some StringProtocol) -> String {
        let words = flag.lowercased().split(whereSeparator: { $0 == "-" || $0 == "_" })
        return (words.first.map(String.init) ?? "")
            + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// Familiar alternative names, such as those of PyTorch's word_language_model.
    static let aliases: [String: String] = [
        "lr": "learning-rate", "wd": "weight-decay", "emsize": "embedding-size", "nhid": "hidden-size",
        "nlayers": "layers",
        "clip": "clip-norm", "model": "cell",
    ]
    /// Returns the listed name of a flag that was typed in another form, such as `LR` or `learning_rate`.
    ///
    /// - Parameter typed: the flag without its dashes.
    public static func canonical(_ typed: some StringProtocol) -> String {
        let flag = typed.lowercased().replacing("_", with: "-")
        return aliases[flag] ?? flag
    }

    /// The flags that stand for an option together with its value.
    static let shorthands: [String: (option: String, value: String)] = ["tf32": ("precision", "tf32")]

    /// The commands' own flags, which options of plug-ins can't use.
    package static let reserved: Set = [
        "help", "version", "config", "output", "overwrite", "resume", "from", "quiet", "cells", "json", "split", "try",
        "trials", "seeds", "launcher",
        "jobs", "scale", "models", "report-only", "no-report", "workload", "seconds", "samples", "layer", "batch", "to",
        "plot",
        "plot-angles", "json-angles", "words", "prompt", "temperature", "top-k", "greedy", "vocabulary",
        "experimental-dump-help",
    ]

    /// Returns a message of the library with the names of options, which it puts in backticks, replaced by flags.
    public static func translate(_ message: String) -> String {
        // A regular expression would be compiled anew for each message.
        var result = "", rest = message[...]
        while let start = rest.firstIndex(of: "`") {
            result += rest[..<start]
            rest = rest[rest.index(after: start)...]
            if let end = rest.firstIndex(of: "`"), isOption(rest[..<end]) {
                result += "--" + flag(String(rest[..<end]))
                rest = rest[rest.index(after: end)...]
            } else {
                result += "`"
            }
        }
        return result + rest
    }

    /// Returns whether a text has the form of an option's name: a lower-case letter, then letters and digits.
    private static func isOption(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
    }

    /// Returns an error of the library with the names of options replaced by flags.
    public static func translate(_ error: RecurrentError) -> RecurrentError {
        switch error {
        case .invalidOption(let text): .invalidOption(translate(text))
        case .dataset(let text): .dataset(translate(text))
        case .file(let path, let reason): .file(path: path, reason: translate(reason))
        case .checkpoint(let path, let reason): .checkpoint(path: path, reason: translate(reason))
        case .backend(let text): .backend(translate(text))
        case .device(let text): .device(translate(text))
        case .linearAlgebra(let text): .linearAlgebra(translate(text))
        case .unknownName, .cell, .diverged: error
        }
    }
}
