/// The kinds of plug-ins of which a run consists.
public enum PluginKind: String, Sendable, CaseIterable {
    /// A kind of plug-in, whose raw value is also the name of the option that chooses one.
    case cell, activation, dataset, optimizer, schedule, manifold, skewInit, backend

    /// The singular name of the kind for messages, as in “unknown data set 'x'”.
    public var label: String {
        switch self {
        case .dataset: "data set"
        case .manifold: "manifold update"
        case .skewInit: "skew initialization"
        default: rawValue
        }
    }

    /// The plural name of the kind for headings.
    public var title: String {
        switch self {
        case .dataset: "data sets"
        case .manifold: "manifold updates"
        case .skewInit: "skew initializations"
        default: rawValue + "s"
        }
    }

    /// The name of the default plug-in, which is used if it is registered; nil if the kind has no default.
    var standardName: String? {
        switch self {
        case .cell: "urnn"
        case .activation: nil
        case .dataset: "recall"
        case .optimizer: "adam"
        case .schedule: "constant"
        case .manifold: "exponential"
        case .skewInit: "zero"
        case .backend: "cpu"
        }
    }
}
