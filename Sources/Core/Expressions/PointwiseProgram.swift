/// A straight-line list of scalar operations that is run for every element of a matrix.
///
/// All inputs are ``MatrixView``s of the outputs' shape, or broadcast to it (with a row
/// or column stride of 0). An output may be the same view as an input: a backend reads
/// all inputs of an element before it writes.
///
///     let axpy = PointwiseProgram(inputs: 2, scalars: 1) { x, a in [a[0] * x[0] + x[1]] }
public struct PointwiseProgram: Hashable, Sendable {
    /// One operation; its operands are indices of earlier instructions.
    public struct Instruction: Hashable, Sendable {
        /// The operation that computes the result.
        public let operation: PointwiseOperation
        /// The indices of the instructions whose results are the operands.
        public let operands: [Int]
        /// Creates an instruction.
        public init(operation: PointwiseOperation, operands: [Int]) {
            self.operation = operation
            self.operands = operands
        }
    }

    /// The number of matrices that the program reads.
    public let inputCount: Int
    /// The number of runtime scalars: numbers that are given at each run.
    public let scalarCount: Int
    /// The instructions in the order of execution, so that operands come before their
    /// users. None of them is a `product`.
    public let instructions: [Instruction]
    /// The indices of the instructions whose results are the outputs.
    public let outputs: [Int]

    /// Whether the program draws random numbers, so that a run needs a key.
    public var usesRandomNumbers: Bool { instructions.contains { $0.operation == .uniform } }

    /// Creates a program from equations.
    ///
    /// - Parameters:
    ///   - inputs: the number of matrices that the program reads.
    ///   - scalars: the number of runtime scalars.
    ///   - equations: returns the outputs for these inputs and scalars.
    public init(
        inputs: Int, scalars: Int = 0,
        _ equations: (_ inputs: [SymbolicValue], _ scalars: [SymbolicValue]) -> [SymbolicValue]
    ) {
        let results = equations(
            (0..<inputs).map { SymbolicValue(.input($0)) }, (0..<scalars).map { SymbolicValue(.scalar($0)) })
        var graph = ExpressionGraph()
        let values = results.map { graph.add($0) }
        self.init(graph: graph, outputs: values, inputCount: inputs, scalarCount: scalars) { value in
            if case .input(let index) = graph.nodes[value].operation { index } else { nil }
        }
    }

    /// Creates the program that computes `outputs`; a value for which `inputIndex` names an
    /// input is read rather than computed.
    init(
        graph: ExpressionGraph, outputs: [ExpressionGraph.Value], inputCount: Int, scalarCount: Int = 0,
        inputIndex: (ExpressionGraph.Value) -> Int?
    ) {
        var instructions: [Instruction] = []
        var placed: [ExpressionGraph.Value: Int] = [:]
        // Not recursive: a long chain of expressions must not overflow the call stack.
        var open = Array(outputs.reversed())
        while let value = open.last {
            if placed[value] != nil {
                open.removeLast()
            } else if let index = inputIndex(value) {
                placed[value] = instructions.count
                instructions.append(Instruction(operation: .input(index), operands: []))
            } else {
                let node = graph.nodes[value]
                if case .product = node.operation { preconditionFailure("a product inside a pointwise program") }
                if let missing = node.operands.first(where: { placed[$0] == nil }) {
                    open.append(missing)
                } else {
                    placed[value] = instructions.count
                    instructions.append(
                        Instruction(operation: node.operation, operands: node.operands.map { placed[$0]! }))
                }
            }
        }
        self.outputs = outputs.map { placed[$0]! }
        self.instructions = instructions
        self.inputCount = inputCount
        self.scalarCount = scalarCount
    }
}
