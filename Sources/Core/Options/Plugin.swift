/// What a registry can make from a name and options: a cell, an activation, a data
/// set, an optimizer, a manifold update, a start of B, a schedule or a backend.
///
///     struct CoRNN: RecurrentCell, Plugin {
///         static let name = "cornn"
///         static let summary = "coupled oscillators (Rusch & Mishra 2021)"
///         struct Options: OptionSection { … }
///         init(options: Options) { … }
///         …
///     }
///
/// `registry.add(CoRNN.self)` is then all that makes it known: to the command line, to
/// `config.json`, to searches and to help.
public protocol Plugin: Sendable {
    /// Its own options; ``NoOptions`` if it has none.
    associatedtype Options: OptionSection = NoOptions
    /// As on the command line: lower-case words joined by dashes.
    static var name: String { get }
    /// What it is, in one line.
    static var summary: String { get }
    /// - Throws: ``RecurrentError`` if it can't be made with these options.
    init(options: Options) throws
    /// The options with what they leave to the surroundings filled in, such as a folder
    /// that an environment variable names. A run keeps these. By default they are as given.
    ///
    /// - Throws: ``RecurrentError`` if something is missing.
    static func resolve(_ options: Options) throws -> Options
    /// The names of options that no number of a run depends on, such as how many threads
    /// share the work. By default there are none.
    static var incidentalOptions: Set<String> { get }
}

extension Plugin {
    public static func resolve(_ options: Options) throws -> Options { options }
    public static var incidentalOptions: Set<String> { [] }
    /// The type's name.
    public var name: String { Self.name }
    /// The type's summary.
    public var summary: String { Self.summary }
}

/// A cell whose nonlinearity can be chosen.
public protocol ActivatedCell: RecurrentCell, Plugin {
    /// The nonlinearity where none is asked for.
    static var defaultActivation: any Activation { get }
    /// - Parameters:
    ///   - options: the cell's own.
    ///   - activation: its nonlinearity.
    /// - Throws: ``RecurrentError`` if they don't go together.
    init(options: Options, activation: any Activation) throws
}

extension ActivatedCell {
    public init(options: Options) throws { try self.init(options: options, activation: Self.defaultActivation) }
}

/// A data set that a registry can make.
public protocol DatasetPlugin: Dataset, Plugin {
    /// - Parameters:
    ///   - options: its own.
    ///   - seed: of the run; what is drawn or shuffled depends on it.
    /// - Throws: ``RecurrentError`` if the data can't be read or made.
    init(options: Options, seed: UInt64) throws
    /// Whether its inputs are tokens, so that a model embeds them. Default: they are.
    static var hasTokenInputs: Bool { get }
    /// Changes the defaults of a run to what suits this data. By default they stay.
    static func adjust(_ defaults: inout RunDefaults)
}

extension DatasetPlugin {
    public static var hasTokenInputs: Bool { true }
    public static func adjust(_ defaults: inout RunDefaults) {}
    public init(options: Options) throws { try self.init(options: options, seed: 1) }
}

/// A backend that a registry can make.
public protocol BackendPlugin: Backend, Plugin {
    /// The name of the integer option that says how many threads share the work, by which
    /// programs share processors among runs. By default there is none.
    static var threadsOption: String? { get }
}

extension BackendPlugin {
    public static var threadsOption: String? { nil }
}

/// What a run has where nothing is asked for, before its data set adjusts it.
public struct RunDefaults: Sendable {
    /// Sizes, dropout and starts.
    public var model = ModelConfiguration()
    /// Rates, batches and epochs.
    public var training = TrainingConfiguration()
    /// The name of the start of each B; nil for W = I.
    public var skewInitialization: String?
    /// The defaults of a data set that adjusts none.
    public init() {}
}
