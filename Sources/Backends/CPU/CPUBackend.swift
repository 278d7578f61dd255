import COpenBLAS
import CPUKernels
import Foundation
import RecurrentCore

/// OpenBLAS products, vectorised pointwise programs, and threads of its own, in
/// Float32.
///
/// Work is cut into pieces by its shape alone, so results have the same bits at
/// any number of threads. Calls on one backend are made one after the other.
public final class CPUBackend: Backend, @unchecked Sendable {
    public var name: String { "cpu" }
    public var summary: String { "OpenBLAS (\(Self.coreName)) and \(String(cString: ck_instruction_set())), Float32" }
    public var scalarType: ScalarType { .float32 }
    /// Threads in use, the caller's included.
    public let threads: Int

    let team: OpaquePointer
    private let partials = Workspace()
    private let tiles = Workspace()

    /// - Parameter threads: all processors if nil.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if below 1 or above 1024;
    ///   ``RecurrentError/backend(_:)`` if the threads can't be started.
    public init(threads: Int? = nil) throws {
        let count = threads ?? ProcessInfo.processInfo.activeProcessorCount
        guard (1...1024).contains(count) else {
            throw RecurrentError.invalidOption("the number of threads must be in 1...1024, not \(count)")
        }
        // Each of our threads calls OpenBLAS for itself.
        openblas_set_num_threads(1)
        guard let team = ck_team_create(Int32(count)) else {
            throw RecurrentError.backend("could not start \(count) threads; try a smaller --threads")
        }
        self.team = team
        self.threads = count
    }
    deinit { ck_team_destroy(team) }

    /// The kernels that OpenBLAS chose for this processor.
    public static var coreName: String { String(cString: openblas_get_corename()) }

    // MARK: Memory

    public func allocate(_ count: Int) throws -> any Memory { try CPUMemory(count) }
    public func makeIndices(_ indices: [Int32]) throws -> any IndexMemory { CPUIndices(indices) }
    public func update(_ memory: any IndexMemory, with indices: [Int32]) {
        precondition(memory.count == indices.count)
        (memory as! CPUIndices).values = indices
    }

