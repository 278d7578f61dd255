import RecurrentCore

/// A time loop of a plan as one kernel, for any cell whose steps are products with
/// parameters and pointwise programs.
final class PersistentLoop {
    enum Direction { case forward, backward }

    let geometry: PersistentGeometry
    private let function: any DeviceFunction
    private let arguments: KernelArguments
    /// Weights that the kernel reads in another order: copied before each run.
    private let copies: [(source: MatrixView, copy: MatrixView)]
    /// What the arguments point to.
    private let views: [MatrixView]

    /// - Returns: nil if the loop holds something else, or doesn't fit.
    /// - Throws: ``RecurrentError/backend(_:)`` for a lack of memory.
    init?(
        _ direction: Direction, of plan: RecurrencePlan, _ binding: RecurrenceBinding, zeros: MatrixView, on backend: CUDABackend
    ) throws {
        let operations = direction == .forward ? plan.forwardLoop : plan.backwardLoop
        guard let steps = PersistentStep.all(operations, plan, binding, zeros: zeros) else { return nil }
        let products = steps.compactMap(\.product), driver = backend.driver
        guard
            let geometry = PersistentGeometry(
                batch: binding.batch, products: products, kernels: steps.compactMap(\.kernelColumns),
                processors: driver.processors, shared: driver.sharedMemory, registers: driver.registers, most: 4 * driver.blockSize)
        else { return nil }
        self.geometry = geometry

        var text = PersistentSource(geometry, isBackward: direction == .backward)
        var operands: [PersistentOperand] = [], copies: [(source: MatrixView, copy: MatrixView)] = []
        func number(_ operand: PersistentOperand) -> Int {
            operands.append(operand)
            return operands.count - 1
        }
        for step in steps {
            switch step {
            case .product(let a, var b, let result, let accumulate):
                if !b.isPacked {
                    let copy = try backend.allocate(rows: b.rows, columns: b.columns)
                    copies.append((b, copy))
                    b = copy
                }
                let weight = PersistentOperand(view: b, stepStride: 0)
                text.addProduct(
                    a: number(a), weight: number(weight), result: number(result), inner: b.rows, outer: b.columns,
                    accumulate: accumulate)
            case .kernel(let program, let inputs, let outputs):
                text.addKernel(
                    program, columns: outputs[0].view.columns,
                    inputs: inputs.map { (number($0), $0.view.columnStride) }, outputs: outputs.map { number($0) })
            }
        }
        var arguments = KernelArguments(capacity: 24 * operands.count + 8)
        for operand in operands {
            arguments.view(operand.view.address, rowStride: operand.view.rowStride, columnStride: operand.stepStride)
        }
        arguments.integer(binding.batch)
        arguments.integer(binding.steps)
        // A kernel takes 4 KiB of arguments.
        guard arguments.bytes.count <= 4096 else { return nil }
        self.arguments = arguments
        self.copies = copies
        views = operands.map(\.view)
        function = try backend.function(text.source(operands: operands.count))
    }

    func run(on backend: CUDABackend) {
        for (source, copy) in copies { backend.copy(source, to: copy) }
        backend.driver.launch(
            function,
            LaunchShape(grid: (geometry.blocks, 1), block: geometry.threads, sharedMemory: geometry.sharedMemory),
            arguments: arguments)
    }
}

/// A matrix of step 0, and how far apart those of two steps lie (0: the same in all).
struct PersistentOperand {
    let view: MatrixView
    let stepStride: Int
}

/// An operation of the loop, bound to memory.
enum PersistentStep {
    case product(a: PersistentOperand, b: MatrixView, result: PersistentOperand, accumulate: Bool)
    case kernel(PointwiseProgram, inputs: [PersistentOperand], outputs: [PersistentOperand])

    var product: PersistentGeometry.Product? {
        if case .product(_, let b, _, _) = self { .init(inner: b.rows, outer: b.columns) } else { nil }
    }
    var kernelColumns: Int? {
        if case .kernel(_, _, let outputs) = self { outputs[0].view.columns } else { nil }
    }

    /// Nil if there is something that a persistent loop can't do.
    static func all(
        _ operations: [PlanOperation], _ plan: RecurrencePlan, _ binding: RecurrenceBinding, zeros: MatrixView
    ) -> [PersistentStep]? {
        func bound(_ operand: PlanOperand) -> PersistentOperand? {
            guard let view = binding.view(operand, in: plan, at: 0) else { return nil }
            let next = binding.steps > 1 ? binding.view(operand, in: plan, at: 1)! : view
            return PersistentOperand(view: view, stepStride: next.offset - view.offset)
        }
        var result: [PersistentStep] = []
        for operation in operations {
            switch operation {
            case .gemm(let a, let b, let c, let accumulate):
                // As everywhere: what has nowhere to go is left out.
                guard let c = bound(c) else { continue }
                guard let a = bound(a), let b = binding.view(b, in: plan, at: 0), a.view.columnStride == 1, c.view.columnStride == 1
                else { return nil }
                result.append(.product(a: a, b: b, result: c, accumulate: accumulate))
            case .kernel(let number, let inputs, let outputs):
                let program = plan.programs[number], targets = outputs.compactMap(bound)
                guard targets.count == outputs.count else { continue }
                let columns = targets[0].view.columns
                let sources = inputs.map { input in
                    let source = bound(input) ?? PersistentOperand(view: zeros, stepStride: 0)
                    return PersistentOperand(
                        view: source.view.broadcast(rows: binding.batch, columns: columns), stepStride: source.stepStride)
                }
                guard program.scalarCount == 0, !program.usesRandomNumbers, targets.allSatisfy({ $0.view.columnStride == 1 }),
                    targets.allSatisfy({ $0.view.columns == columns }), sources.allSatisfy({ (0...1).contains($0.view.columnStride) })
                else { return nil }
                result.append(.kernel(program, inputs: sources, outputs: targets))
            case .weightGradient, .vectorGradient: return nil
            }
        }
        return result
    }
}
