import RecurrentCore

/// A matrix of step 0, and the distance between those of two steps (0 if all are the same).
struct PersistentOperand {
    let view: MatrixView
    let stepStride: Int
}

/// A time loop's operations, with a place for every value: values passed from one operation
/// to the next, or to the next step, stay in shared memory; the device's memory holds values
/// that come from outside the loop or are read after it.
struct PersistentProgram {
    /// Columns of a buffer in shared memory: one row for each of the block's rows, or a single
    /// row that is the same for all (a bias).
    struct Slot {
        let buffer: Int
        let columns: Range<Int>
        let isSingle: Bool
        /// The floats of a row, with padding so that a product may read a four past its end.
        var stride: Int { (columns.count + 3) / 4 * 4 + 4 }
    }

    /// A matrix in shared memory: the sum of what a kernel wrote there and of the results
    /// of products.
    struct Value: Equatable {
        var slot: Int?
        var products: [Int] = []
    }

    enum Input {
        /// A buffer that doesn't exist and counts as zero.
        case zero
        case shared(Value, column: Int)
        /// An operand in the device's memory, by number; the loop doesn't write it before it is
        /// read, so it may be read a step ahead.
        case memory(Int, repeatsColumn: Bool)
    }

    struct Output {
        var slot: (number: Int, column: Int)?
        var operand: Int?
    }

    struct Product {
        let weight: MatrixView
        /// The operand's slot, and the column of the slot at which it begins.
        let slot: Int, column: Int
        var size: PersistentGeometry.Product { .init(inner: weight.rows, outer: weight.columns) }
    }

    struct Kernel {
        let program: PointwiseProgram
        let columns: Int
        let inputs: [Input]
        let outputs: [Output]
        /// The numbers of the inputs that come from the device's memory.
        var loaded: [Int] { inputs.indices.filter { if case .memory = inputs[$0] { true } else { false } } }
    }

    /// A value that is in the device's memory before the first step or after the last, and
    /// in shared memory in between.
    struct Carried {
        let operand: Int
        let value: Value
        let columns: Int
        /// Whether the value is written back after the last step.
        let isStored: Bool
    }

    enum Step {
        case product(Int)
        case kernel(Int)
    }

    private(set) var operands: [PersistentOperand] = []
    private(set) var slots: [Slot] = []
    private(set) var products: [Product] = []
    private(set) var kernels: [Kernel] = []
    private(set) var steps: [Step] = []
    private(set) var carried: [Carried] = []
    /// The operands and slots of values that are the same in all steps.
    private(set) var constants: [(operand: Int, slot: Int)] = []

    private let plan: RecurrencePlan
    private let binding: RecurrenceBinding
    private var numbers: [PlanOperand: Int] = [:]
    private var slotOf: [SlotKey: Int] = [:]
    /// The values of buffers that live in shared memory.
    private var values: [Int: Value] = [:]

    private struct SlotKey: Hashable {
        let buffer: Int
        /// The first column of a single row; other buffers have one slot each.
        var column = 0
    }

    /// Finds a place for every value, or returns nil if a persistent loop can't run the operations.
    init?(_ operations: [PlanOperation], of plan: RecurrencePlan, _ binding: RecurrenceBinding) {
        self.plan = plan
        self.binding = binding
        let present = operations.filter { operation in
            // As in all backends, operations whose result isn't wanted are left out.
            operation.results.allSatisfy { binding.views[$0.buffer] != nil }
        }
        guard present.allSatisfy({ $0.isGEMM || $0.isKernel }), let ranges = sharedRanges(present) else { return nil }
        for (buffer, columns) in ranges.sorted(by: { $0.key < $1.key }) {
            slotOf[.init(buffer: buffer)] = slots.count
            slots.append(Slot(buffer: buffer, columns: columns, isSingle: false))
        }
        for buffer in ranges.keys where isState(buffer) { values[buffer] = Value(slot: slotOf[.init(buffer: buffer)]!) }
        // A trial finds what a step leaves to the next; the final pass starts from that.
        var trial = self
        for buffer in Set(present.flatMap(\.results).map(\.buffer)) where isGradient(buffer) {
            trial.values[buffer] = Value(slot: slotOf[.init(buffer: buffer)])
        }
        guard trial.place(present) else { return nil }
        values = trial.values.filter { plan.buffers[$0.key].role != .scratch }
        guard place(present), values == trial.values, carry() else { return nil }
    }

