import ArgumentParser
import Foundation
import RecurrentCore

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Loss of a saved run, and its accuracy, perplexity or bits per character.")

    @Argument(help: ArgumentHelp("The folder that `train --output` wrote.", valueName: "run"))
    var runFolder: String
    @Option(help: "train, valid or test.")
    var split = "test"
    @Option(help: "Folder of a corpus, if it lies elsewhere now.")
    var data: String?
    @Option(parsing: .unconditional, help: "Sequences per batch; a corpus is cut into as many streams (default: the run's).")
    var batchSize: Int?
    @Option(help: "Backend (default: the run's).")
    var backend: String?
    @Option(parsing: .unconditional, help: "Threads of the CPU backend.")
    var threads: Int?
    @OptionGroup var deviceOptions: DeviceOptions
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
        /// Those that the accuracy is of.
        let rated: Int?
        let seconds: Double
        /// Of language models.
        let tokensPerSecond: Double?
    }

    func run() throws {
        guard let part = Split(rawValue: split) else {
            throw RecurrentError.unknownName(kind: "split", name: split, known: Split.allCases.map(\.rawValue))
        }
        if let batchSize, batchSize < 1 {
            throw RecurrentError.invalidOption("--batch-size must be at least 1, not \(batchSize)")
        }
        let directory = RunDirectory(opening: runFolder)
        var options = try directory.configuration()
        options.data = data ?? options.data
        options.backend = backend ?? options.backend
        options.threads = threads ?? options.threads
        options.evaluationBatchSize = batchSize ?? options.evaluationBatchSize
        try deviceOptions.apply(to: &options)
        try options.validate()
        let made = try TrainingRun(options, vocabulary: directory.vocabulary())
        try directory.loadModel(into: made.model)
        let clock = ContinuousClock()
        let start = clock.now
        let sums = try made.model.evaluate(
            made.dataset, split: part, batchSize: options.evaluationBatchSize ?? options.batchSize)
        let seconds = (clock.now - start).inSeconds
        let metric = made.model.data.metric, isLanguageModel = metric.isOfText
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            encoder.nonConformingFloatEncodingStrategy = .infinityAsText
            let result = Result(
                split: split, loss: sums.meanLoss, accuracy: metric == .accuracy ? sums.accuracy : nil,
                perplexity: metric == .perplexity ? sums.perplexity : nil,
                bitsPerCharacter: metric == .bitsPerCharacter ? metric.value(of: sums) : nil,
                baselineLoss: made.model.data.baseline?.loss, count: sums.count,
                rated: metric == .accuracy ? sums.rated : nil, seconds: seconds,
                tokensPerSecond: isLanguageModel ? Double(sums.count) / seconds : nil)
            Terminal.print(String(decoding: try encoder.encode(result), as: UTF8.self))
        } else {
            let unit = metric == .bitsPerCharacter ? "characters" : isLanguageModel ? "tokens" : "predictions"
            let rated = metric == .accuracy && sums.rated != sums.count ? ", \(sums.rated) of them rated" : ""
            Terminal.print(
                "\(split): loss \(Terminal.number(sums.meanLoss))  "
                    + "\(metric.label) \(metric.text(sums))"
                    + "  (\(sums.count) \(unit)\(rated), \(Terminal.number(seconds, digits: 1)) s"
                    + (isLanguageModel ? ", \(Terminal.number(Double(sums.count) / seconds, digits: 0)) \(unit)/s)" : ")"))
            if let baseline = SummaryTable.baseline(made.model.data) { Terminal.print(baseline) }
        }
    }
}
