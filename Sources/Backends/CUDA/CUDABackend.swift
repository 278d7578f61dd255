import RecurrentCore
import Synchronization

/// A Float32 backend for NVIDIA GPUs: kernels compiled at run time, cuBLAS and cuSOLVER.
///
/// No part of CUDA is needed to build the package. All work goes to one stream, in
/// the order of the calls; only `download` and `synchronize` wait for it.
public final class CUDABackend: BackendPlugin {
    package let driver: any DeviceDriver
    let pool: CUDAPool
    let loops: CUDALoops
    /// The precision of products.
    let precision: CUDAPrecision
    private let shared: Shared

    /// The state that a backend and its ``exact`` counterpart share.
    private final class Shared: Sendable {
        let kernels = Mutex<[PointwiseProgram: CUDAKernel]>([:])
        let functions = Mutex<[KernelSource: any DeviceFunction]>([:])
        let failure = Mutex<RecurrentError?>(nil)
    }

    /// Creates a backend for a GPU and compiles the kernels that it always needs.
    ///
    /// - Parameters:
    ///   - device: The number of the GPU, counted from 0.
    ///   - precision: The precision of products, except those of manifold updates, which are always in Float32.
    /// - Throws: ``RecurrentCore/RecurrentError/backend(_:)`` if there is no such device or a
    ///   library is missing, with a message of one line that names it.
    public convenience init(device: Int = 0, precision: CUDAPrecision = .float32) throws {
        self.init(driver: try CUDADevice(index: device), precision: precision)
        // Kernels that are used where nothing can be thrown are compiled here.
        for program in [Self.fillProgram, Self.copyProgram] { _ = try kernel(program) }
        for source in FixedKernels.all { _ = try function(source) }
    }

    package init(driver: any DeviceDriver, loops: CUDALoops = .automatic, precision: CUDAPrecision = .float32) {
        self.driver = driver
        self.loops = loops
        self.precision = precision
        pool = CUDAPool(driver)
        shared = Shared()
    }

    private init(exact other: CUDABackend) {
        (driver, loops, precision, pool, shared) = (other.driver, other.loops, .float32, other.pool, other.shared)
    }

    public var exact: any Backend { precision == .float32 ? self : CUDABackend(exact: self) }

    public var summary: String { "\(driver.name), Float32" }
    public var scalarType: ScalarType { .float32 }

    /// Runs `body` in a call that can't throw; keeps its error for the next call that can.
    func attempt<Result>(_ body: () throws -> Result) -> Result? {
        do { return try body() } catch {
            let kept = error as? RecurrentError ?? .backend("cuda: \(error)")
            shared.failure.withLock { if $0 == nil { $0 = kept } }
            return nil
        }
    }

    /// Returns and clears the first error of calls that couldn't throw it.
    func takeError() -> RecurrentError? {
        let kept = shared.failure.withLock { failure in
            defer { failure = nil }
            return failure
        }
        let other = driver.takeError()
        return kept ?? other
    }

    // MARK: Memory

    public func allocate(_ count: Int) throws -> any Memory {
        if let error = takeError() { throw error }
        let memory = try CUDAMemory(count: count, pool: pool)
        driver.clear(memory.address, bytes: max(count, 1) * MemoryLayout<Float>.size)
        return memory
    }

    public func makeIndices(_ indices: [Int32]) throws -> any IndexMemory {
        try CUDAIndices(indices, pool: pool, driver: driver)
    }
    public func update(_ memory: any IndexMemory, with indices: [Int32]) {
        (memory as! CUDAIndices).update(indices, driver: driver)
    }

    public func upload<S: HostScalar>(_ values: UnsafeBufferPointer<S>, to memory: any Memory, offset: Int) {
        precondition(offset + values.count <= memory.count)
        let address = (memory as! CUDAMemory).address + DeviceAddress(4 * offset)
        if S.scalarType == .float32 {
            driver.upload(UnsafeRawBufferPointer(values), to: address)
        } else {
            let floats = values.map { Float($0) }
            floats.withUnsafeBytes { driver.upload($0, to: address) }
        }
    }

