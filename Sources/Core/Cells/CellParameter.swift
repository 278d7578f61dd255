/// A parameter of a cell: what it is multiplied with, and how it starts.
///
/// Parameters of one kind are stored behind one another in the order of their
/// declaration, under PyTorch's names: input weights as `weight_ih` [G·H, E],
/// recurrent weights as `weight_hh` [G·H, H], biases as `bias_ih` and `bias_hh`
/// [G·H]. A cell that declares its gates in torch's order is therefore saved in
/// torch's format. Products with the same operand are merged into one GEMM where
/// their weights are neighbours.
public struct CellParameter: Sendable {
    public enum Kind: Hashable, Sendable {
        /// [H, E]: multiplies the input.
        case inputWeight
        /// [H, H]: multiplies a state or anything of the hidden width.
        case recurrentWeight
        /// [H], with torch's initial values; stored in `bias_ih`.
        case inputBias
        /// [H]; stored in `bias_hh`.
        case recurrentBias
        /// [H], stored under its own name, starting at `initialValue`.
        case perUnit(initialValue: Double)
    }

    /// What a weight must satisfy throughout training.
    public enum Constraint: Hashable, Sendable {
        case free
        /// `Wᵀ W = I`, kept by a ``ManifoldUpdate``.
        case orthogonal
    }

    public let name: String
    public let kind: Kind
    public let constraint: Constraint

    public init(_ name: String, _ kind: Kind, constraint: Constraint = .free) {
        precondition(constraint == .free || kind == .recurrentWeight, "only recurrent weights can be orthogonal")
        self.name = name
        self.kind = kind
        self.constraint = constraint
    }

    public static func inputWeight(_ name: String) -> CellParameter { CellParameter(name, .inputWeight) }
    public static func recurrentWeight(_ name: String, constraint: Constraint = .free) -> CellParameter {
        CellParameter(name, .recurrentWeight, constraint: constraint)
    }
    public static func inputBias(_ name: String) -> CellParameter { CellParameter(name, .inputBias) }
    public static func recurrentBias(_ name: String) -> CellParameter { CellParameter(name, .recurrentBias) }
    public static func perUnit(_ name: String, initialValue: Double = 0) -> CellParameter {
        CellParameter(name, .perUnit(initialValue: initialValue))
    }
}

/// A weight inside a cell's equations.
public struct Weight: Sendable {
    let index: Int
}

infix operator • : MultiplicationPrecedence

/// The matrix–vector product of a weight with a value of one time step.
public func • (weight: Weight, value: SymbolicValue) -> SymbolicValue {
    SymbolicValue(.product(weight.index), value)
}

/// A cell's parameters inside its equations, by their names: `p.W_h • h + p.b_h`.
@dynamicMemberLookup
public struct CellSymbols: Sendable {
    let parameters: [CellParameter]
    let vectors: [String: SymbolicValue]

    /// The weight of this name.
    public subscript(dynamicMember name: String) -> Weight {
        guard let index = parameters.firstIndex(where: { $0.name == name }) else {
            preconditionFailure("the cell declares no parameter '\(name)'")
        }
        switch parameters[index].kind {
        case .inputWeight, .recurrentWeight: return Weight(index: index)
        default: preconditionFailure("'\(name)' is a vector, not a weight")
        }
    }

    /// The bias or per-unit vector of this name.
    public subscript(dynamicMember name: String) -> SymbolicValue {
        guard let vector = vectors[name] else {
            preconditionFailure("the cell declares no vector '\(name)'")
        }
        return vector
    }

    /// Applies an activation, whose own parameters the cell has declared with
    /// ``Activation/cellParameters``.
    public func apply(_ activation: any Activation, to x: SymbolicValue) -> SymbolicValue {
        activation(x, parameters: activation.unitParameters.map { self[dynamicMember: $0.name] as SymbolicValue })
    }
}

extension Activation {
    /// The declarations that a cell adds to its own parameters.
    public var cellParameters: [CellParameter] {
        unitParameters.map { .perUnit($0.name, initialValue: $0.initialValue) }
    }
}
