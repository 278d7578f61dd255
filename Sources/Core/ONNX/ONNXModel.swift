import RecurrentCore

/// A model as `onnx.proto` describes it: a graph with what is said about it.
package struct ONNXModel {
    /// The version of the file format; 8 is the one of opset 17.
    package static let formatVersion = 8
    /// The version of the operators.
    package static let opset = 17
    /// A message of protocol buffers is at most as long as this, with which its readers index it.
    package static let largestSize = Int(Int32.max)

    /// The computation.
    package var graph: ONNXGraph
    /// What the model is, in sentences.
    package var documentation = ""
    /// Further properties, by their names.
    package var metadata: [(name: String, value: String)] = []

    /// Creates a model.
    package init(graph: ONNXGraph) { self.graph = graph }
}

/// A graph of operators: the model's own or the body of a loop.
package struct ONNXGraph {
    /// The name of the graph.
    package var name: String
    /// The operators, each after those whose results it uses.
    package var nodes: [ONNXNode] = []
    /// The weights and other constants.
    package var tensors: [ONNXTensor] = []
    /// What is given to the graph.
    package var inputs: [ONNXValue] = []
    /// What it computes.
    package var outputs: [ONNXValue] = []

    /// Creates a graph without operators.
    package init(name: String) { self.name = name }
}

/// One operator in a graph.
package struct ONNXNode {
    /// The operator's name in the standard, such as `MatMul`.
    package let operation: String
    /// The names of the operands; an empty one for an optional operand that is left out.
    package let inputs: [String]
    /// The names of the results; an empty one for an optional result that isn't used.
    package let outputs: [String]
    /// The attributes.
    package let attributes: [ONNXAttribute]

    /// Creates an operator.
    package init(_ operation: String, _ inputs: [String], _ outputs: [String], _ attributes: [ONNXAttribute] = []) {
        self.operation = operation
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
    }
}

/// An attribute of an operator.
package struct ONNXAttribute {
    /// The value of an attribute.
    package enum Value {
        /// A whole number.
        case integer(Int)
        /// A text.
        case text(String)
        /// Several numbers.
        case floats([Double])
        /// Several whole numbers.
        case integers([Int])
        /// Several texts.
        case texts([String])
        /// The body of a loop.
        case graph(ONNXGraph)
    }
    /// The name in the standard.
    package let name: String
    /// The value.
    package let value: Value
    /// Creates an attribute.
    package init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }
}

/// The type of the elements of a tensor, by its number in `onnx.proto`.
package enum ONNXType: Int {
    case float = 1
    case int64 = 7
    case bool = 9
}

/// An input or output of a graph.
package struct ONNXValue {
    /// The length of an axis.
    package enum Axis: Equatable {
        /// A length that is known.
        case size(Int)
        /// A length that each run decides, by its name.
        case named(String)
    }
    /// The name of the value.
    package let name: String
    /// The type of the elements.
    package let type: ONNXType
    /// The shape.
    package let shape: [Axis]
    /// What the value means.
    package let documentation: String

    /// Creates a value.
    package init(_ name: String, _ type: ONNXType, _ shape: [Axis], _ documentation: String = "") {
        self.name = name
        self.type = type
        self.shape = shape
        self.documentation = documentation
    }

    /// The name and shape in one text: `tokens [sequence, batch]`.
    package var text: String {
        let axes = shape.map { axis in
            switch axis {
            case .size(let count): "\(count)"
            case .named(let name): name
            }
        }
        return "\(name) [\(axes.joined(separator: ", "))]"
    }
}

/// A constant tensor.
package struct ONNXTensor {
    /// The elements of a tensor.
    package enum Elements {
        /// Numbers, which are requested when they are written.
        case floats(() -> [Float])
        /// Whole numbers, such as a shape.
        case integers([Int])
    }
    /// The name by which operators refer to the tensor.
    package let name: String
    /// The shape; empty for a single number.
    package let shape: [Int]
    /// The elements, row by row.
    package let elements: Elements

    /// Creates a tensor.
    package init(_ name: String, shape: [Int], _ elements: Elements) {
        self.name = name
        self.shape = shape
        self.elements = elements
    }

    /// The number of elements.
    package var count: Int { shape.reduce(1, *) }
    /// The type of the elements.
    package var type: ONNXType { if case .floats = elements { .float } else { .int64 } }
    /// The number of bytes of all elements.
    package var size: Int { count * (type == .float ? 4 : 8) }
}
