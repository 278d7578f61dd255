/// The buffers of a ``StepProgram`` in one session. A step works on any number of rows up to its capacity, and allocates
/// nothing: only the views' numbers of rows change.
final class StepRunner {
    private struct Product {
        var source: MatrixView
        let matrix: any PreparedMatrix
        var target: MatrixView
    }
    private struct Lookup {
        let table: MatrixView
        var target: MatrixView
    }
    private struct Call {
        let kernel: any Kernel
        var inputs: [MatrixView]
        var outputs: [MatrixView]
    }
    private enum Order { case product(Int), lookup(Int), call(Int) }

    /// The states before a step, [capacity, H] each.
    let before: [MatrixView]
    /// The states after a step, [capacity, H] each.
    let after: [MatrixView]
    /// The output of a step, [capacity, O].
    let output: MatrixView
    private let backend: any Backend
    private var products: [Product] = []
    private var lookups: [Lookup] = []
    private var calls: [Call] = []
    private var order: [Order] = []
    private var rows: Int

    /// Allocates the buffers.
    ///
    /// - Parameters:
    ///   - program: the layer.
    ///   - input: its inputs, [capacity, E].
    ///   - capacity: the largest number of rows.
    ///   - backend: the session's backend.
    init(_ program: StepProgram, input: MatrixView?, capacity: Int, on backend: any Backend) throws {
        self.backend = backend
        rows = capacity
        let plan = program.plan
        let before = try plan.allocateStates(rows: capacity, on: backend)
        let after = try plan.allocateStates(rows: capacity, on: backend)
        var views: [MatrixView?] = []
        for buffer in plan.buffers {
            switch buffer.role {
            case .input: views.append(input)
            case .parameter(let number): views.append(program.parameters[number])
            case .states(let index): views.append(before.states[index])
            case .derivedVectors: views.append(program.derivedVectors)
            case .perStep, .scratch: views.append(try backend.allocate(rows: capacity, columns: buffer.columns))
            case .inputGradient, .outputGradient, .stateGradient, .parameterGradient, .mask: views.append(nil)
            case .embedding, .embeddingGradient, .perToken: preconditionFailure("a plan of one step reads vectors")
            }
        }
        (self.before, self.after, output) = (before.states, after.states, after.output)
        func view(_ operand: PlanOperand) -> MatrixView {
            let role = plan.buffers[operand.buffer].role
            guard var view = views[operand.buffer] else { preconditionFailure("a step has no buffer for its \(role)") }
            if case .states(let index) = role, operand.timeShift == 1 { view = after.states[index] }
            if case .parameter = role { view = view.rows(operand.rows ?? 0..<view.rows) }
            return view.columns(operand.column..<operand.column + operand.columns)
        }
        for operation in program.operations {
            switch operation {
            case .product(let source, let matrix, let target):
                order.append(.product(products.count))
                products.append(Product(source: view(source), matrix: matrix, target: view(target)))
            case .lookup(let table, let target):
                order.append(.lookup(lookups.count))
                lookups.append(Lookup(table: table, target: view(target)))
            case .kernel(let kernel, let inputs, let outputs):
                let targets = outputs.map(view)
                order.append(.call(calls.count))
                calls.append(
                    Call(
                        kernel: kernel,
                        inputs: inputs.map { view($0).broadcast(rows: capacity, columns: targets[0].columns) },
                        outputs: targets))
            }
        }
    }

    /// Computes ``after`` from ``before`` in the first `count` rows.
    ///
    /// - Parameter tokens: the tokens of these rows, for a layer whose products are looked up.
    func run(_ count: Int, tokens: TokenRows) {
        if count != rows { setRows(count) }
        for operation in order {
            switch operation {
            case .product(let index):
                backend.multiply(
                    products[index].source, products[index].matrix, bias: nil, into: products[index].target)
            case .lookup(let index): tokens.gather(lookups[index].table, into: lookups[index].target, on: backend)
            case .call(let index):
                backend.run(calls[index].kernel, inputs: calls[index].inputs, outputs: calls[index].outputs)
            }
        }
    }

    private func setRows(_ count: Int) {
        rows = count
        for index in products.indices {
            products[index].source.rows = count
            products[index].target.rows = count
        }
        for index in lookups.indices { lookups[index].target.rows = count }
        for index in calls.indices {
            for place in calls[index].inputs.indices { calls[index].inputs[place].rows = count }
            for place in calls[index].outputs.indices { calls[index].outputs[place].rows = count }
        }
    }
}

extension RecurrencePlan {
    /// Allocates each state, [rows, H]; those that are the output are columns of one matrix [rows, O].
    func allocateStates(rows: Int, on backend: any Backend) throws -> (states: [MatrixView], output: MatrixView) {
        let output = try backend.allocate(rows: rows, columns: outputWidth)
        let states = try (0..<stateCount).map { state in
            state < outputCount
                ? output.columns(state * hiddenWidth..<(state + 1) * hiddenWidth)
                : try backend.allocate(rows: rows, columns: hiddenWidth)
        }
        return (states, output)
    }
}

/// Copies rows of tables and states by number. Rows in the memory of this process are copied one by one; a device is
/// given all numbers at once.
final class TokenRows {
    /// The numbers of the rows.
    private(set) var numbers: [Int32]
    private var indices: (any IndexMemory)?
    private var isUploaded = false

    init(capacity: Int) {
        numbers = []
        numbers.reserveCapacity(capacity)
    }

    func set(_ rows: some Collection<Int>) {
        numbers.removeAll(keepingCapacity: true)
        for row in rows { numbers.append(Int32(row)) }
        isUploaded = false
    }

    /// Copies row `numbers[i]` of `table` to row i of `target`.
    func gather(_ table: MatrixView, into target: MatrixView, on backend: any Backend) {
        if table.memory.hostAddress != nil {
            var first = 0
            while first < numbers.count {
                let count = run(from: first), row = Int(numbers[first])
                backend.copy(table.rows(row..<row + count), to: target.rows(first..<first + count))
                first += count
            }
            return
        }
        if !isUploaded {
            if let indices, indices.count == numbers.count {
                backend.update(indices, with: numbers)
            } else {
                guard let made = try? backend.makeIndices(numbers) else {
                    preconditionFailure("no memory for \(numbers.count) numbers of rows")
                }
                indices = made
            }
            isUploaded = true
        }
        backend.gatherRows(table, indices!, into: target)
    }

    /// Copies row i of `source` to row `numbers[i]` of `target`.
    func scatter(_ source: MatrixView, into target: MatrixView, on backend: any Backend) {
        var first = 0
        while first < numbers.count {
            let count = run(from: first), row = Int(numbers[first])
            backend.copy(source.rows(first..<first + count), to: target.rows(row..<row + count))
            first += count
        }
    }

    /// The number of consecutive rows from a place on, which are copied at once.
    private func run(from first: Int) -> Int {
        var count = 1
        while first + count < numbers.count, numbers[first + count] == numbers[first] + Int32(count) { count += 1 }
        return count
    }
}