    private func isState(_ buffer: Int) -> Bool { if case .states = plan.buffers[buffer].role { true } else { false } }
    private func isGradient(_ buffer: Int) -> Bool {
        if case .stateGradient = plan.buffers[buffer].role { true } else { false }
    }
    /// Whether a buffer is the same in all steps and used only within the loop.
    private func isInside(_ buffer: Int) -> Bool { isGradient(buffer) || plan.buffers[buffer].role == .scratch }
    /// Whether a buffer is the same in all steps and is never written in the loop.
    private func isParameter(_ buffer: Int) -> Bool {
        switch plan.buffers[buffer].role {
        case .parameter, .derivedVectors: true
        default: false
        }
    }
    private func isWhole(_ operand: PlanOperand) -> Bool {
        operand.column == 0 && operand.columns == plan.buffers[operand.buffer].columns
    }
    private static func columns(_ operand: PlanOperand) -> Range<Int> {
        operand.column..<operand.column + operand.columns
    }

    /// Returns, for each buffer that is both written and read in the loop, its shared columns.
    private func sharedRanges(_ operations: [PlanOperation]) -> [Int: Range<Int>]? {
        var ranges: [Int: Range<Int>] = [:], written: [Int: Set<Range<Int>>] = [:]
        for operation in operations {
            for read in operation.reads {
                let columns = Self.columns(read), before = (written[read.buffer] ?? []).filter { $0.overlaps(columns) }
                if before.isEmpty || isInside(read.buffer) || isState(read.buffer) { continue }
                // It must have written all of them, or they would be in two places.
                guard before.reduce(0, { $0 + $1.count }) == columns.count,
                    before.allSatisfy({ columns.lowerBound <= $0.lowerBound && $0.upperBound <= columns.upperBound })
                else { return nil }
                let known = ranges[read.buffer] ?? columns
                ranges[read.buffer] =
                    min(known.lowerBound, columns.lowerBound)..<max(known.upperBound, columns.upperBound)
            }
            for result in operation.results {
                let columns = Self.columns(result)
                if (written[result.buffer] ?? []).contains(where: { $0 != columns && $0.overlaps(columns) }) {
                    return nil
                }
                written[result.buffer, default: []].insert(columns)
                if isState(result.buffer) || isInside(result.buffer) && operation.isKernel {
                    guard isWhole(result) else { return nil }
                    ranges[result.buffer] = columns
                }
            }
        }
        return ranges
    }

    /// Returns the number of an operand in the device's memory, adding it if it is new.
    private mutating func number(_ operand: PlanOperand) -> Int {
        if let known = numbers[operand] { return known }
        let view = binding.view(operand, in: plan, at: 0)!
        let next = binding.steps > 1 ? binding.view(operand, in: plan, at: 1)! : view
        numbers[operand] = operands.count
        operands.append(PersistentOperand(view: view, stepStride: next.offset - view.offset))
        return operands.count - 1
    }

