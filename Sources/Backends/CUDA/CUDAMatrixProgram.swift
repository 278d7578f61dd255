import RecurrentCore

extension CUDABackend {
    public func makeMatrixProgram(_ program: MatrixProgram, size: Int) throws -> any MatrixProgramExecutor {
        try CUDAMatrixProgram(program, size: size, on: self) ?? DefaultMatrixProgram(program, size: size, on: exact)
    }
}

/// A matrix program as one kernel: all its blocks run at once and wait for one another
/// between steps, and each determines the next step independently from the same numbers. The
/// host doesn't wait; if a number that must be finite isn't, the outputs become NaN.
final class CUDAMatrixProgram: MatrixProgramExecutor {
    let geometry: MatrixGeometry
    private let program: MatrixProgram
    private let backend: CUDABackend
    private let function: any DeviceFunction
    /// The program's scratch matrices; the column sums of one matrix, tile by tile; and the
    /// counter of blocks that have arrived at a barrier.
    private let scratch: any Memory
    private let sums: any Memory
    private let arrived: any Memory

    /// Compiles the program for matrices [size, size], or returns nil if separate kernels and
    /// products are faster or the program doesn't fit.
    init?(_ program: MatrixProgram, size: Int, on backend: CUDABackend) throws {
        let driver = backend.driver
        guard
            (1...MatrixGeometry.mostSize).contains(size), program.matrixCount < MatrixSource.mostMatrices,
            let geometry = MatrixGeometry(
                size: size, processors: driver.processors, shared: driver.sharedMemory, blockSize: driver.blockSize),
            geometry.blocks == 1 || driver.startsCooperatively
        else { return nil }
        self.geometry = geometry
        self.program = program
        self.backend = backend
        function = try backend.function(MatrixSource.kernel(program, geometry))
        scratch = try backend.allocate(max(program.scratchCount, 1) * size * geometry.stride)
        sums = try backend.allocate(geometry.tilesDown * size)
        arrived = try backend.allocate(1)
    }

    func run(inputs: [MatrixView], outputs: [MatrixView]) throws {
        precondition(inputs.count == program.inputCount && outputs.count == program.outputCount)
        let size = geometry.size
        var arguments = KernelArguments(capacity: 16 * (inputs.count + outputs.count) + 24)
        for view in inputs + outputs {
            precondition(
                view.rows == size && view.columns == size && view.columnStride == 1, "a matrix program of another size")
            let isAligned = view.address % 16 == 0 && view.rowStride % 4 == 0 && size % 4 == 0
            arguments.address(view.address)
            arguments.integer(view.rowStride)
            arguments.integer(isAligned ? 1 : 0)
        }
        for memory in [scratch, sums, arrived] { arguments.address((memory as! CUDAMemory).address) }
        backend.driver.launch(
            function,
            LaunchShape(
                grid: (geometry.blocks, 1), block: geometry.threads, sharedMemory: geometry.sharedMemory,
                isCooperative: geometry.blocks > 1),
            arguments: arguments)
    }
}
