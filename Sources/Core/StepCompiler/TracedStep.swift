/// A cell's equations as a graph, with the products grouped into GEMMs.
package struct TracedStep {
    package typealias Value = ExpressionGraph.Value

    /// What a leaf of the graph stands for; leaf k is the operation `.input(k)`.
    package enum Leaf: Hashable {
        case input
        case state(Int)
        /// One of the cell's vectors, by the index of its parameter.
        case vector(Int)
        /// The mask that is 1 where a new state is taken and 0 where the old one is kept; one
        /// for all states, or one per state if each unit has its own mask.
        case mask(state: Int?)
        case stateGradient(Int)
        /// The gradient of a state as part of the output.
        case outputGradient(Int)
        /// The gradient `δ · W` that a group's GEMM sends back to its operand.
        case backProduct(group: Int)
        /// The gradient of a derived vector, summed over all rows and steps.
        case derivedGradient(Int)
        /// What has been added to the gradient of a vector, by the index of its parameter.
        case vectorGradient(Int)
    }

    /// Products that share their left operand and whose weights are adjacent; they are
    /// merged into one GEMM.
    package struct Group {
        /// The products in the order of their weights.
        package var products: [Value]
        package let packed: Int
        package let rows: Range<Int>
        /// The number of blocks along the diagonal of the weight: block i of the operand's columns is multiplied by block
        /// i of the rows.
        package let blocks: Int
        /// Whether the weight is transposed; a group then has one product.
        package let isTransposed: Bool
        package let operand: Value
        /// 0 if the operand is the input, so that the group is hoisted out of the loop; n if it
        /// can run once the products of level n - 1 are known.
        let level: Int
        var isHoisted: Bool { level == 0 }
    }

    package let cell: any RecurrentCell
    package let inputWidth: Int
    package let hiddenWidth: Int
    package let layout: PackedLayout
    package let parameters: [CellParameter]
    package internal(set) var graph = ExpressionGraph()
    private(set) var leaves: [Leaf] = []
    private var leafValues: [Leaf: Value] = [:]
    /// The new states.
    package private(set) var results: [Value] = []
    package private(set) var groups: [Group] = []
    package private(set) var groupOf: [Value: Int] = [:]
    /// Derived vectors: what the cell's vectors alone determine, such as `exp(p.nu)`, unless it is as cheap as a sum.
    package private(set) var derived: [Value] = []

    /// Traces a cell's equations.
    ///
    /// - Throws: ``RecurrentError/cell(_:)`` if the cell's declarations or equations are wrong, or
    ///   ``RecurrentError/invalidOption(_:)`` if it needs an input and states of the same width and they differ.
    package init(
        _ cell: any RecurrentCell, inputWidth: Int, hiddenWidth: Int, masked: Bool = false, zoneout: Zoneout? = nil
    ) throws {
        self.cell = cell
        self.inputWidth = inputWidth
        self.hiddenWidth = hiddenWidth
        parameters = cell.parameters
        layout = try PackedLayout(cell, inputWidth: inputWidth, hiddenWidth: hiddenWidth)
        try trace(masked: masked, zoneout: zoneout)
        try checkEquations()
        findDerivedVectors()
        formGroups()
    }

    /// Returns the value of a leaf, which is added to the graph if it is new.
    mutating func leaf(_ leaf: Leaf) -> Value {
        if let known = leafValues[leaf] { return known }
        let value = graph.add(.input(leaves.count), [])
        leaves.append(leaf)
        leafValues[leaf] = value
        return value
    }

    /// Whether the equations read the input not only as the operand of products.
    var readsInputItself: Bool {
        guard let input = knownLeaf(.input) else { return false }
        return results.contains(input)
            || graph.cone(of: results).contains { value in
                if case .product = graph.nodes[value].operation { return false }
                return graph.nodes[value].operands.contains(input)
            }
    }

    package func leafKind(_ value: Value) -> Leaf? {
        if case .input(let index) = graph.nodes[value].operation { leaves[index] } else { nil }
    }

    func knownLeaf(_ leaf: Leaf) -> Value? { leafValues[leaf] }

    private mutating func trace(masked: Bool, zoneout: Zoneout?) throws {
        var expressions: [Leaf: SymbolicValue] = [:]
        func symbol(_ leaf: Leaf, _ step: inout TracedStep) -> SymbolicValue {
            _ = step.leaf(leaf)
            let expression = SymbolicValue(.input(step.leaves.count - 1))
            expressions[leaf] = expression
            return expression
        }
        let names = cell.stateNames
        try checkStates(names)
        let x = symbol(.input, &self)
        let states = names.indices.map { symbol(.state($0), &self) }
        var vectors: [String: SymbolicValue] = [:]
        for (index, parameter) in parameters.enumerated() where parameter.isVector {
            vectors[parameter.name] = symbol(.vector(index), &self)
        }
        let trace = CellTrace(cellName: cell.name, parameters: parameters)
        var new = cell.step(
            input: x, states: CellStates(values: states, names: names, trace: trace),
            parameters: CellSymbols(vectors: vectors, trace: trace))
        if let mistake = trace.mistake { throw mistake }
        guard new.count == states.count else {
            throw mistake(
                "has \(states.count) state\(states.count == 1 ? "" : "s") (\(names.listed)), but its step returned \(new.count); return one new value for each"
            )
        }
        if let unused = trace.unusedParameter {
            throw mistake("declares '\(unused.name)', but its step never uses it; use it, or don't declare it")
        }
        if case .expected(let rate)? = zoneout {
            new = zip(new, states).map { SymbolicValue(1 - rate) * $0 + SymbolicValue(rate) * $1 }
        }
        if case .random? = zoneout {
            // The mask also says where sequences end.
            new = new.indices.map { select(symbol(.mask(state: $0), &self), new[$0], states[$0]) }
        } else if masked {
            let mask = symbol(.mask(state: nil), &self)
            new = zip(new, states).map { select(mask, $0, $1) }
        }
        results = new.map { graph.add($0) }
    }

    private mutating func findDerivedVectors() {
        // Whether each value depends on vectors alone, and whether it takes more than a sum or a product.
        var isOfVectors: [Value: Bool] = [:], isCostly: Set<Value> = [], read = results
        for value in graph.cone(of: results).sorted() {
            let node = graph.nodes[value]
            switch (leafKind(value), node.operation) {
            case (.vector?, _), (nil, .constant): isOfVectors[value] = true
            case (.some, _), (nil, .product): isOfVectors[value] = false
            default:
                isOfVectors[value] = node.operands.allSatisfy { isOfVectors[$0]! }
                if node.operation.isTranscendental || node.operands.contains(where: isCostly.contains) {
                    isCostly.insert(value)
                }
            }
            if !isOfVectors[value]! { read += node.operands }
        }
        derived = Set(read).filter { isOfVectors[$0]! && isCostly.contains($0) }.sorted()
    }

    private mutating func formGroups() {
        let order = graph.cone(of: results).sorted()
        var levels: [Value: Int] = [:]  // of the products in a value's cone
        var members: [Key: [Value]] = [:]
        var keys: [Key] = []
        for value in order {
            let node = graph.nodes[value]
            var level = node.operands.map { levels[$0]! }.max() ?? 0
            if case .product(let weight, let isTransposed) = node.operation {
                let operand = node.operands[0]
                if leafKind(operand) != .input { level += 1 }
                let key = Key(
                    operand: operand, packed: layout.locations[weight].packed, isTransposed: isTransposed,
                    level: leafKind(operand) == .input ? 0 : level)
                if members[key] == nil { keys.append(key) }
                members[key, default: []].append(value)
            }
            levels[value] = level
        }
        for key in keys {
            let sorted = members[key]!.map { (value: $0, row: startRow(of: $0)) }.sorted { $0.row < $1.row }
            var runs: [[(value: Value, row: Int)]] = []
            for item in sorted {
                // Transposed weights that are stored one below the other aren't one matrix.
                if !key.isTransposed, let last = runs.last?.last, last.row + hiddenWidth == item.row {
                    runs[runs.count - 1].append(item)
                } else {
                    runs.append([item])
                }
            }
            for run in runs {
                for item in run { groupOf[item.value] = groups.count }
                groups.append(
                    Group(
                        products: run.map(\.value), packed: key.packed,
                        rows: run[0].row..<run[0].row + run.count * hiddenWidth,
                        blocks: layout.packed[key.packed].parts[0].parameter.blocks,
                        isTransposed: key.isTransposed, operand: key.operand, level: key.level))
            }
        }
    }

    private struct Key: Hashable {
        let operand: Value
        let packed: Int
        let isTransposed: Bool
        let level: Int
    }

    private func startRow(of product: Value) -> Int {
        guard case .product(let weight, _) = graph.nodes[product].operation else { preconditionFailure() }
        return layout.locations[weight].start
    }
}
