import RecurrentCore

/// A run as a value: the plug-ins that take part, each with its options, and how the
/// model is built, trained and followed. It is what `config.json` holds, what
/// `train --config` reads, what an experiment is, and what two runs are compared by.
///
///     var configuration = try registry.standard(dataset: "kth-largest")
///     configuration.cell = "ugru"
///     configuration.dataset["length"] = 400
///     configuration.training.epochs = 20
///     let run = try Run(configuration, registry: registry)
public struct RunConfiguration: Sendable, Equatable {
    /// The recurrent cell.
    public var cell: PluginChoice
    /// The cell's nonlinearity; nil for the cell's own, or for one that can't be chosen.
    public var activation: PluginChoice?
    /// What is learned.
    public var dataset: PluginChoice
    /// The model's sizes, its dropout, and how its weights start.
    public var model = ModelConfiguration()
    /// How parameters are stepped.
    public var optimizer: PluginChoice
    /// How the learning rate changes.
    public var schedule: PluginChoice
    /// Learning rates, clipping, batches, and when training ends.
    public var training = TrainingConfiguration()
    /// The manifold update of orthogonal weights; nil for the default, or where there are none.
    public var manifold: PluginChoice?
    /// The start of B; nil for the default, or where there is none.
    public var skewInit: PluginChoice?
    /// What is measured and written besides the losses.
    public var tracking = TrackingConfiguration()
    /// What computes.
    public var backend: PluginChoice
    var general = General()
    /// The folder of the run whose weights this one started from.
    public var from: String?

    /// What belongs to no subject of its own.
    struct General: OptionSection {
        var seed: UInt64 = 1
        static let fields: [OptionField<Self>] = [.seed("seed", \.seed, "Seed of everything random.")]
    }

    /// The seed of everything random.
    public var seed: UInt64 {
        get { general.seed }
        set { general.seed = newValue }
    }

    /// - Parameters:
    ///   - cell: the recurrent cell.
    ///   - dataset: what is learned.
    ///   - optimizer: how parameters are stepped.
    ///   - schedule: how the learning rate changes.
    ///   - backend: what computes.
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

    /// The plug-in of a kind; nil where the kind has none.
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
