import RecurrentCore

/// The equations of a step as operators: in the body of a loop what depends on the states, and before the loop, for all
/// steps at once, what doesn't.
struct LoopEquations {
    private typealias Value = TracedStep.Value

    private let step: TracedStep
    private let weights: LayerWeights
    /// The graph around the loop.
    let builder: GraphBuilder
    private var body: ONNXGraph
    /// The values with one element per step that the body reads.
    private(set) var scanned: [String] = []
    /// The names by which the body knows them.
    private var slices: [String: String] = [:]
    private var names: [Value: Name] = [:]
    private var dependence: [Value: Dependence] = [:]
    private var matrices: [Matrix: String] = [:]

    /// The name of a value as a number, and its name as a condition, as far as they have been needed.
    private struct Name {
        var number: String?
        var condition: String?
    }
    private struct Dependence {
        var onStates = false
        var onInput = false
    }
    private struct Matrix: Hashable {
        let packed: Int
        let rows: Range<Int>
        let isTransposed: Bool
    }

    var prefix: String { "layer\(weights.layer)" }

    init(_ step: TracedStep, weights: LayerWeights, in builder: GraphBuilder) {
        self.step = step
        self.weights = weights
        self.builder = builder
        body = ONNXGraph(name: "\(step.cell.name)_layer\(weights.layer)")
    }

    /// Returns the loop's body, which reads the states and what is ``scanned``, and computes the new states and the output.
    mutating func body(input: String) throws -> ONNXGraph {
        let shape = [ONNXValue.Axis.batch, .size(weights.hiddenWidth)]
        let states = step.cell.stateNames.map { builder.name("\(prefix).\($0)") }
        body.inputs = states.map { ONNXValue($0, .float, shape) }
        for value in step.graph.cone(of: step.results).sorted() { try emit(value, input: input, states: states) }
        // The number of steps is that of what is scanned.
        if scanned.isEmpty { _ = slice(input, .float, width: step.inputWidth) }
        let new = zip(step.results, states).map { newState($0, old: $1) }
        // An output has a name of its own, even if it is one state.
        let parts = Array(new.prefix(step.cell.outputCount))
        let output =
            parts.count == 1
            ? add("Identity", parts, as: "output", inLoop: true)
            : add("Concat", parts, as: "output", inLoop: true, [ONNXAttribute("axis", .integer(-1))])
        body.outputs = new.map { ONNXValue($0, .float, shape) }
        body.outputs.append(ONNXValue(output, .float, [.batch, .size(parts.count * weights.hiddenWidth)]))
        return body
    }

    private mutating func emit(_ value: Value, input: String, states: [String]) throws {
        let node = step.graph.nodes[value]
        var own = Dependence()
        for operand in node.operands {
            own.onStates = own.onStates || dependence[operand]!.onStates
            own.onInput = own.onInput || dependence[operand]!.onInput
        }
        switch node.operation {
        case .input:
            switch step.leafKind(value) {
            case .input:
                own.onInput = true
                names[value] = Name(number: input)
            case .state(let index):
                own.onStates = true
                names[value] = Name(number: states[index])
            case .vector(let index): names[value] = Name(number: vector(index))
            default: preconditionFailure("inference has no other leaves")
            }
            dependence[value] = own
        case .constant(let number):
            names[value] = Name(number: builder.constant(number))
            dependence[value] = own
        case .product:
            dependence[value] = own
            if names[value] == nil { emitGroup(of: value) }
        default:
            dependence[value] = own
            let x = node.operands
            switch node.operation {
            case .greater, .equal:
                let operands = x.map { number($0, inLoop: own.onStates) }
                let name = node.operation == .equal ? "Equal" : "Greater"
                names[value] = Name(condition: add(name, operands, as: "is", inLoop: own.onStates))
            case .select:
                let test = condition(x[0], inLoop: own.onStates)
                let choices = x[1...].map { number($0, inLoop: own.onStates) }
                names[value] = Name(number: add("Where", [test] + choices, as: "selected", inLoop: own.onStates))
            default:
                guard let name = node.operation.operatorName else {
                    throw RecurrentError.invalidOption(
                        "the equations of cell '\(step.cell.name)' contain `\(node.operation)`, which the export to ONNX doesn't offer"
                    )
                }
                let operands = x.map { number($0, inLoop: own.onStates) }
                names[value] = Name(number: add(name, operands, as: name.lowercased(), inLoop: own.onStates))
            }
        }
    }

    /// Adds an operator inside the loop or before it, and returns the name of its result.
    private mutating func add(
        _ operation: String, _ inputs: [String], as result: String, inLoop: Bool, _ attributes: [ONNXAttribute] = []
    ) -> String {
        let result = builder.name("\(prefix).\(result)")
        add(ONNXNode(operation, inputs, [result], attributes), inLoop: inLoop)
        return result
    }

    private mutating func add(_ node: ONNXNode, inLoop: Bool) {
        if inLoop { body.nodes.append(node) } else { builder.add(node) }
    }

    /// Returns the name of a value as a number, for an operator inside or before the loop.
    private mutating func number(_ value: Value, inLoop: Bool) -> String {
        let name: String
        if let known = names[value]!.number {
            name = known
        } else {
            name = add(
                "Cast", [names[value]!.condition!], as: "number", inLoop: dependence[value]!.onStates,
                [ONNXAttribute("to", .integer(ONNXType.float.rawValue))])
            names[value]!.number = name
        }
        return inLoop ? inside(name, .float, value) : name
    }

