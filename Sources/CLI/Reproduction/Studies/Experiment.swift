import RecurrentCore
import RecurrentRuns

/// How much effort goes into a reproduction.
public enum Scale: String, Sendable, CaseIterable {
    /// Everything once, within minutes: shows that it works, not what comes out.
    case smoke
    /// Enough epochs to see who learns, at a learning rate of 1e-3 on the toy tasks.
    case short
    /// The paper's epochs, sizes and learning rates.
    case paper
}

/// One configuration to train, for every seed.
public struct Experiment: Sendable, Equatable {
    /// The name of its folder: letters, digits and dashes.
    public let id: String
    /// Seed, folder and threads are the runner's.
    public var configuration: RunConfiguration

    /// - Parameters:
    ///   - id: the name of its folder.
    ///   - configuration: what is trained.
    public init(_ id: String, _ configuration: RunConfiguration) {
        self.id = id
        self.configuration = configuration
    }

    /// With no more epochs than these. One whose learning rate falls to its end over the
    /// epochs stays as it is: a part of it would not be its beginning.
    public func limited(to epochs: Int) -> Experiment {
        var result = self
        if canGrow { result.configuration.training.epochs = min(self.epochs, epochs) }
        return result
    }

    var epochs: Int { configuration.training.epochs }

    /// Whether fewer epochs are the beginning of more: a learning rate that falls over the
    /// epochs isn't the same over more of them.
    var canGrow: Bool { configuration.schedule.name == "constant" }
}

/// What is asked for.
public struct Plan: Sendable {
    public var scale: Scale
    public var seeds: [UInt64]
    /// The plug-ins, with their defaults.
    public var registry: Registry
    /// The folder of the corpus of the language models.
    public var corpus: String
    /// What the corpus is, for readers.
    public var corpusName: String
    /// Its folder as it stands in the report's commands.
    public var corpusShown: String
    /// Of the toy tasks' tables, by ``ToyTask/Model/id``; nil for all.
    public var models: Set<String>?
    public init(
        scale: Scale, seeds: [UInt64], registry: Registry, corpus: String, corpusName: String, corpusShown: String,
        models: Set<String>? = nil
    ) {
        self.scale = scale
        self.seeds = seeds
        self.registry = registry
        self.corpus = corpus
        self.corpusName = corpusName
        self.corpusShown = corpusShown
        self.models = models
    }

    /// An experiment that differs from the defaults of a data set. One that isn't
    /// registered is reported when the experiment is run.
    func experiment(_ id: String, on dataset: String, _ edit: (inout RunConfiguration) -> Void) -> Experiment {
        var configuration =
            (try? registry.standard(dataset: dataset)) ?? RunConfiguration(dataset: PluginChoice(dataset))
        edit(&configuration)
        return Experiment(id, configuration)
    }
}

/// A table or figure of the paper.
public protocol Study: Sendable {
    /// As on the command line: `table3`.
    var id: String { get }
    var title: String { get }
    /// What must have been trained; studies share runs by equal experiments.
    func experiments(_ plan: Plan) -> [Experiment]
    func section(_ results: Results) throws -> Section
}

/// All studies: the paper's in its order, then what goes beyond.
public enum Studies {
    public static let all: [any Study] = [
        LimitTable(), SlopeTable(), ToyTable.recall, ToyTable.kthLargest, ActivationTable(), BoundsTable(),
        GatedTable(),
        LossFigure.recall, LossFigure.kthLargest, TextFigure(), NormFigure(), ToyTable.kthLargestSearched,
        SearchedActivationTable(), SearchedGatedTable(), ConstraintStudy(),
    ]
}

/// What the runs gave.
public struct Results: Sendable {
    public let plan: Plan
    public let records: [String: [RunRecord]]
    /// Runs the program itself and returns what it printed.
    public let runTool: @Sendable ([String]) throws -> String

    public init(plan: Plan, records: [String: [RunRecord]], runTool: @escaping @Sendable ([String]) throws -> String) {
        self.plan = plan
        self.records = records
        self.runTool = runTool
    }

    /// Of an experiment, one record per seed that was finished.
    public func of(_ experiment: Experiment) -> [RunRecord] { records[experiment.id] ?? [] }
}

extension RunConfiguration {
    /// Sizes of generated data in which nothing is learned, for scale smoke.
    mutating func useSplits(train: Int, valid: Int, test: Int) {
        dataset["trainSize"] = .integer(train)
        dataset["validSize"] = .integer(valid)
        dataset["testSize"] = .integer(test)
    }

    /// The vanilla RNN from a start of its weight.
    mutating func useRNN(from start: RecurrentInitialization = .uniform) {
        cell = "rnn"
        model.recurrentInitialization = start
    }
}
