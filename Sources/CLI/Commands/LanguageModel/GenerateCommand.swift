import ArgumentParser
import Foundation
import RecurrentCore

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Write text with the language model of a saved run.",
        discussion: "Prints word by word; the end of a sentence (<eos>) is a new line.")

    @Argument(help: ArgumentHelp("The folder that `train --output` or `import` wrote.", valueName: "run"))
    var runFolder: String
    @Option(parsing: .unconditional, help: "How many words to write.")
    var words = 100
    @Option(parsing: .unconditional, help: "Text to continue; words are separated by blanks.")
    var prompt: String?
    @Option(parsing: .unconditional, help: "Below 1 likely words become likelier (default: 1).")
    var temperature: Double?
    @Option(parsing: .unconditional, help: "Draw from this many of the likeliest words only (default: all).")
    var topK: Int?
    @Flag(help: "Always the likeliest word.")
    var greedy = false
    @Option(parsing: .unconditional, help: "Seed of the draws.")
    var seed: UInt64 = 1
    @Option(help: "Backend (default: the run's).")
    var backend: String?
    @Option(parsing: .unconditional, help: "Threads of the CPU backend (default: one; a single text has little to share).")
    var threads: Int?
    @Flag(help: "Print one JSON object in the end.")
    var json = false

    private struct Result: Encodable {
        let prompt: [String]
        let words: [String]
        let text: String
        let seed: UInt64
        let seconds: Double
        let tokensPerSecond: Double
    }

    func run() throws {
        guard words >= 1 else { throw RecurrentError.invalidOption("--words must be at least 1, not \(words)") }
        let sampling = try sampling()
        let saved = try SavedLanguageModel(RunDirectory(opening: runFolder), backend: backend, threads: threads ?? 1)
        let vocabulary = saved.vocabulary
        let asked = try promptTokens(vocabulary)
        let generator = try Generator(saved.model, sampling: sampling, seed: seed)
        var writer = TextWriter(isSilent: json)
        // A text begins where a sentence does.
        var token = vocabulary.firstIndex(of: VocabularyFile.endOfLine) ?? 0
        for next in asked {
            try generator.feed(token)
            writer.write(vocabulary[next])
            token = next
        }
        var written: [String] = []
        let clock = ContinuousClock()
        let start = clock.now
        for _ in 0..<words {
            token = try generator.next(after: token)
            writer.write(vocabulary[token])
            if json { written.append(vocabulary[token]) }
        }
        let seconds = (clock.now - start).inSeconds
        writer.finish()
        guard json else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let result = Result(
            prompt: asked.map { vocabulary[$0] }, words: written, text: writer.text, seed: seed, seconds: seconds,
            tokensPerSecond: Double(words) / max(seconds, 1e-9))
        Terminal.print(String(decoding: try encoder.encode(result), as: UTF8.self))
    }

    private func sampling() throws -> Sampling {
        if greedy {
            guard temperature == nil, topK == nil else {
                throw RecurrentError.invalidOption("--greedy takes the likeliest word; leave out --temperature and --top-k")
            }
            return .greedy
        }
        return try Sampling(temperature: temperature ?? 1, topK: topK)
    }

    /// Words that the model doesn't know become `<unk>`, with a warning.
    private func promptTokens(_ vocabulary: [String]) throws -> [Int] {
        guard let prompt else { return [] }
        let ids = TokenNumbers(vocabulary)
        // At the blanks of a corpus: others may be within a word.
        return try prompt.utf8.split(whereSeparator: { $0 == 0x20 || (0x09...0x0D).contains($0) }).map { word in
            let word = String(word)!
            if let id = ids[word] { return id }
            guard let unknown = ids[VocabularyFile.unknownWord] else {
                throw RecurrentError.invalidOption(
                    "--prompt: the model doesn't know '\(word.prefix(40))', and has no \(VocabularyFile.unknownWord) to stand for it")
            }
            FileHandle.standardError.write(
                Data("warning: the model doesn't know '\(word.prefix(40))'; \(VocabularyFile.unknownWord) stands for it\n".utf8))
            return unknown
        }
    }
}

/// Words with blanks between them, sentences on lines of their own.
private struct TextWriter {
    let isSilent: Bool
    private(set) var text = ""
    private var isAtLineStart = true

    init(isSilent: Bool) { self.isSilent = isSilent }

    mutating func write(_ word: String) {
        let isEnd = word == VocabularyFile.endOfLine
        let piece = isEnd ? "\n" : isAtLineStart ? word : " " + word
        isAtLineStart = isEnd
        if isSilent { text += piece } else { Terminal.print(piece, terminator: "") }
    }

    mutating func finish() {
        if !isAtLineStart, !isSilent { Terminal.print("") }
    }
}
