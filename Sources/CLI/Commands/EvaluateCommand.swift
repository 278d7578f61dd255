import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentRuns

struct EvaluateCommand: FlagCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Print the loss of a saved run, and its accuracy, perplexity or bits per character.",
        usage: "cli evaluate <run> [options]", discussion: "The run is a folder that `train --output` wrote.")
    static let scope = FlagScope(
        kinds: [.backend], takesData: true
    ) { _ in "does nothing in evaluate, which takes the run as it is; leave it out" }

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var arguments: [String] = []
    @Option(help: "The split to evaluate: train, valid or test.")
    var split = "test"
    @Option(
        parsing: .unconditional, help: "Sequences per batch; a corpus is cut into as many streams (default: the run's)."
    )
    var batchSize: Int?
    @Flag(help: "Print one JSON object.")
    var json = false

    private struct Result: Encodable {
        let split: String
        let loss: Double
        let accuracy: Double?
        let perplexity: Double?
        let bitsPerCharacter: Double?
        let baselineLoss: Double?
        let count: Int
        /// The number of targets that count towards the accuracy.
        let accuracyCount: Int?
        /// The number of tokens of the text that the vocabulary lacks; only for language models.
        let unknownTokenCount: Int?
        /// The number of all tokens of the text.
        let tokenCount: Int?
        let seconds: Double
        /// The speed; only for language models.
        let tokensPerSecond: Double?
    }

    func run() throws {
        let part = try Split(named: split)
        if let batchSize, batchSize < 1 {
            throw RecurrentError.invalidOption("--batch-size must be at least 1, not \(batchSize)")
        }
        let (flags, folder) = try separatedRun()
        let run = try Run(opening: folder, registry: .current, splits: [part]) {
            $0 = try Self.parser.configuration(flags, onto: RunFolder(opening: folder).resolvedConfiguration(.current))
        }
        let clock = ContinuousClock()
        let start = clock.now
        let sums = try run.evaluate(part, batchSize: batchSize)
        let seconds = (clock.now - start).inSeconds
        let metric = run.model.data.metric, isLanguageModel = metric.isOfText
        let unknown = (run.dataset as? any VocabularyProviding)?.unknownTokens(part)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            encoder.nonConformingFloatEncodingStrategy = .infinityAsText
            let result = Result(
                split: part.rawValue, loss: sums.meanLoss, accuracy: metric == .accuracy ? sums.accuracy : nil,
                perplexity: metric == .perplexity ? sums.perplexity : nil,
                bitsPerCharacter: metric == .bitsPerCharacter ? metric.value(of: sums) : nil,
                baselineLoss: run.model.data.baseline?.loss, count: sums.count,
                accuracyCount: metric == .accuracy ? sums.accuracyCount : nil,
                unknownTokenCount: unknown?.count, tokenCount: unknown?.total, seconds: seconds,
                tokensPerSecond: isLanguageModel ? Double(sums.count) / seconds : nil)
            Terminal.print(String(decoding: try encoder.encode(result), as: UTF8.self))
        } else {
            let unit = metric == .bitsPerCharacter ? "characters" : isLanguageModel ? "tokens" : "predictions"
            let counted =
                metric == .accuracy && sums.accuracyCount != sums.count
                ? ", \(sums.accuracyCount) of them count towards the accuracy" : ""
            Terminal.print(
                "\(part): loss \(Format.fixed(sums.meanLoss))  "
                    + "\(metric.label) \(metric.text(sums))"
                    + "  (\(sums.count) \(unit)\(counted), \(Format.fixed(seconds, digits: 1)) s"
                    + (isLanguageModel ? ", \(Format.fixed(Double(sums.count) / seconds, digits: 0)) \(unit)/s)" : ")"))
            if let unknown, unknown.count > 0 {
                Terminal.print("\(unknown.text(unit)) aren't in the model's vocabulary; they were read as <unk>")
            }
            if let baseline = SummaryTable.baseline(run.model.data) { Terminal.print(baseline) }
        }
    }
}