    /// Returns the name of the condition that a value isn't 0, for an operator inside or before the loop.
    private mutating func condition(_ value: Value, inLoop: Bool) -> String {
        let name: String
        if let known = names[value]!.condition {
            name = known
        } else {
            let isInLoop = dependence[value]!.onStates
            let zero = add("Equal", [names[value]!.number!, builder.constant(0)], as: "is", inLoop: isInLoop)
            name = add("Not", [zero], as: "is", inLoop: isInLoop)
            names[value]!.condition = name
        }
        return inLoop ? inside(name, .bool, value) : name
    }

    /// Returns the name by which the body knows a value; what has no steps it knows by the name outside.
    private mutating func inside(_ name: String, _ type: ONNXType, _ value: Value) -> String {
        guard !dependence[value]!.onStates, dependence[value]!.onInput else { return name }
        let width = step.leafKind(value) == .input ? step.inputWidth : weights.hiddenWidth
        return slice(name, type, width: width)
    }

    private mutating func slice(_ name: String, _ type: ONNXType, width: Int) -> String {
        if let known = slices[name] { return known }
        let inner = builder.name("\(name).step")
        slices[name] = inner
        scanned.append(name)
        body.inputs.append(ONNXValue(inner, type, [.batch, .size(width)]))
        return inner
    }

    /// Adds all products of a value with adjacent weights as one.
    private mutating func emitGroup(of product: Value) {
        let group = step.groups[step.groupOf[product]!]
        let isInLoop = dependence[group.operand]!.onStates
        let operand = number(group.operand, inLoop: isInLoop)
        guard group.blocks == 1 else {
            names[product] = Name(number: blockProduct(operand, group, inLoop: isInLoop))
            return
        }
        let result = add("MatMul", [operand, matrix(group, group.rows)], as: "product", inLoop: isInLoop)
        guard group.products.count > 1 else {
            names[product] = Name(number: result)
            return
        }
        let parts = group.products.map { _ in builder.name("\(prefix).part") }
        add(ONNXNode("Split", [result], parts, [ONNXAttribute("axis", .integer(-1))]), inLoop: isInLoop)
        for (value, part) in zip(group.products, parts) { names[value] = Name(number: part) }
    }

    /// Returns the name of the products of an operand's columns with the blocks of a weight, side by side.
    private mutating func blockProduct(_ operand: String, _ group: TracedStep.Group, inLoop: Bool) -> String {
        let axis = [ONNXAttribute("axis", .integer(-1))]
        let parts = (0..<group.blocks).map { _ in builder.name("\(prefix).part") }
        add(ONNXNode("Split", [operand], parts, axis), inLoop: inLoop)
        let products = parts.enumerated().map { block, part in
            let size = group.rows.count / group.blocks, start = group.rows.lowerBound + block * size
            return add("MatMul", [part, matrix(group, start..<start + size)], as: "product", inLoop: inLoop)
        }
        return add("Concat", products, as: "product", inLoop: inLoop, axis)
    }

    /// Returns the name of rows of a group's weight, stored so that the product needs no transposition.
    private mutating func matrix(_ group: TracedStep.Group, _ rows: Range<Int>) -> String {
        let key = Matrix(packed: group.packed, rows: rows, isTransposed: group.isTransposed)
        if let known = matrices[key] { return known }
        let stored = weights.name(packed: group.packed), columns = weights.layout.packed[group.packed].columns
        // Values are rows, and are multiplied from the right.
        let name =
            group.isTransposed
            ? builder.tensor(stored, shape: [rows.count, columns]) { [weights] in
                weights.values(packed: group.packed, rows)
            }
            : builder.tensor("\(stored).transposed", shape: [columns, rows.count]) { [weights] in
                weights.transposed(packed: group.packed, rows)
            }
        matrices[key] = name
        return name
    }

    private func vector(_ parameter: Int) -> String {
        builder.tensor("\(prefix).\(step.parameters[parameter].name)", shape: [weights.hiddenWidth]) { [weights] in
            weights.values(parameter: parameter)
        }
    }

    /// Returns the name of a new state under a name of its own, since another state or an operator may use the value, too.
    private mutating func newState(_ value: Value, old: String) -> String {
        let name = number(value, inLoop: true), own = dependence[value]!
        if own.onStates || own.onInput { return add("Identity", [name], as: "new", inLoop: true) }
        let shape = add("Shape", [old], as: "shape", inLoop: true)
        return add("Expand", [name, shape], as: "new", inLoop: true)
    }
}

extension PointwiseOperation {
    /// The name of ONNX's operator for numbers; nil if there is none.
    fileprivate var operatorName: String? {
        switch self {
        case .negate: "Neg"
        case .absolute: "Abs"
        case .sign: "Sign"
        case .exp: "Exp"
        case .log: "Log"
        case .sqrt: "Sqrt"
        case .tanh: "Tanh"
        case .sigmoid: "Sigmoid"
        case .sin: "Sin"
        case .cos: "Cos"
        case .erf: "Erf"
        case .add: "Add"
        case .subtract: "Sub"
        case .multiply: "Mul"
        case .divide: "Div"
        case .maximum: "Max"
        case .minimum: "Min"
        default: nil
        }
    }
}