    public func upload<S: HostScalar>(_ values: UnsafeBufferPointer<S>, to memory: any Memory, offset: Int) {
        precondition(offset >= 0 && offset + values.count <= memory.count)
        let target = (memory as! CPUMemory).base + offset
        if S.self == Float.self {
            UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(start: target, count: values.count))
                .copyMemory(from: UnsafeRawBufferPointer(values))
        } else {
            for i in 0..<values.count { target[i] = Float(values[i]) }
        }
    }

    public func download<S: HostScalar>(
        _ memory: any Memory, offset: Int, into values: UnsafeMutableBufferPointer<S>
    ) {
        precondition(offset >= 0 && offset + values.count <= memory.count)
        let source = (memory as! CPUMemory).base + offset
        if S.self == Float.self {
            UnsafeMutableRawBufferPointer(values).copyMemory(
                from: UnsafeRawBufferPointer(UnsafeBufferPointer(start: source, count: values.count)))
        } else {
            for i in 0..<values.count { values[i] = S(source[i]) }
        }
    }

    public func fill(_ view: MatrixView, with value: Double) {
        let base = view.pointer
        if view.isPacked {
            base.update(repeating: Float(value), count: view.count)
        } else {
            for r in 0..<view.rows {
                for c in 0..<view.columns { base[r * view.rowStride + c * view.columnStride] = Float(value) }
            }
        }
    }

    public func copy(_ source: MatrixView, to destination: MatrixView) {
        precondition(source.rows == destination.rows && source.columns == destination.columns)
        let from = source.pointer, to = destination.pointer
        if source.isPacked && destination.isPacked {
            to.update(from: from, count: source.count)
            return
        }
        for r in 0..<source.rows {
            let line = from + r * source.rowStride, target = to + r * destination.rowStride
            if source.columnStride == 1 && destination.columnStride == 1 {
                target.update(from: line, count: source.columns)
            } else {
                for c in 0..<source.columns {
                    target[c * destination.columnStride] = line[c * source.columnStride]
                }
            }
        }
    }

    public func synchronize() {}

    // MARK: Arithmetic

    public func gemm(alpha: Double, _ a: MatrixView, _ b: MatrixView, beta: Double, _ c: MatrixView) {
        precondition(a.rows == c.rows && b.columns == c.columns && a.columns == b.rows, "gemm: shapes disagree")
        let left = Self.layout(a), right = Self.layout(b)
        precondition(c.columnStride == 1 || c.columns == 1, "gemm: the result's rows must lie together")
        let (m, n, k) = (Int32(c.rows), Int32(c.columns), Int32(a.columns))
        guard m > 0, n > 0 else { return }
        ck_gemm(
            team, left.isTransposed, right.isTransposed, m, n, k, Float(alpha), a.pointer, left.leading, b.pointer,
            right.leading, Float(beta), c.pointer, Int32(max(c.rowStride, c.columns)),
            scratch(partials, Int(ck_gemm_partials(m, n, k))))
    }

    /// BLAS's leading dimension and transposition of a view.
    private static func layout(_ view: MatrixView) -> (isTransposed: Bool, leading: Int32) {
        if view.columnStride == 1 || view.columns == 1 {
            if view.rowStride >= view.columns || view.rows == 1 {
                return (false, Int32(max(view.rowStride, view.columns, 1)))
            }
        }
        precondition(view.rowStride == 1 || view.rows == 1, "gemm: one stride of each operand must be 1")
        return (true, Int32(max(view.columnStride, view.rows, 1)))
    }

    /// Working memory inside a call that can't throw: running out of it ends the
    /// program, as it does for any other small allocation.
    private func scratch(_ workspace: Workspace, _ count: Int) -> UnsafeMutablePointer<Float>? {
        guard count > 0 else { return nil }
        do { return try workspace.pointer(count) } catch { fatalError("\(error)") }
    }

    public func compile(_ program: PointwiseProgram) throws -> any Kernel { CPUKernel(program) }

    public func run(
        _ kernel: any Kernel, inputs: [MatrixView], outputs: [MatrixView], scalars: [Double], key: RandomKey?
    ) {
        let kernel = kernel as! CPUKernel
        precondition(inputs.count == kernel.program.inputCount && outputs.count == kernel.program.outputs.count)
        precondition(scalars.count == kernel.program.scalarCount)
        precondition(key != nil || !kernel.program.usesRandomNumbers, "a program with random numbers needs a key")
        guard let first = outputs.first, first.count > 0 else { return }
        for view in inputs + outputs {
            precondition(view.rows == first.rows && view.columns == first.columns, "pointwise: shapes disagree")
        }
        let isFlat =
            !kernel.usesColumnIndex
            && (inputs + outputs).allSatisfy { $0.isPacked || ($0.rowStride == 0 && $0.columnStride == 0) }
        let rows = isFlat ? 1 : first.rows, columns = isFlat ? first.count : first.columns
        let pieces = first.count < 1 << 15 ? 1 : (first.count < 1 << 20 ? 4 : 16)
        let slot = Int(ck_workspace(kernel.code))
        var job = PointwiseJob(
            program: kernel.code, key: key.map(ck_key.init) ?? ck_key(), rows: rows, columns: columns, pieces: pieces,
            workspace: scratch(tiles, slot * pieces), slot: slot)
        inputs.map { $0.kernelView() }.withUnsafeBufferPointer { inputs in
            outputs.map { $0.kernelView() }.withUnsafeBufferPointer { outputs in
                scalars.map { Float($0) }.withUnsafeBufferPointer { scalars in
                    job.inputs = inputs.baseAddress
                    job.outputs = outputs.baseAddress
                    job.scalars = scalars.baseAddress
                    ck_parallel(team, Int32(pieces), PointwiseJob.run, &job)
                }
            }
        }
    }

    public func reduceRows(_ reduction: Reduction, _ source: MatrixView, into destination: MatrixView) {
        precondition(destination.rows == source.rows && destination.columns == 1 && source.columns > 0)
        for r in 0..<source.rows {
            let row = source.pointer + r * source.rowStride
            var sum: Float = 0
            var best = 0
            for c in 0..<source.columns {
                let x = row[c * source.columnStride]
                sum += x
                if x > row[best * source.columnStride] { best = c }
            }
            let result: Float =
                switch reduction {
                case .sum: sum
                case .maximum: row[best * source.columnStride]
                case .argmax: Float(best)
                }
            destination.pointer[r * destination.rowStride] = result
        }
    }

    public func sumColumns(_ source: MatrixView, beta: Double, into destination: MatrixView) {
        precondition(destination.rows == 1 && destination.columns == source.columns)
        precondition(source.columnStride == 1 || source.columns == 1, "sumColumns: rows must lie together")
        precondition(destination.columnStride == 1 || source.columns == 1)
        ck_sum_columns(
            team, source.pointer, Int64(source.rows), Int64(source.columns), Int64(source.rowStride), Float(beta),
            destination.pointer)
    }

    public func gatherRows(_ table: MatrixView, _ indices: any IndexMemory, into destination: MatrixView) {
        let rows = (indices as! CPUIndices).values
        precondition(rows.count == destination.rows && table.columns == destination.columns)
        precondition(table.columnStride == 1 && destination.columnStride == 1)
        for (r, index) in rows.enumerated() {
            precondition(index >= 0 && Int(index) < table.rows, "index \(index) outside the table")
            (destination.pointer + r * destination.rowStride).update(
                from: table.pointer + Int(index) * table.rowStride, count: table.columns)
        }
    }

    public func scatterAddRows(_ source: MatrixView, _ indices: any IndexMemory, into table: MatrixView) {
        let rows = (indices as! CPUIndices).values
        precondition(rows.count == source.rows && table.columns == source.columns)
        precondition(table.columnStride == 1 && source.columnStride == 1)
        let from = source.pointer, to = table.pointer
        for (r, index) in rows.enumerated() {
            precondition(index >= 0 && Int(index) < table.rows, "index \(index) outside the table")
            let line = from + r * source.rowStride, target = to + Int(index) * table.rowStride
            for c in 0..<table.columns { target[c] += line[c] }
        }
    }

    // MARK: Overrides

    public func makeRecurrence(_ plan: RecurrencePlan, _ binding: RecurrenceBinding) throws -> any RecurrenceExecutor {
        try CPURecurrence(plan, binding, on: self)
    }

    public func makeSoftmaxCrossEntropy(classes: Int, width: Int) throws -> any SoftmaxCrossEntropy {
        CPUSoftmaxCrossEntropy(on: self)
    }
}