    /// Assigns places to all operations' operands; returns false if that isn't possible.
    private mutating func place(_ operations: [PlanOperation]) -> Bool {
        var written: [Int: Set<Range<Int>>] = [:]
        for operation in operations {
            switch operation {
            case .gemm(let a, let b, let result, let accumulate):
                guard let weight = binding.view(b, in: plan, at: 0), isInside(result.buffer), isWhole(result),
                    case .shared(let value, let column)? = input(a, written), let slot = value.slot,
                    value.products.isEmpty,
                    column % 4 == 0, !slots[slot].isSingle
                else { return false }
                var sum = accumulate ? values[result.buffer] : Value()
                guard sum?.products.contains(products.count) == false else { return false }
                sum!.products.append(products.count)
                values[result.buffer] = sum
                steps.append(.product(products.count))
                products.append(Product(weight: weight, slot: slot, column: column))
            case .kernel(let number, let sources, let targets):
                let program = plan.programs[number], columns = targets[0].columns
                guard program.scalarCount == 0, !program.usesRandomNumbers,
                    targets.allSatisfy({ $0.columns == columns })
                else { return false }
                var inputs: [Input] = []
                for source in sources {
                    guard let input = input(source, written) else { return false }
                    if source.columns != columns {
                        guard case .memory(_, repeatsColumn: true) = input else { return false }
                    }
                    // Of the elements that are overwritten, a thread may read only its own.
                    let range = Self.columns(source)
                    let isShifted = targets.contains {
                        $0.buffer == source.buffer && Self.columns($0) != range && Self.columns($0).overlaps(range)
                    }
                    if isShifted { return false }
                    inputs.append(input)
                }
                var outputs: [Output] = []
                for target in targets {
                    guard !target.isTransposed, !isState(target.buffer) || target.timeShift == 1 else { return false }
                    var output = Output()
                    if let slot = slotOf[.init(buffer: target.buffer)], slots[slot].columns.contains(target.column) {
                        output.slot = (slot, target.column - slots[slot].columns.lowerBound)
                        if isInside(target.buffer) { values[target.buffer] = Value(slot: slot) }
                    }
                    if !isInside(target.buffer) { output.operand = self.number(target) }
                    outputs.append(output)
                }
                steps.append(.kernel(kernels.count))
                kernels.append(Kernel(program: program, columns: columns, inputs: inputs, outputs: outputs))
            case .lookup, .tokenSum, .weightGradient, .vectorGradient: return false
            }
            for result in operation.results { written[result.buffer, default: []].insert(Self.columns(result)) }
        }
        return true
    }

    /// Finds an operand, given the columns of each buffer that this step has written so far.
    private mutating func input(_ operand: PlanOperand, _ written: [Int: Set<Range<Int>>]) -> Input? {
        let buffer = operand.buffer, columns = Self.columns(operand)
        guard let view = binding.view(operand, in: plan, at: 0) else { return .zero }
        if isParameter(buffer) {
            guard operand.rows?.count == 1, !operand.isTransposed else { return nil }
            let key = SlotKey(buffer: buffer, column: operand.column)
            if slotOf[key] == nil {
                slotOf[key] = slots.count
                constants.append((number(operand), slots.count))
                slots.append(Slot(buffer: buffer, columns: columns, isSingle: true))
            }
            let slot = slotOf[key]!
            return slots[slot].columns == columns ? .shared(Value(slot: slot), column: 0) : nil
        }
        guard view.columnStride == 1 || view.columns == 1, !operand.isTransposed else { return nil }
        if isInside(buffer) { return values[buffer].map { .shared($0, column: operand.column) } }
        let isWritten = written[buffer]?.contains { $0.overlaps(columns) } == true
        if isState(buffer), let value = values[buffer] {
            // Shared memory holds the state before the step and, once written, the new one.
            return operand.timeShift == (isWritten ? 1 : 0) ? .shared(value, column: operand.column) : nil
        }
        if isWritten {
            let slot = slotOf[.init(buffer: buffer)]!
            return .shared(Value(slot: slot), column: operand.column - slots[slot].columns.lowerBound)
        }
        return .memory(number(operand), repeatsColumn: operand.columns == 1)
    }

    /// Determines what the first step finds in shared memory, and what the last one leaves.
    private mutating func carry() -> Bool {
        for (buffer, value) in values.sorted(by: { $0.key < $1.key }) {
            guard isState(buffer) || isGradient(buffer), binding.views[buffer] != nil else { continue }
            let columns = plan.buffers[buffer].columns
            carried.append(
                Carried(
                    operand: number(PlanOperand(buffer: buffer, columns: columns)), value: value, columns: columns,
                    isStored: isGradient(buffer)))
        }
        // Elements' offsets must fit into 32 bits.
        return operands.allSatisfy { operand in
            (operand.view.rows - 1) * operand.view.rowStride + (binding.steps - 1) * operand.stepStride
                + operand.view.columns < 1 << 31
        }
    }
}
