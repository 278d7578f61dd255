import RecurrentCore

/// The equations of one step in a form that doesn't depend on how they are written: each new state is a polynomial in
/// atoms, which are what arithmetic can't take apart.
struct Equations {
    /// A value that isn't a sum or a product of others.
    enum Atom: Hashable {
        case input
        case state(Int)
        /// A bias or a per-unit vector, by the number of its parameter.
        case vector(Int)
        /// The product of a weight, by the number of its parameter, and a value.
        case product(weight: Int, operand: Polynomial)
        /// The result of any other operation.
        case call(PointwiseOperation, [Polynomial])
    }

    private(set) var atoms: [Atom] = []
    private var numbers: [Atom: Int] = [:]
    /// The new states.
    private(set) var results: [Polynomial] = []
    /// All operations in the equations.
    let operations: Set<PointwiseOperation>
    /// All constants in the equations.
    let constants: Set<Double>
    /// The number of results of operations among the atoms.
    var callCount: Int { atoms.count { if case .call = $0 { true } else { false } } }
    /// More atoms than an operator's equations have.
    private static let largestCount = 100

    /// Brings the equations of a step into this form; nil if they can't be, or if that would take too long.
    init?(_ step: TracedStep) {
        // Operators have no weights of other shapes.
        guard step.parameters.allSatisfy({ $0.shape == .full }) else { return nil }
        let order = step.graph.cone(of: step.results).sorted()
        var operations: Set<PointwiseOperation> = [], constants: Set<Double> = []
        for value in order {
            let operation = step.graph.nodes[value].operation
            switch operation {
            case .constant(let number): constants.insert(number)
            case .input, .product: break
            default: operations.insert(operation)
            }
        }
        (self.operations, self.constants) = (operations, constants)
        var known: [TracedStep.Value: Polynomial] = [:]
        for value in order {
            let node = step.graph.nodes[value]
            let leaf = step.leafKind(value)
            guard let polynomial = polynomial(node.operation, node.operands.map { known[$0]! }, leaf: leaf),
                atoms.count <= Self.largestCount
            else { return nil }
            known[value] = polynomial
        }
        results = step.results.map { known[$0]! }
    }

    func number(of atom: Atom) -> Int? { numbers[atom] }

    private mutating func atom(_ atom: Atom) -> Polynomial {
        if let known = numbers[atom] { return Polynomial(atom: known) }
        numbers[atom] = atoms.count
        atoms.append(atom)
        return Polynomial(atom: atoms.count - 1)
    }

    private mutating func polynomial(_ operation: PointwiseOperation, _ x: [Polynomial], leaf: TracedStep.Leaf?)
        -> Polynomial?
    {
        switch operation {
        case .input:
            switch leaf {
            case .input: return atom(.input)
            case .state(let index): return atom(.state(index))
            case .vector(let index): return atom(.vector(index))
            default: return nil
            }
        case .constant(let number): return Polynomial(constant: number)
        case .negate: return x[0].scaled(by: -1)
        case .add: return x[0].plus(x[1])
        case .subtract: return x[0].minus(x[1])
        case .multiply: return x[0].times(x[1])
        case .divide:
            if let number = x[1].constant { return x[0].scaled(by: 1 / number) }
            return x[0].times(atom(.call(.divide, [Polynomial(constant: 1), x[1]])))
        case .greater:
            // a > b where a − b > 0.
            return x[0].minus(x[1]).map { atom(.call(.greater, [$0, Polynomial(constant: 0)])) }
        // Operators have no transposed weights either.
        case .product(let weight, let isTransposed):
            return isTransposed ? nil : atom(.product(weight: weight, operand: x[0]))
        case .scalar, .uniform, .columnIndex: return nil
        default: return atom(.call(operation, x))
        }
    }
}