extension ck_key {
    init(_ key: RandomKey) {
        self.init(key0: key.key.0, key1: key.key.1, high0: key.high.0, high1: key.high.1)
    }
}

/// One pointwise run, cut into rows, or into segments if it is one long row.
private struct PointwiseJob {
    var program: UnsafeMutablePointer<ck_program>
    var inputs: UnsafePointer<ck_view>?
    var outputs: UnsafePointer<ck_view>?
    var scalars: UnsafePointer<Float>?
    var key: ck_key
    var rows: Int
    var columns: Int
    var pieces: Int
    var workspace: UnsafeMutablePointer<Float>?
    var slot: Int

    init(
        program: UnsafeMutablePointer<ck_program>, key: ck_key, rows: Int, columns: Int, pieces: Int,
        workspace: UnsafeMutablePointer<Float>?, slot: Int
    ) {
        self.program = program
        self.key = key
        self.rows = rows
        self.columns = columns
        self.pieces = pieces
        self.workspace = workspace
        self.slot = slot
    }

    static let run: @convention(c) (UnsafeMutableRawPointer?, Int32) -> Void = { context, piece in
        let job = context!.assumingMemoryBound(to: PointwiseJob.self)
        let tile = Int(CK_TILE), piece = Int(piece)
        let (rows, columns, pieces) = (job.pointee.rows, job.pointee.columns, job.pointee.pieces)
        var row = 0..<rows, column = 0..<columns
        if rows == 1 {
            let tiles = (columns + tile - 1) / tile
            column = min(tiles * piece / pieces * tile, columns)..<min(tiles * (piece + 1) / pieces * tile, columns)
        } else {
            row = rows * piece / pieces..<rows * (piece + 1) / pieces
        }
        guard !row.isEmpty, !column.isEmpty else { return }
        withUnsafePointer(to: &job.pointee.key) { key in
            ck_run(
                job.pointee.program, job.pointee.inputs, job.pointee.outputs, job.pointee.scalars, key,
                Int64(row.lowerBound), Int64(row.count), Int64(column.count), Int64(column.lowerBound), Int64(columns),
                job.pointee.workspace! + piece * job.pointee.slot)
        }
    }
}
