/// A parameter of a cell: its role in the equations and its initial values.
///
/// Parameters of the same kind are stored one after another in the order of their
/// declaration, under PyTorch's names: input weights as `weight_ih` [G·H, E],
/// recurrent weights as `weight_hh` [G·H, H], biases as `bias_ih` and `bias_hh`
/// [G·H]. A cell that declares its gates in torch's order is therefore saved in
/// torch's format. Products with the same operand are merged into one GEMM if
/// their weights are adjacent.
public struct CellParameter: Sendable {
    /// The role of a parameter, which decides its shape and where it is stored.
    public enum Kind: Hashable, Sendable {
        /// A weight [H, E] that multiplies the input; stored in `weight_ih`.
        case inputWeight
        /// A weight [H, H] that multiplies a state or any other value of width H; stored in
        /// `weight_hh`.
        case recurrentWeight
        /// A bias [H] with torch's initial values; stored in `bias_ih`.
        case inputBias
        /// A bias [H] with torch's initial values; stored in `bias_hh`.
        case recurrentBias
        /// A vector [H] that starts at `initialValue`; stored under its own name.
        case perUnit(initialValue: Double)
    }

    /// Whether the parameter is a matrix, which `•` multiplies by a value, rather than a vector.
    var isWeight: Bool { kind == .inputWeight || kind == .recurrentWeight }

    /// A condition that a weight satisfies throughout training.
    public enum Constraint: Hashable, Sendable {
        /// No condition.
        case free
        /// The condition `Wᵀ W = I`, which a ``ManifoldUpdate`` maintains.
        case orthogonal
    }

    /// The name by which the cell's equations refer to the parameter.
    public let name: String
    /// The role of the parameter.
    public let kind: Kind
    /// The condition that the parameter satisfies throughout training.
    public let constraint: Constraint

    /// Creates a parameter; only a recurrent weight can have a constraint.
    public init(_ name: String, _ kind: Kind, constraint: Constraint = .free) {
        self.name = name
        self.kind = kind
        self.constraint = constraint
    }

    /// Creates a weight [H, E] that multiplies the input.
    public static func inputWeight(_ name: String) -> CellParameter { CellParameter(name, .inputWeight) }
    /// Creates a weight [H, H] that multiplies a state or any other value of width H.
    public static func recurrentWeight(_ name: String, constraint: Constraint = .free) -> CellParameter {
        CellParameter(name, .recurrentWeight, constraint: constraint)
    }
    /// Creates a bias [H] that is stored in `bias_ih`.
    public static func inputBias(_ name: String) -> CellParameter { CellParameter(name, .inputBias) }
    /// Creates a bias [H] that is stored in `bias_hh`.
    public static func recurrentBias(_ name: String) -> CellParameter { CellParameter(name, .recurrentBias) }
    /// Creates a vector [H] that is stored under its own name and starts at `initialValue`.
    public static func perUnit(_ name: String, initialValue: Double = 0) -> CellParameter {
        CellParameter(name, .perUnit(initialValue: initialValue))
    }
}
