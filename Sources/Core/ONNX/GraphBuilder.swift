/// Builds a graph operator by operator, with a name of its own for every value.
final class GraphBuilder {
    private(set) var graph: ONNXGraph
    private var names: Set<String>
    private var constants: [String: String] = [:]

    init(name: String) {
        graph = ONNXGraph(name: name)
        names = []
    }

    /// Returns a name that is new in the graph and in the bodies of its loops, which share their names with it.
    func name(_ wish: String) -> String {
        var name = wish, number = 2
        while !names.insert(name).inserted {
            name = "\(wish)_\(number)"
            number += 1
        }
        return name
    }

    func input(_ value: ONNXValue) {
        names.insert(value.name)
        graph.inputs.append(value)
    }

    func output(_ value: ONNXValue) { graph.outputs.append(value) }

    /// Keeps the name of an output from being used by another value.
    func reserve(_ name: String) { names.insert(name) }

    func add(_ node: ONNXNode) { graph.nodes.append(node) }

    /// Adds an operator with one result.
    ///
    /// - Parameters:
    ///   - operation: the operator's name in the standard.
    ///   - inputs: the names of its operands.
    ///   - result: the name of the result, which a number follows if it isn't new.
    ///   - attributes: the attributes.
    /// - Returns: the name of the result.
    func add(_ operation: String, _ inputs: [String], as result: String, _ attributes: [ONNXAttribute] = []) -> String {
        let result = name(result)
        add(ONNXNode(operation, inputs, [result], attributes))
        return result
    }

    /// Returns the name of matrices side by side, or that of a single one.
    func joined(_ parts: [String], as result: String) -> String {
        parts.count == 1 ? parts[0] : add("Concat", parts, as: result, [ONNXAttribute("axis", .integer(-1))])
    }

    /// Adds a tensor of numbers, and returns its name.
    func tensor(_ wish: String, shape: [Int], _ values: @escaping () -> [Float]) -> String {
        let name = name(wish)
        graph.tensors.append(ONNXTensor(name, shape: shape, .floats(values)))
        return name
    }

    /// Returns the name of a constant number, which is stored once.
    func constant(_ value: Double) -> String {
        let wish = "constant_\(value)"
        if let known = constants[wish] { return known }
        let name = tensor(wish, shape: []) { [Float(value)] }
        constants[wish] = name
        return name
    }

    /// Returns the name of a constant list of whole numbers, such as axes, which is stored once.
    func integers(_ values: [Int]) -> String {
        let wish = "integers_\(values.map(String.init).joined(separator: "_"))"
        if let known = constants[wish] { return known }
        let name = name(wish)
        graph.tensors.append(ONNXTensor(name, shape: [values.count], .integers(values)))
        constants[wish] = name
        return name
    }
}