    public func download<S: HostScalar>(_ memory: any Memory, offset: Int, into values: UnsafeMutableBufferPointer<S>) {
        precondition(offset + values.count <= memory.count)
        let address = (memory as! CUDAMemory).address + DeviceAddress(4 * offset)
        if S.scalarType == .float32 {
            driver.download(address, into: UnsafeMutableRawBufferPointer(values))
        } else {
            var floats = [Float](repeating: 0, count: values.count)
            floats.withUnsafeMutableBytes { driver.download(address, into: $0) }
            for (index, value) in floats.enumerated() { values[index] = S(value) }
        }
    }

    public func fill(_ view: MatrixView, with value: Double) {
        let fill = try! kernel(Self.fillProgram)
        run(fill, inputs: [], outputs: [view], scalars: [value], key: nil)
    }

    public func copy(_ source: MatrixView, to destination: MatrixView) {
        precondition(source.rows == destination.rows && source.columns == destination.columns)
        run(try! kernel(Self.copyProgram), inputs: [source], outputs: [destination], scalars: [], key: nil)
    }

    private static let fillProgram = PointwiseProgram(inputs: 0, scalars: 1) { _, scalars in [scalars[0]] }
    private static let copyProgram = PointwiseProgram(inputs: 1) { inputs, _ in [inputs[0]] }

    public func synchronize() { driver.synchronize() }

    // MARK: Arithmetic

    public func gemm(alpha: Double, _ a: MatrixView, _ b: MatrixView, beta: Double, _ c: MatrixView) {
        precondition(a.rows == c.rows && b.columns == c.columns && a.columns == b.rows, "gemm: shapes disagree")
        guard c.count > 0 else { return }
        // Row-major C = A B is column-major Cᵀ = Bᵀ Aᵀ.
        let (left, right) = (BLASOperand(b), BLASOperand(a))
        driver.gemm(
            DeviceProduct(
                transposesA: left.isTransposed, transposesB: right.isTransposed, m: c.columns, n: c.rows, k: a.columns,
                precision: precision, alpha: Float(alpha), beta: Float(beta), a: left.address, b: right.address,
                c: c.address,
                lda: left.stride, ldb: right.stride, ldc: max(c.rowStride, c.columns)))
    }

    public func compile(_ program: PointwiseProgram) throws -> any Kernel { try kernel(program) }

    private func kernel(_ program: PointwiseProgram) throws -> CUDAKernel {
        if let known = shared.kernels.withLock({ $0[program] }) { return known }
        let made = CUDAKernel(program, try function(PointwiseSource.kernel(program, .strided)))
        shared.kernels.withLock { $0[program] = made }
        return made
    }

    func function(_ source: KernelSource) throws -> any DeviceFunction {
        if let known = shared.functions.withLock({ $0[source] }) { return known }
        let made = try driver.compile(source)
        shared.functions.withLock { $0[source] = made }
        return made
    }

    public func run(
        _ kernel: any Kernel, inputs: [MatrixView], outputs: [MatrixView], scalars: [Double], key: RandomKey?
    ) {
        let kernel = kernel as! CUDAKernel, program = kernel.program
        precondition(inputs.count == program.inputCount && outputs.count == program.outputs.count)
        precondition(scalars.count == program.scalarCount && (key != nil || !program.usesRandomNumbers))
        let rows = outputs[0].rows, columns = outputs[0].columns, count = rows * columns
        precondition((inputs + outputs).allSatisfy { $0.rows == rows && $0.columns == columns }, "run: shapes disagree")
        precondition(count < 1 << 31, "a matrix of 2³¹ elements or more")
        guard count > 0 else { return }
        let layout = PointwiseLayout(inputs: inputs, outputs: outputs)
        var arguments = KernelArguments(capacity: 24 * (inputs.count + outputs.count) + 4 * scalars.count + 32)
        for view in inputs + outputs {
            if layout == .strided { arguments.view(view) } else { arguments.address(view.address) }
        }
        arguments.integer(rows)
        arguments.integer(columns)
        for scalar in scalars { arguments.float(scalar) }
        if program.usesRandomNumbers { arguments.key(key!) }
        var items = count
        if case .packed(let together, _) = layout { items /= together }
        let threads = driver.blockSize
        let blocks = min((items + threads - 1) / threads, 32 * driver.processors)
        let function = kernel.function(layout) { try! self.function(PointwiseSource.kernel(program, layout)) }
        driver.launch(function, LaunchShape(grid: (blocks, 1), block: threads), arguments: arguments)
    }

