/// The kinds of plug-ins that a run is put together from.
public enum PluginKind: String, Sendable, CaseIterable {
    case cell, activation, dataset, optimizer, schedule, manifold, skewInit, backend

    /// One of the kind in a message: “unknown data set 'x'”.
    public var label: String {
        switch self {
        case .dataset: "data set"
        case .manifold: "manifold update"
        case .skewInit: "skew initialisation"
        default: rawValue
        }
    }

    /// All of the kind as a heading.
    public var title: String {
        switch self {
        case .dataset: "data sets"
        case .manifold: "manifold updates"
        case .skewInit: "skew initialisations"
        default: rawValue + "s"
        }
    }

    /// What is taken where none is asked for, if it is registered.
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
