import RecurrentCore

/// A time loop of a plan as one kernel, for any cell whose steps are products with
/// parameters and pointwise programs.
final class PersistentLoop {
    enum Direction { case forward, backward }

    let geometry: PersistentGeometry
    private let function: any DeviceFunction
    private let arguments: KernelArguments
    /// Weights that the kernel reads in another order, which are copied before each run.
    private let copies: [(source: MatrixView, copy: MatrixView)]
    /// The matrices that the arguments point to, which must stay alive.
    private let views: [MatrixView]

    /// Compiles one of a plan's loops, or returns nil if it has other operations or doesn't fit.
    /// - Throws: ``RecurrentError/device(_:)`` if there isn't enough memory.
    init?(_ direction: Direction, of plan: RecurrencePlan, _ binding: RecurrenceBinding, on backend: CUDABackend) throws
    {
        let operations = direction == .forward ? plan.forwardLoop : plan.backwardLoop, driver = backend.driver
        guard let program = PersistentProgram(operations, of: plan, binding),
            let geometry = PersistentGeometry(
                batch: binding.batch, products: program.products.map(\.size),
                kernels: program.kernels.map { .init(columns: $0.columns, loads: $0.loaded.count) },
                staged: program.slots.reduce(0) { $0 + ($1.isSingle ? 0 : $1.stride) },
                constant: program.slots.reduce(0) { $0 + ($1.isSingle ? $1.stride : 0) },
                limits: .init(
                    processors: driver.processors, shared: driver.sharedMemory, registers: driver.registers,
                    threads: 4 * driver.blockSize))
        else { return nil }
        self.geometry = geometry

        var weights: [MatrixView] = [], isPacked: [Bool] = [], copies: [(source: MatrixView, copy: MatrixView)] = []
        for (product, layout) in zip(program.products, geometry.layouts) {
            let view = product.weight, outer = geometry.outer(layout)
            if view.columnStride == 1, view.rowStride == outer, view.columns == outer, view.rows % 4 == 0,
                view.address % 16 == 0
            {
                weights.append(view)
                isPacked.append(true)
            } else if layout.streamed == 0, view.count <= Self.smallWeight {
                weights.append(view)
                isPacked.append(false)
            } else {
                // Rows and columns are padded with zeros to whole fours.
                let copy = try backend.allocate(rows: (view.rows + 3) / 4 * 4, columns: outer)
                copies.append((view, copy.rows(0..<view.rows).columns(0..<view.columns)))
                weights.append(copy)
                isPacked.append(true)
            }
        }
        let source = PersistentSource(program, geometry, isPacked: isPacked, isBackward: direction == .backward)
        var arguments = KernelArguments(
            capacity: 8 * program.operands.count + 16 * weights.count + 8 * source.strides.count + 8)
        for operand in program.operands { arguments.address(operand.view.address) }
        for weight in weights { arguments.address(weight.address) }
        if weights.isEmpty { arguments.address(0) }
        for stride in source.strides { arguments.integer(stride.row) }
        for stride in source.strides { arguments.integer(stride.step) }
        for weight in weights { arguments.integer(weight.rowStride) }
        if weights.isEmpty { arguments.integer(0) }
        for weight in weights { arguments.integer(weight.columnStride) }
        if weights.isEmpty { arguments.integer(0) }
        arguments.integer(binding.batch)
        arguments.integer(binding.steps)
        // A kernel takes at most 4 KiB of arguments.
        guard arguments.bytes.count <= 4096 else { return nil }
        self.arguments = arguments
        self.copies = copies
        views = program.operands.map(\.view) + weights
        function = try backend.function(source.source)
    }

    /// The most elements of a weight that threads gather one by one if they read it only once,
    /// since a copy costs a launch.
    private static let smallWeight = 1 << 14

    func run(on backend: CUDABackend) {
        for (source, copy) in copies { backend.copy(source, to: copy) }
        backend.driver.launch(
            function,
            LaunchShape(grid: (geometry.blocks, 1), block: geometry.threads, sharedMemory: geometry.sharedMemory),
            arguments: arguments)
    }
}
