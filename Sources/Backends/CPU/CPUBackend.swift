import COpenBLAS
import CPUKernels
import RecurrentCore

/// A Float32 backend for the processor: OpenBLAS products, vectorised pointwise
/// programs and its own team of threads.
///
/// Work is divided into pieces by its shape alone, so results have the same bits with
/// any number of threads. Calls on one backend are made one after the other.
public final class CPUBackend: BackendPlugin, @unchecked Sendable {
    public static let name = "cpu"
    public static let summary = "OpenBLAS and vectorised kernels on all processors, Float32"
    /// The options of the CPU backend.
    public struct Options: OptionSection {
        /// The number of threads including the caller's, or nil for ``RecurrentCore/Processors/available``.
        public var threads: Int?
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .integer("threads", \.threads, 1...1024, "Number of threads (default: one per processor).")
        ]
    }
    public static let incidentalOptions: Set = ["threads"]
    public static let threadsOption: String? = "threads"
    public convenience init(options: Options) throws { try self.init(threads: options.threads) }

    public var summary: String {
        "OpenBLAS (\(Self.coreName)) and \(instructions), Float32, \(threads) thread\(threads == 1 ? "" : "s")"
    }
    public var scalarType: ScalarType { .float32 }
    /// The number of threads in use, including the caller's.
    public let threads: Int

    package let instructions: InstructionSet

    /// The threads, which backends for concurrent calls share.
    private let threadTeam: ThreadTeam
    var team: OpaquePointer { threadTeam.pointer }
    private let partials = Workspace()
    let tiles = Workspace()

    /// Creates a backend that uses the widest vector instructions of this processor.
    ///
    /// - Parameter threads: The number of threads including the caller's, or nil for ``RecurrentCore/Processors/available``.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if `threads` is below 1 or above 1024;
    ///   ``RecurrentError/backend(_:)`` if the threads can't be started.
    public convenience init(threads: Int? = nil) throws {
        try self.init(threads: threads, instructions: .best)
    }

    /// Creates a backend that uses the given vector instructions.
    /// - Precondition: This processor supports `instructions`.
    package init(threads: Int?, instructions: InstructionSet) throws {
        precondition(instructions.isSupported)
        let count = threads ?? Processors.available
        guard (1...1024).contains(count) else {
            throw RecurrentError.invalidOption("`threads` must be in 1...1024, not \(count)")
        }
        // Each of our threads calls OpenBLAS for itself.
        openblas_set_num_threads(1)
        guard let team = ck_team_create(Int32(count), instructions.code) else {
            throw RecurrentError.backend("could not start \(count) threads; try fewer `threads`")
        }
        threadTeam = ThreadTeam(team)
        self.threads = count
        self.instructions = instructions
    }

    /// Creates a backend for calls that are made at the same time as those of another one.
    private init(besides other: CPUBackend) {
        (threadTeam, threads, instructions) = (other.threadTeam, other.threads, other.instructions)
    }

    /// Threads that end with the last backend that uses them.
    private final class ThreadTeam: @unchecked Sendable {
        let pointer: OpaquePointer
        init(_ pointer: OpaquePointer) { self.pointer = pointer }
        deinit { ck_team_destroy(pointer) }
    }

    /// Returns a backend with the same threads, which work for one caller at a time: a call that finds them at work is
    /// computed by its own thread alone, with the same bits.
    public func makeConcurrent() throws -> (any Backend)? { CPUBackend(besides: self) }

    /// OpenBLAS's name for the kernels that it chose for this processor.
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
        precondition(c.columnStride == 1 || c.columns == 1, "gemm: the result's rows must be contiguous")
        let (m, n, k) = (Int32(c.rows), Int32(c.columns), Int32(a.columns))
        guard m > 0, n > 0 else { return }
        ck_gemm(
            team, left.isTransposed, right.isTransposed, m, n, k, Float(alpha), a.pointer, left.leading, b.pointer,
            right.leading, Float(beta), c.pointer, Int32(max(c.rowStride, c.columns)),
            scratch(partials, Int(ck_gemm_scratch(team, right.isTransposed, m, n, k))))
    }

    /// The leading dimension and transposition that describe a view to BLAS.
    private static func layout(_ view: MatrixView) -> (isTransposed: Bool, leading: Int32) {
        if view.columnStride == 1 || view.columns == 1 {
            if view.rowStride >= view.columns || view.rows == 1 {
                return (false, Int32(max(view.rowStride, view.columns, 1)))
            }
        }
        precondition(view.rowStride == 1 || view.rows == 1, "gemm: one stride of each operand must be 1")
        return (true, Int32(max(view.columnStride, view.rows, 1)))
    }

    /// Returns working memory for a call that can't throw, or nil for a count of 0. Running
    /// out of memory ends the program, as it does for any other small allocation.
    func scratch(_ workspace: Workspace, _ count: Int) -> UnsafeMutablePointer<Float>? {
        guard count > 0 else { return nil }
        do { return try workspace.pointer(count) } catch { fatalError("\(error)") }
    }

    // MARK: Overrides

    public func makeRecurrence(_ plan: RecurrencePlan, _ binding: RecurrenceBinding) throws -> any RecurrenceExecutor {
        try CPURecurrence(plan, binding, on: self)
    }

    public func makeSoftmaxCrossEntropy(classes: Int, width: Int, excludedClass: Int?) throws -> any SoftmaxCrossEntropy
    {
        CPUSoftmaxCrossEntropy(excludedClass: excludedClass, on: self)
    }
}

extension ck_key {
    init(_ key: RandomKey) {
        self.init(key0: key.key.0, key1: key.key.1, high0: key.high.0, high1: key.high.1)
    }
}
