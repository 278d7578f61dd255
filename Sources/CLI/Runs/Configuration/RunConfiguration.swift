import RecurrentCore

/// The configuration of a run: its plug-ins with their options, and how its model is built, trained and tracked.
///
/// `config.json` holds a configuration, `train --config` reads one, and runs are compared by their configurations.
///
///     var configuration = try registry.standard(dataset: "kth-largest")
///     configuration.cell = "ugru"
///     configuration.dataset["length"] = 400
///     configuration.training.epochs = 20
///     let run = try Run(configuration, registry: registry)
public struct RunConfiguration: Sendable, Equatable {
    /// The recurrent cell.
    public var cell: PluginChoice
    /// The activation of the cell; nil for the cell's default, or if it can't be chosen.
    public var activation: PluginChoice?
    /// The data set to learn.
    public var dataset: PluginChoice
    /// The sizes of the model, its dropout, and the initialization of its weights.
    public var model = ModelConfiguration()
    /// The optimizer that updates the parameters.
    public var optimizer: PluginChoice
    /// The learning-rate schedule.
    public var schedule: PluginChoice
    /// The learning rates, the gradient clipping, the batches, and the criteria that end training.
    public var training = TrainingConfiguration()
    /// The manifold update of orthogonal weights; nil for the default, or if there are no such weights.
    public var manifold: PluginChoice?
    /// The initialization of the skew-symmetric parameter B; nil for the default, or if there is no B.
    public var skewInit: PluginChoice?
    /// What is measured and written besides the losses.
    public var tracking = TrackingConfiguration()
    /// The backend that computes.
    public var backend: PluginChoice
    var general = General()
    /// The folder of the run whose weights this one started from.
    public var from: String?

    /// The options that belong to no other section.
    struct General: OptionSection {
        var seed: UInt64 = 1
        static let fields: [OptionField<Self>] = [.seed("seed", \.seed, "Seed of all random numbers.")]
    }

    /// The seed of all random numbers.
    public var seed: UInt64 {
        get { general.seed }
        set { general.seed = newValue }
    }

    /// Creates a configuration with default options.
    ///
    /// - Parameters:
    ///   - cell: the recurrent cell.
    ///   - dataset: the data set to learn.
    ///   - optimizer: the optimizer that updates the parameters.
    ///   - schedule: the learning-rate schedule.
    ///   - backend: the backend that computes.
    public init(
        cell: PluginChoice = "urnn", dataset: PluginChoice = "recall", optimizer: PluginChoice = "adam",
        schedule: PluginChoice = "constant", backend: PluginChoice = "cpu"
    ) {
        self.cell = cell
        self.dataset = dataset
        self.optimizer = optimizer
        self.schedule = schedule
        self.backend = backend
    }

    /// The plug-in of a kind; nil if the configuration has none.
    ///
    /// Setting nil has an effect only for the optional kinds: activation, manifold update and initialization of B.
    public subscript(kind: PluginKind) -> PluginChoice? {
        get {
            switch kind {
            case .cell: cell
            case .activation: activation
            case .dataset: dataset
            case .optimizer: optimizer
            case .schedule: schedule
            case .manifold: manifold
            case .skewInit: skewInit
            case .backend: backend
            }
        }
        set {
            switch (kind, newValue) {
            case (.activation, _): activation = newValue
            case (.manifold, _): manifold = newValue
            case (.skewInit, _): skewInit = newValue
            case (.cell, let value?): cell = value
            case (.dataset, let value?): dataset = value
            case (.optimizer, let value?): optimizer = value
            case (.schedule, let value?): schedule = value
            case (.backend, let value?): backend = value
            case (_, nil): break
            }
        }
    }
}
