import RecurrentCore
import RecurrentRuns

/// The scale of a reproduction, from a quick check to the paper's full effort.
public enum Scale: String, Sendable, CaseIterable {
    /// Runs everything within minutes, to show that it works; the results mean nothing.
    case smoke
    /// Trains for enough epochs to see which models learn, at a learning rate of 1e-3 on the toy tasks.
    case short
    /// Uses the paper's epochs, sizes and learning rates.
    case paper
}

extension Scale {
    /// Returns the loss of a model without memory on the copying task with delay T, 10 ln 8 / (T + 20); at scale smoke, T is
    /// a tenth.
    func memorylessLoss(delay: Int) -> Double {
        10 * RealFunctions.log(8) / Double((self == .smoke ? delay / 10 : delay) + 20)
    }
}

/// A configuration to train with every seed.
public struct Experiment: Sendable, Equatable {
    /// The name of the experiment's folder.
    public let id: String
    /// The configuration to train; the runner sets the seed, the folder and the threads.
    public var configuration: RunConfiguration

    /// Creates an experiment.
    ///
    /// - Parameters:
    ///   - id: the name of the experiment's folder.
    ///   - configuration: the configuration to train.
    public init(_ id: String, _ configuration: RunConfiguration) {
        self.id = id
        self.configuration = configuration
    }

    /// Returns the experiment with at most the given number of epochs.
    ///
    /// An experiment whose learning-rate schedule isn't constant is returned unchanged: with fewer epochs, it would not
    /// be the beginning of the full one.
    public func limited(to epochs: Int) -> Experiment {
        var result = self
        if canGrow { result.configuration.training.epochs = min(self.epochs, epochs) }
        return result
    }

    var epochs: Int { configuration.training.epochs }

    /// Whether a run can be resumed for more epochs: a learning rate that falls over the epochs depends on their number.
    var canGrow: Bool { configuration.schedule.name == "constant" }
}

/// The settings of a reproduction that all studies share.
public struct Plan: Sendable {
    /// The effort of the reproduction.
    public var scale: Scale
    /// The seeds with which each experiment is run.
    public var seeds: [UInt64]
    /// The plug-ins, with their defaults.
    public var registry: Registry
    /// The folder of the corpus that the language models are trained on.
    public var corpus: String
    /// The description of the corpus, for readers.
    public var corpusName: String
    /// The folder of the corpus as the report's commands show it.
    public var corpusShown: String
    /// The folder of the images of digits; nil if there is none, so that experiments on them are left out.
    public var images: String?
    /// The models to include in the tables of the toy tasks and of the field, by ``Studies/modelNames``; nil for all.
    public var models: Set<String>?
    /// Creates a plan.
    public init(
        scale: Scale, seeds: [UInt64], registry: Registry, corpus: String, corpusName: String, corpusShown: String,
        images: String? = nil, models: Set<String>? = nil
    ) {
        self.scale = scale
        self.seeds = seeds
        self.registry = registry
        self.corpus = corpus
        self.corpusName = corpusName
        self.corpusShown = corpusShown
        self.images = images
        self.models = models
    }

    /// Returns an experiment that differs from the defaults of a data set.
    ///
    /// If the data set isn't registered, that is reported when the experiment is run.
    func experiment(_ id: String, on dataset: String, _ edit: (inout RunConfiguration) -> Void) -> Experiment {
        var configuration =
            (try? registry.standard(dataset: dataset)) ?? RunConfiguration(dataset: PluginChoice(dataset))
        edit(&configuration)
        return Experiment(id, configuration)
    }

    /// Returns the plan with other models.
    package func with(models: Set<String>?) -> Plan {
        var plan = self
        plan.models = models
        return plan
    }
}

/// A table or figure of the paper, or an experiment that goes beyond it.
public protocol Study: Sendable {
    /// The name on the command line: `table3`.
    var id: String { get }
    /// The heading of the study's section in the report.
    var title: String { get }
    /// Returns the experiments that must be trained first; studies with equal experiments share their runs.
    func experiments(_ plan: Plan) -> [Experiment]
    /// Returns the section of the report that shows the results.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError`` if text for the section can't be generated.
    func section(_ results: Results) throws -> Section
}

/// The studies that `cli reproduce` knows.
public enum Studies {
    /// All studies: those of the paper in its order, then those that go beyond it.
    public static let all: [any Study] = [
        LimitTable(), SlopeTable(), ToyTable.recall, ToyTable.kthLargest, ActivationTable(), BoundsTable(),
        GatedTable(),
        LossFigure.recall, LossFigure.kthLargest, TextFigure(), NormFigure(), ToyTable.kthLargestSearched,
        SearchedActivationTable(), SearchedGatedTable(), ConstraintStudy(), FieldSearch(),
        FieldStudy(),
    ]

    /// The names of the models of the toy tasks and of the field, without duplicates.
    public static let modelNames: [String] = (ToyTask.modelNames + FieldModel.all.map(\.id)).reduce(into: []) {
        if !$0.contains($1) { $0.append($1) }
    }
}

/// The results of the runs of a plan.
public struct Results: Sendable {
    /// The plan that the runs belong to.
    public let plan: Plan
    /// The finished runs by the experiment's ``Experiment/id``, one for each seed.
    public let records: [String: [RunRecord]]
    /// Runs this program with some arguments, and returns what it prints.
    public let runTool: @Sendable ([String]) throws -> String

    /// Creates the results of a plan.
    public init(plan: Plan, records: [String: [RunRecord]], runTool: @escaping @Sendable ([String]) throws -> String) {
        self.plan = plan
        self.records = records
        self.runTool = runTool
    }

    /// Returns the finished runs of an experiment, one for each seed.
    public func of(_ experiment: Experiment) -> [RunRecord] { records[experiment.id] ?? [] }
}

extension RunConfiguration {
    /// Sets the number of sequences in the splits of generated data.
    mutating func useSplits(train: Int, valid: Int, test: Int) {
        dataset["trainSize"] = .integer(train)
        dataset["validSize"] = .integer(valid)
        dataset["testSize"] = .integer(test)
    }

    /// Chooses the vanilla RNN, with an initialization of its recurrent weight.
    mutating func useRNN(from start: RecurrentInitialization = .uniform) {
        cell = "rnn"
        model.recurrentInitialization = start
    }
}
