/// A planner that assigns values to places in buffers and puts GEMMs and kernels in order.
struct StepPlanner {
    typealias Value = ExpressionGraph.Value

    let step: TracedStep
    /// Whether the input is given as tokens of an embedding.
    let readsTokens: Bool
    private(set) var buffers: [PlanBuffer] = []
    private(set) var programs: [PointwiseProgram] = []
    var prelude: [PlanOperation] = []
    var forwardLoop: [PlanOperation] = []
    var backwardLoop: [PlanOperation] = []
    var epilogue: [PlanOperation] = []

    /// The places of the products of the forward pass.
    var products: [Value: PlanOperand] = [:]
    /// The places of the saved values in the backward pass.
    var saved: [Value: PlanOperand] = [:]
    /// The place of each group's operand, for its GEMM and its weight gradient.
    var operands: [Int: PlanOperand] = [:]
    /// The buffer of each group's products and, in the backward pass, of a hoisted group's δ.
    var groupBuffers: [Int: Int] = [:]
    /// For tokens, the place of each hoisted group's products with the embedding and, in the backward pass, of the sums of
    /// its δ.
    var tables: [Int: PlanOperand] = [:]
    /// The places of δ and other adjoints that are kept for the epilogue.
    var adjoints: [Value: [PlanOperand]] = [:]

    var hidden: Int { step.hiddenWidth }

    init(_ step: TracedStep, readsTokens: Bool) {
        self.step = step
        self.readsTokens = readsTokens
    }

    mutating func addBuffer(_ name: String, _ role: PlanBuffer.Role, columns: Int) -> Int {
        buffers.append(PlanBuffer(name: name, role: role, columns: columns))
        return buffers.count - 1
    }

    func buffer(_ role: PlanBuffer.Role) -> Int {
        buffers.firstIndex { $0.role == role }!
    }

    /// Adds the buffers that every plan of the cell has.
    mutating func declareBuffers(training: Bool) {
        _ = addBuffer("input", readsTokens ? .embedding : .input, columns: step.inputWidth)
        for (index, name) in step.cell.stateNames.enumerated() {
            _ = addBuffer("states.\(name)", .states(index: index), columns: hidden)
        }
        if step.knownLeaf(.mask(state: nil)) != nil { _ = addBuffer("mask", .mask, columns: 1) }
        if step.knownLeaf(.mask(state: 0)) != nil {
            _ = addBuffer("mask", .mask, columns: step.cell.stateNames.count * hidden)
        }
        for (index, parameter) in step.layout.packed.enumerated() {
            _ = addBuffer(parameter.name, .parameter(index: index), columns: parameter.columns)
        }
        guard training else { return }
        _ = addBuffer(
            "gradient.input", readsTokens ? .embeddingGradient : .inputGradient, columns: step.inputWidth)
        _ = addBuffer("gradient.output", .outputGradient, columns: step.cell.outputCount * hidden)
        for (index, name) in step.cell.stateNames.enumerated() {
            _ = addBuffer("gradient.\(name)", .stateGradient(index: index), columns: hidden)
        }
        for (index, parameter) in step.layout.packed.enumerated() {
            _ = addBuffer("gradient.\(parameter.name)", .parameterGradient(index: index), columns: parameter.columns)
        }
    }

    /// Returns the place of a leaf; for a state, that of its value before the step.
    func place(of leaf: TracedStep.Leaf) -> PlanOperand {
        switch leaf {
        case .input: PlanOperand(buffer: buffer(readsTokens ? .embedding : .input), columns: step.inputWidth)
        case .state(let index): PlanOperand(buffer: buffer(.states(index: index)), columns: hidden)
        case .vector(let index):
            PlanOperand(
                buffer: buffer(.parameter(index: step.layout.locations[index].packed)),
                column: step.layout.locations[index].start, columns: hidden, rows: 0..<1)
        case .mask(state: nil): PlanOperand(buffer: buffer(.mask), columns: 1)
        case .mask(state: let state?): PlanOperand(buffer: buffer(.mask), column: state * hidden, columns: hidden)
        case .stateGradient(let index):
            PlanOperand(buffer: buffer(.stateGradient(index: index)), columns: hidden)
        case .outputGradient(let index):
            PlanOperand(buffer: buffer(.outputGradient), column: index * hidden, columns: hidden)
        case .backProduct(let group): PlanOperand(buffer: backProductBuffers[group]!, columns: hidden)
        case .derivedGradient(let number): derivedVector(number, in: derivedGradientBuffer!)
        case .vectorGradient(let index):
            PlanOperand(
                buffer: buffer(.parameterGradient(index: step.layout.locations[index].packed)),
                column: step.layout.locations[index].start, columns: hidden, rows: 0..<1)
        }
    }
    /// The places of the derived vectors, once they have been computed.
    var derivedPlaces: [Value: PlanOperand] = [:]
    /// The buffer of the derived vectors' gradients.
    var derivedGradientBuffer: Int?