    // MARK: Linear algebra

    public func solve(_ a: MatrixView, _ b: MatrixView) throws {
        precondition(a.isPacked && b.isPacked && a.rows == a.columns && b.rows == a.rows)
        guard b.count > 0 else { return }
        // A row-major matrix is, column-major, its transpose; B must be transposed.
        let turned = try CUDAMemory(count: b.count, pool: pool)
        let columns = MatrixView(turned, rows: b.rows, columns: b.columns, rowStride: 1, columnStride: b.rows)
        copy(b, to: columns)
        guard try driver.solve(transposed: true, size: a.rows, columns: b.columns, a: a.address, b: turned.address)
        else {
            throw RecurrentError.linearAlgebra("solve: the \(a.rows) × \(a.rows) matrix is singular")
        }
        copy(columns, to: b)
    }

    public func hermitianEigen(real: MatrixView, imaginary: MatrixView, eigenvalues: MatrixView) throws {
        let n = real.rows
        precondition(real.columns == n && imaginary.rows == n && imaginary.columns == n && eigenvalues.count == n)
        let matrix = try CUDAMemory(count: 2 * n * n, pool: pool), values = try CUDAMemory(count: n, pool: pool)
        // The real (0) or imaginary (1) part of the column-major complex matrix.
        func part(_ offset: Int) -> MatrixView {
            MatrixView(matrix, offset: offset, rows: n, columns: n, rowStride: 2, columnStride: 2 * n)
        }
        copy(real, to: part(0))
        copy(imaginary, to: part(1))
        guard try driver.hermitianEigen(size: n, matrix: matrix.address, eigenvalues: values.address) else {
            throw RecurrentError.linearAlgebra("the \(n) × \(n) eigendecomposition did not converge")
        }
        copy(part(0), to: real)
        copy(part(1), to: imaginary)
        copy(MatrixView(values, rows: 1, columns: n), to: eigenvalues)
    }

    public func makeRecurrence(_ plan: RecurrencePlan, _ binding: RecurrenceBinding) throws -> any RecurrenceExecutor {
        try CUDARecurrence(plan, binding, on: self)
    }

    public func makeSoftmaxCrossEntropy(classes: Int, width: Int, excludedClass: Int?) throws -> any SoftmaxCrossEntropy
    {
        try CUDASoftmaxCrossEntropy(classes: classes, excludedClass: excludedClass, on: self)
    }
}

/// A pointwise program, compiled for matrices of any strides and, once they occur, for
/// simpler layouts.
final class CUDAKernel: Kernel, Sendable {
    let program: PointwiseProgram
    private let functions: Mutex<[PointwiseLayout: any DeviceFunction]>

    init(_ program: PointwiseProgram, _ strided: any DeviceFunction) {
        self.program = program
        functions = Mutex([.strided: strided])
    }

    func function(_ layout: PointwiseLayout, _ make: () -> any DeviceFunction) -> any DeviceFunction {
        if let known = functions.withLock({ $0[layout] }) { return known }
        let made = make()
        functions.withLock { $0[layout] = made }
        return made
    }
}

/// A matrix as column-major BLAS sees it: its rows are BLAS's columns.
private struct BLASOperand {
    let address: DeviceAddress
    let isTransposed: Bool
    let stride: Int

    init(_ view: MatrixView) {
        address = view.address
        precondition(view.columnStride == 1 || view.rowStride == 1, "gemm: an operand has no stride of 1")
        isTransposed = view.columnStride != 1
        stride = isTransposed ? max(view.columnStride, view.rows) : max(view.rowStride, view.columns)
    }
}

extension MatrixView {
    /// The address of element (0, 0).
    var address: DeviceAddress { (memory as! CUDAMemory).address + DeviceAddress(4 * offset) }
}

extension KernelArguments {
    mutating func view(_ view: MatrixView) {
        self.view(view.address, rowStride: view.rowStride, columnStride: view.columnStride)
    }
    mutating func key(_ key: RandomKey) {
        for value in [key.key.0, key.key.1, key.high.0, key.high.1] { word(value) }
    }
}
