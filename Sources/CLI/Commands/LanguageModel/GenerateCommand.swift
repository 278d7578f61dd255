import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentRuns

struct GenerateCommand: FlagCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Write text with the language model of a saved run.",
        usage: "cli generate <run> [options]",
        discussion:
            "Prints word by word, or character by character for a character-level model; the end of a sentence (<eos>) starts a new line. The run is a folder that `train --output` or `import` wrote."
    )
    static let scope = FlagScope(kinds: [.backend]) { _ in
        "does nothing in generate, which takes the run as it is; leave it out"
    }

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var arguments: [String] = []
    @Option(parsing: .unconditional, help: "The number of words, or characters, to write.")
    var words = 100
    @Option(
        parsing: .unconditional,
        help:
            "Text to continue; words are separated by blanks, a line end is <eos>, and a blank at the end asks a character-level model for a new word."
    )
    var prompt: String?
    @Option(parsing: .unconditional, help: "Sampling temperature; below 1 likely tokens become likelier (default: 1).")
    var temperature: Double?
    @Option(parsing: .unconditional, help: "Draw only from this many of the likeliest tokens (default: all).")
    var topK: Int?
    @Flag(help: "Always choose the likeliest token.")
    var greedy = false
    @Option(parsing: .unconditional, help: "Seed of the random draws (default: 1).")
    var seed: UInt64?
    @Option(
        parsing: .unconditional,
        help: "The number of texts to write at once, with --seed and the seeds after it; they are printed at the end.")
    var texts = 1
    @Flag(help: "Print one JSON object at the end.")
    var json = false

    private struct Result: Encodable {
        let prompt: [String]
        let words: [String]
        let text: String
        /// Nil if nothing was drawn.
        let seed: UInt64?
        let seconds: Double
        let tokensPerSecond: Double
    }

    func run() throws {
        guard words >= 1 else { throw RecurrentError.invalidOption("--words must be at least 1, not \(words)") }
        guard (1...10_000).contains(texts) else {
            throw RecurrentError.invalidOption("--texts must be in 1...10000, not \(texts)")
        }
        let sampling = try sampling()
        let (flags, folder) = try separatedRun()
        let model = try TrainedModel.load(
            folder, registry: .current,
            changes: { $0 = try Self.parser.configuration(flags, onto: $0, locatesData: false) },
            backend: Registry.current.makeBackend)
        guard let vocabulary = model.vocabulary else {
            throw RecurrentError.checkpoint(
                path: folder,
                reason:
                    "there is no \(VocabularyFile.name): this isn't the run of a language model (train one with `dataset` ptb)"
            )
        }
        let asked = try promptTokens(vocabulary)
        let generator = try Generator(model, sampling: sampling, seed: seed ?? 1)
        if texts > 1 { return try writeTexts(model, vocabulary, after: asked, sampling: sampling) }
        var writer = TextWriter(vocabulary: vocabulary, isSilent: json)
        // A text starts at the beginning of a sentence.
        var token = vocabulary.endOfLine ?? 0
        for next in asked {
            try generator.feed(token)
            writer.write(next)
            token = next
        }
        var written: [String] = []
        let clock = ContinuousClock()
        let start = clock.now
        for _ in 0..<words {
            token = try generator.next(after: token)
            writer.write(token)
            if json { written.append(vocabulary[token]) }
            try Terminal.checkReader()
        }
        let seconds = (clock.now - start).inSeconds
        writer.finish()
        guard json else { return }
        try Self.printJSON(
            Result(
                prompt: asked.map { vocabulary[$0] }, words: written, text: writer.text,
                seed: greedy ? nil : seed ?? 1, seconds: seconds,
                tokensPerSecond: Double(words) / max(seconds, 1e-9)))
    }

    static func printJSON(_ result: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        Terminal.print(String(decoding: try encoder.encode(result), as: UTF8.self))
    }

    private func sampling() throws -> Sampling {
        if greedy {
            guard temperature == nil, topK == nil, seed == nil else {
                throw RecurrentError.invalidOption(
                    "--greedy takes the likeliest token; leave out --temperature, --top-k and --seed")
            }
            guard texts == 1 else {
                throw RecurrentError.invalidOption("--greedy writes the same text every time; leave out --texts")
            }
            return .greedy
        }
        return try Sampling(temperature: temperature ?? 1, topK: topK)
    }

    /// Returns the tokens of the prompt; those that the model doesn't know become `<unk>`, with a warning.
    private func promptTokens(_ vocabulary: Vocabulary) throws -> [Int] {
        guard let prompt else { return [] }
        do {
            return try vocabulary.ids(of: prompt) { token in
                Terminal.complain(
                    "warning: the model doesn't know \(vocabulary.name(of: token)); \(TextMarkup.unknownWord) stands for it"
                )
            }
        } catch RecurrentError.invalidOption(let reason) {
            throw RecurrentError.invalidOption("--prompt: \(reason)")
        }
    }
}

/// A writer that turns tokens into text, with each sentence on a separate line.
struct TextWriter {
    let vocabulary: Vocabulary
    let isSilent: Bool
    private(set) var text = ""
    private var isAtLineStart = true

    init(vocabulary: Vocabulary, isSilent: Bool) {
        self.vocabulary = vocabulary
        self.isSilent = isSilent
    }

    mutating func write(_ token: Int) {
        let piece = vocabulary.text(of: token, isAtLineStart: isAtLineStart)
        isAtLineStart = token == vocabulary.endOfLine
        if isSilent { text += piece } else { Terminal.print(piece, terminator: "") }
    }

    mutating func finish() {
        if !isAtLineStart, !isSilent { Terminal.print("") }
    }
}