    func derivedVector(_ number: Int, in buffer: Int) -> PlanOperand {
        PlanOperand(buffer: buffer, column: number * hidden, columns: hidden, rows: 0..<1)
    }

    /// Plans the computation of the derived vectors.
    mutating func emitDerivedVectors() {
        guard !step.derived.isEmpty else { return }
        let buffer = addBuffer("derived", .derivedVectors, columns: step.derived.count * hidden)
        let outputs = step.derived.enumerated().map { (value: $1, place: derivedVector($0, in: buffer)) }
        prelude.append(kernel(outputs, available: [:]))
        for (value, place) in outputs { derivedPlaces[value] = place }
    }
    var backProductBuffers: [Int: Int] = [:]
    /// The place of each group's δ.
    var deltas: [Int: PlanOperand] = [:]

    func stateAfterStep(_ index: Int) -> PlanOperand {
        PlanOperand(buffer: buffer(.states(index: index)), columns: hidden, timeShift: 1)
    }

    /// Returns the products of a value with a group's weight: one, or one for each block of the weight.
    ///
    /// - Parameters:
    ///   - group: the group.
    ///   - source: the left operand, which has as many columns as the product has inputs or, backwards, outputs.
    ///   - isBackward: whether δ is sent back to the operand, by the transpose of the matrix of the forward pass.
    ///   - result: where the products go.
    ///   - accumulate: whether they are added to what is there.
    func products(
        of group: Int, _ source: PlanOperand, isBackward: Bool, into result: PlanOperand, accumulate: Bool = false
    ) -> [PlanOperation] {
        let group = step.groups[group]
        return (0..<group.blocks).map { block in
            .gemm(
                a: source.part(block, of: group.blocks),
                b: PlanOperand(
                    buffer: buffer(.parameter(index: group.packed)), columns: step.layout.packed[group.packed].columns,
                    rows: group.rows.part(block, of: group.blocks),
                    // Values are rows, and are multiplied from the right.
                    isTransposed: isBackward == group.isTransposed),
                result: result.part(block, of: group.blocks), accumulate: accumulate)
        }
    }

    /// Returns the kernel that computes `outputs`; it reads the values in `available`, which
    /// are in memory already, and derived vectors, rather than recomputing them.
    mutating func kernel(
        _ outputs: [(value: Value, place: PlanOperand)], available: [Value: PlanOperand]
    ) -> PlanOperation {
        var inputs: [PlanOperand] = []
        var indices: [PlanOperand: Int] = [:]
        var places: [Value: Int] = [:]
        // Inputs are numbered in the order in which they are met, so the program is built
        // twice: the first time to count them.
        func inputIndex(_ value: Value) -> Int? {
            if let known = places[value] { return known }
            let known = available[value] ?? derivedPlaces[value]
            guard let operand = known ?? step.leafKind(value).map({ place(of: $0) }) else { return nil }
            let index = indices[operand] ?? inputs.count
            if index == inputs.count { inputs.append(operand) }
            indices[operand] = index
            places[value] = index
            return index
        }
        let values = outputs.map(\.value)
        _ = PointwiseProgram(graph: step.graph, outputs: values, inputCount: 0, inputIndex: inputIndex)
        programs.append(
            PointwiseProgram(graph: step.graph, outputs: values, inputCount: inputs.count, inputIndex: inputIndex))
        return .kernel(program: programs.count - 1, inputs: inputs, outputs: outputs.map(\.place))
    }
}

extension PlanOperand {
    /// Returns one of several parts of the columns, which have the same width.
    func part(_ index: Int, of count: Int) -> PlanOperand {
        guard count > 1 else { return self }
        var part = self
        part.columns = columns / count
        part.column += index * part.columns
        return part
    }
}

extension Range<Int> {
    /// Returns one of several parts, which have the same length.
    func part(_ index: Int, of parts: Int) -> Range<Int> {
        lowerBound + index * count / parts..<lowerBound + (index + 1) * count / parts
    }
}
