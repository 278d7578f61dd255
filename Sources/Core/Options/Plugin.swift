/// A type that a registry can create from a name and options: a cell, an activation, a data
/// set, an optimizer, a manifold update, an initialization of B, a schedule or a backend.
///
///     struct CoRNN: RecurrentCell, Plugin {
///         static let name = "cornn"
///         static let summary = "coupled oscillators (Rusch & Mishra 2021)"
///         struct Options: OptionSection { … }
///         init(options: Options) { … }
///         …
///     }
///
/// `registry.add(CoRNN.self)` is then enough to make it known to the command line, to
/// `config.json`, to searches and to help.
public protocol Plugin: Sendable {
    /// The plug-in's own options; ``NoOptions`` if it has none.
    associatedtype Options: OptionSection = NoOptions
    /// The name on the command line and in `config.json`, in lower-case words joined by hyphens.
    static var name: String { get }
    /// A description in one line, as lists and help show it.
    static var summary: String { get }
    /// Creates the plug-in from its options.
    ///
    /// - Throws: ``RecurrentError`` if it can't be created with these options.
    init(options: Options) throws
    /// Returns the options completed with what depends on the environment, such as a folder
    /// that an environment variable names; a run saves the completed options. By default
    /// nothing changes.
    ///
    /// - Throws: ``RecurrentError`` if something is missing.
    static func resolve(_ options: Options) throws -> Options
    /// The names of options on which the numbers of a run don't depend, such as the number of
    /// threads; none by default.
    static var incidentalOptions: Set<String> { get }
}

extension Plugin {
    public static func resolve(_ options: Options) throws -> Options { options }
    public static var incidentalOptions: Set<String> { [] }
    /// The static name of the type.
    public var name: String { Self.name }
    /// The static summary of the type.
    public var summary: String { Self.summary }
}

/// A cell whose nonlinearity can be chosen.
public protocol ActivatedCell: RecurrentCell, Plugin {
    /// The nonlinearity that is used unless another is chosen.
    static var defaultActivation: any Activation { get }
    /// Creates the cell with an activation.
    ///
    /// - Parameters:
    ///   - options: the cell's own options.
    ///   - activation: its nonlinearity.
    /// - Throws: ``RecurrentError`` if they don't fit together.
    init(options: Options, activation: any Activation) throws
}

extension ActivatedCell {
    /// Creates the cell with its default activation.
    ///
    /// - Throws: ``RecurrentError`` if it can't be created with these options.
    public init(options: Options) throws { try self.init(options: options, activation: Self.defaultActivation) }
}

/// A data set that a registry can create.
public protocol DatasetPlugin: Dataset, Plugin {
    /// Creates the data set, or opens its files.
    ///
    /// - Parameters:
    ///   - options: the data set's own options.
    ///   - seed: the seed of the run, on which everything drawn or shuffled depends.
    /// - Throws: ``RecurrentError`` if the data can't be read or generated.
    init(options: Options, seed: UInt64) throws
    /// Creates the data set for the use of some splits, whose files alone need to be there; by default all
    /// splits are opened.
    ///
    /// - Parameters:
    ///   - options: the data set's own options.
    ///   - seed: the seed of the run, on which everything drawn or shuffled depends.
    ///   - splits: the splits that will be used.
    /// - Throws: ``RecurrentError`` if the data can't be read or generated.
    init(options: Options, seed: UInt64, splits: Set<Split>) throws
    /// Whether the inputs are tokens, which a model embeds; true by default.
    static var hasTokenInputs: Bool { get }
    /// Adjusts the defaults of a run to this data set; by default they stay as they are.
    static func adjust(_ defaults: inout RunDefaults)
}

extension DatasetPlugin {
    public static var hasTokenInputs: Bool { true }
    public static func adjust(_ defaults: inout RunDefaults) {}
    public init(options: Options, seed: UInt64, splits: Set<Split>) throws {
        try self.init(options: options, seed: seed)
    }
    /// Creates the data set with the seed 1.
    ///
    /// - Throws: ``RecurrentError`` if the data can't be read or generated.
    public init(options: Options) throws { try self.init(options: options, seed: 1) }
}

/// A backend that a registry can make.
public protocol BackendPlugin: Backend, Plugin {
    /// The name of the integer option that says how many threads share the work, by which
    /// programs share processors among runs. By default there is none.
    static var threadsOption: String? { get }
    /// The name of the option that chooses one of several devices, by number; nil, as by default, if there is none. Where
    /// several processes of one machine train together, each adds its own number to it.
    static var deviceOption: String? { get }
}

extension BackendPlugin {
    public static var threadsOption: String? { nil }
    public static var deviceOption: String? { nil }
}

/// The settings of a run for which nothing else is chosen; a data set may adjust them.
public struct RunDefaults: Sendable {
    /// The model's sizes, dropout and initialization.
    public var model = ModelConfiguration()
    /// The learning rates, batch sizes and number of epochs.
    public var training = TrainingConfiguration()
    /// The name of the initialization of each B; nil for W = I.
    public var skewInitialization: String?
    /// Creates the defaults before any data set has adjusted them.
    public init() {}
}
