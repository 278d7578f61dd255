/// A weight in a cell's equations.
public struct Weight: Sendable {
    enum Form {
        /// A matrix, by the number of the parameter.
        case matrix(Int, isTransposed: Bool = false)
        /// The elements on the diagonal.
        case diagonal(SymbolicValue)
        /// No weight of the cell, which is noted as its mistake.
        case missing
    }
    let form: Form

    /// The weight with rows and columns exchanged, for a recurrent weight: `p.W.transposed • h` is `Wᵀ h`, with the gradient
    /// of both uses if the cell also multiplies by W.
    public var transposed: Weight {
        guard case .matrix(let index, let isTransposed) = form else { return self }
        return Weight(form: .matrix(index, isTransposed: !isTransposed))
    }
}

infix operator • : MultiplicationPrecedence

/// Returns the matrix–vector product of a weight and a value of one time step.
public func • (weight: Weight, value: SymbolicValue) -> SymbolicValue {
    switch weight.form {
    case .matrix(let index, let isTransposed): SymbolicValue(.product(index, isTransposed: isTransposed), value)
    case .diagonal(let elements): elements * value
    case .missing: 0
    }
}

/// A cell's parameters in its equations, accessed by their names: `p.W_h • h + p.b_h`.
///
/// A name that the cell doesn't declare is an error of ``StepCompiler`` and of every layer of the cell, as is one that
/// it declares and never uses.
@dynamicMemberLookup
public struct CellSymbols: Sendable {
    /// The cell's vectors, and its diagonal weights.
    let vectors: [String: SymbolicValue]
    let trace: CellTrace

    /// The weight with this name; disfavored, so that expressions with vectors compile at once.
    @_disfavoredOverload
    public subscript(dynamicMember name: String) -> Weight {
        guard let index = trace.use(name) else { return Weight(form: .missing) }
        guard trace.parameters[index].isWeight else {
            trace.note(
                "uses its vector '\(name)' as a weight; write `p.\(name)` without `•`, or declare it as a weight, such as `.recurrentWeight(\"\(name)\")`"
            )
            return Weight(form: .missing)
        }
        if trace.parameters[index].shape == .diagonal, let elements = vectors[name] {
            return Weight(form: .diagonal(elements))
        }
        return Weight(form: .matrix(index))
    }

    /// The bias or per-unit vector with this name.
    public subscript(dynamicMember name: String) -> SymbolicValue {
        guard let index = trace.use(name) else { return 0 }
        guard !trace.parameters[index].isWeight, let vector = vectors[name] else {
            trace.note(
                "uses its weight '\(name)' as a vector; multiply it, as in `p.\(name) • x`, or declare it as a vector, such as `.perUnit(\"\(name)\")`"
            )
            return 0
        }
        return vector
    }

    /// Applies an activation whose own parameters the cell has declared with
    /// ``Activation/cellParameters``.
    public func apply(_ activation: any Activation, to x: SymbolicValue) -> SymbolicValue {
        let names = activation.unitParameters.map(\.name)
        if let missing = names.first(where: { name in !trace.parameters.contains { $0.name == name } }) {
            trace.note(
                "applies the activation '\(activation.name)' without its parameter '\(missing)'; add `activation.cellParameters` to its parameters"
            )
        }
        return activation(x, parameters: names.map { self[dynamicMember: $0] as SymbolicValue })
    }
}

extension Activation {
    /// The activation's parameters as declarations for a cell to add to its own.
    public var cellParameters: [CellParameter] {
        unitParameters.map { .perUnit($0.name, initialValue: $0.initialValue) }
    }
}
