import CUDABackend
import Foundation
import RecurrentCore
import ReferenceBackend
import Synchronization

/// A device without a GPU: host memory, the backend's kernels compiled as C, and plain
/// loops in place of cuBLAS and cuSOLVER.
final class EmulatedDevice: DeviceDriver, Sendable {
    let name = "emulated device"
    /// The size of a block, which is small because each thread is a fiber.
    let blockSize: Int
    let processors: Int
    let sharedMemory: Int
    let registers: Int
    /// The device's memory in bytes.
    let capacity: Int
    private let used = Mutex<[DeviceAddress: Int]>([:])
    /// The names of kernels that have been started.
    private let started = Mutex<Set<String>>([])
    var kernelNames: Set<String> { started.withLock { $0 } }
    private let recorded = Mutex(Recorded())

    private let canRecord: Bool

    init(
        blockSize: Int = 64, processors: Int = 2, capacity: Int = 1 << 32, sharedMemory: Int = 227 << 10,
        registers: Int = 65536,
        canRecord: Bool = true
    ) {
        self.processors = processors
        self.registers = registers
        self.sharedMemory = sharedMemory
        self.canRecord = canRecord
        self.blockSize = blockSize
        self.capacity = capacity
    }

    func allocate(bytes: Int) throws -> DeviceAddress {
        requireNoRecording()
        let free = memory().free
        guard bytes <= free else { throw RecurrentError.device("no memory for \(bytes) bytes: \(free) are free") }
        // New memory may hold anything.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 256)
        memset(memory.baseAddress!, 0xFF, bytes)
        let address = DeviceAddress(UInt(bitPattern: memory.baseAddress!))
        used.withLock { $0[address] = bytes }
        return address
    }

    func release(_ address: DeviceAddress) {
        precondition(used.withLock { $0.removeValue(forKey: address) } != nil, "released twice")
        pointer(address).deallocate()
    }

    func memory() -> (free: Int, total: Int) { (capacity - used.withLock { $0.values.reduce(0, +) }, capacity) }

    private func pointer(_ address: DeviceAddress) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: UInt(address))!
    }
    func upload(_ source: UnsafeRawBufferPointer, to address: DeviceAddress) {
        requireNoRecording()
        if source.count > 0 { memcpy(pointer(address), source.baseAddress!, source.count) }
    }
    func download(_ address: DeviceAddress, into destination: UnsafeMutableRawBufferPointer) {
        requireNoRecording()
        if destination.count > 0 { memcpy(destination.baseAddress!, pointer(address), destination.count) }
    }
    /// A download that is copied at once, when it is requested.
    private final class Download: DeviceDownload {
        let bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }
        func finish(into destination: UnsafeMutableRawBufferPointer) {
            precondition(destination.count == bytes.count)
            destination.copyBytes(from: bytes)
        }
    }
    func startDownload(_ address: DeviceAddress, bytes: Int) -> any DeviceDownload {
        requireNoRecording()
        return Download(Array(UnsafeRawBufferPointer(start: pointer(address), count: bytes)))
    }
    func clear(_ address: DeviceAddress, bytes: Int) {
        requireNoRecording()
        memset(pointer(address), 0, bytes)
    }
    func synchronize() { requireNoRecording() }
    func takeError() -> RecurrentError? { nil }

    // MARK: Kernels

    private typealias Launch = @convention(c) (UnsafeRawPointer, UInt32, UInt32, UInt32, UInt32) -> Int32

    /// A compiled kernel. The emulation's variables are static, so one launch runs at a time.
    private final class Function: DeviceFunction, Sendable {
        let source: KernelSource
        let launch: Launch
        /// Launches all blocks at once.
        let launchTogether: Launch
        let lock = Mutex(())
        init(_ source: KernelSource, _ launch: Launch, _ launchTogether: Launch) {
            self.source = source
            self.launch = launch
            self.launchTogether = launchTogether
        }
    }
    private static let known = Mutex<[KernelSource: Function]>([:])

    func compile(_ source: KernelSource) throws -> any DeviceFunction {
        try Self.known.withLock { known in
            if let function = known[source] { return function }
            let folder = NSTemporaryDirectory() + "urnn-emulation-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let text = HostEmulation.text(
                prelude: String(source.text.dropLast(source.body.count)), body: source.body, kernel: source.name)
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/kernel.c"))
            let compiler = Process()
            compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            compiler.arguments = [
                ProcessInfo.processInfo.environment["CC"] ?? "cc", "-O1", "-w", "-ffp-contract=off", "-shared", "-fPIC",
                folder + "/kernel.c", "-o", folder + "/kernel.so", "-lm",
            ]
            let errors = Pipe()
            compiler.standardError = errors
            try compiler.run()
            let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            compiler.waitUntilExit()
            guard compiler.terminationStatus == 0, let library = dlopen(folder + "/kernel.so", RTLD_NOW | RTLD_LOCAL),
                let launch = dlsym(library, "emu_launch"), let launchTogether = dlsym(library, "emu_launch_cooperative")
            else { throw RecurrentError.backend("kernel \(source.name) doesn't compile: \(complaint)\n\(source.body)") }
            let function = Function(
                source, unsafeBitCast(launch, to: Launch.self), unsafeBitCast(launchTogether, to: Launch.self))
            known[source] = function
            return function
        }
    }

    func launch(_ function: any DeviceFunction, _ shape: LaunchShape, arguments: KernelArguments) {
        if keeps({ self.launch(function, shape, arguments: arguments) }) { return }
        let function = function as! Function
        precondition(shape.sharedMemory <= function.source.sharedMemory && function.source.sharedMemory <= sharedMemory)
        started.withLock { _ = $0.insert(function.source.name) }
        // A copy with the struct's alignment.
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(arguments.bytes.count, 8), alignment: 16)
        defer { copy.deallocate() }
        copy.copyBytes(from: arguments.bytes)
        precondition(!shape.isCooperative || shape.grid.0 * shape.grid.1 <= processors, "more blocks than run at once")
        let failed = function.lock.withLock { _ in
            (shape.isCooperative ? function.launchTogether : function.launch)(
                copy.baseAddress!, UInt32(shape.grid.0), UInt32(shape.grid.1), UInt32(shape.block),
                UInt32(shape.sharedMemory))
        }
        precondition(failed != 2, "kernel \(function.source.name) writes past its shared memory")
        precondition(failed == 0, "kernel \(function.source.name): a barrier that some threads don't reach")
    }

    // MARK: Libraries

    private func floats(_ address: DeviceAddress) -> UnsafeMutablePointer<Float> {
        pointer(address).assumingMemoryBound(to: Float.self)
    }

    func gemm(_ p: DeviceProduct) {
        if keeps({ self.gemm(p) }) { return }
        precondition(p.lda >= (p.transposesA ? p.k : p.m) && p.ldb >= (p.transposesB ? p.n : p.k) && p.ldc >= p.m)
        let (a, b, c) = (floats(p.a), floats(p.b), floats(p.c))
        // The bits of the mantissa that a factor loses.
        let lost: UInt32 =
            switch p.precision {
            case .float32: 0
            case .tf32: 13
            case .bfloat16: 16
            }
        func factor(_ x: Float) -> Double {
            lost == 0 || !x.isFinite
                ? Double(x) : Double(Float(bitPattern: ((x.bitPattern + (1 << (lost - 1))) >> lost) << lost))
        }
        for j in 0..<p.n {
            for i in 0..<p.m {
                var sum = 0.0
                for l in 0..<p.k {
                    sum +=
                        factor(a[p.transposesA ? i * p.lda + l : l * p.lda + i])
                        * factor(b[p.transposesB ? l * p.ldb + j : j * p.ldb + l])
                }
                let before = p.beta == 0 ? 0 : Double(p.beta) * Double(c[j * p.ldc + i])
                c[j * p.ldc + i] = Float(Double(p.alpha) * sum + before)
            }
        }
    }

    func solve(transposed: Bool, size: Int, columns: Int, a: DeviceAddress, b: DeviceAddress) throws -> Bool {
        let oracle = ReferenceBackend()
        // Column-major numbers read row by row are the transpose.
        let matrix = try oracle.makeMatrix((0..<size * size).map { floats(a)[$0] }, rows: size, columns: size)
        let system = try oracle.allocate(rows: size, columns: size)
        oracle.copy(transposed ? matrix : matrix.transposed, to: system)
        let turned = try oracle.makeMatrix((0..<size * columns).map { floats(b)[$0] }, rows: columns, columns: size)
        let right = try oracle.allocate(rows: size, columns: columns)
        oracle.copy(turned.transposed, to: right)
        do { try oracle.solve(system, right) } catch RecurrentError.linearAlgebra { return false }
        oracle.copy(right.transposed, to: turned)
        for (index, value) in oracle.download(turned, as: Float.self).enumerated() { floats(b)[index] = value }
        return true
    }

    func hermitianEigen(size: Int, matrix: DeviceAddress, eigenvalues: DeviceAddress) throws -> Bool {
        let oracle = ReferenceBackend(), count = size * size
        func part(_ offset: Int) throws -> MatrixView {
            let columns = try oracle.makeMatrix(
                (0..<count).map { floats(matrix)[2 * $0 + offset] }, rows: size, columns: size)
            let rows = try oracle.allocate(rows: size, columns: size)
            oracle.copy(columns.transposed, to: rows)
            return rows
        }
        let real = try part(0), imaginary = try part(1), values = try oracle.allocate(rows: 1, columns: size)
        do {
            try oracle.hermitianEigen(real: real, imaginary: imaginary, eigenvalues: values)
        } catch RecurrentError.linearAlgebra { return false }
        for (offset, view) in [real, imaginary].enumerated() {
            let turned = try oracle.allocate(rows: size, columns: size)
            oracle.copy(view.transposed, to: turned)
            for (index, value) in oracle.download(turned, as: Float.self).enumerated() {
                floats(matrix)[2 * index + offset] = value
            }
        }
        for (index, value) in oracle.download(values, as: Float.self).enumerated() {
            floats(eigenvalues)[index] = value
        }
        return true
    }

    // MARK: Recording

    private struct Recorded {
        var calls: [@Sendable () -> Void]?
        var runs = 0
    }
    private final class Recording: DeviceRecording {
        let calls: [@Sendable () -> Void]
        let device: EmulatedDevice
        init(_ calls: [@Sendable () -> Void], _ device: EmulatedDevice) {
            self.calls = calls
            self.device = device
        }
        func run() {
            device.recorded.withLock { $0.runs += 1 }
            for call in calls { call() }
        }
    }

    /// The number of times that recordings have been run.
    var recordedRuns: Int { recorded.withLock { $0.runs } }

    /// Keeps launches and products instead of running them, as a GPU does.
    func record(_ calls: () -> Void) throws -> (any DeviceRecording)? {
        guard canRecord else { return nil }
        recorded.withLock { $0.calls = [] }
        calls()
        return recorded.withLock { recorded in
            defer { recorded.calls = nil }
            return recorded.calls.map { Recording($0, self) }
        }
    }

    /// Keeps a call for later during a recording; returns whether it did.
    private func keeps(_ call: @escaping @Sendable () -> Void) -> Bool {
        recorded.withLock { recorded in
            recorded.calls?.append(call)
            return recorded.calls != nil
        }
    }

    /// Traps during a recording, in calls that can't be recorded.
    private func requireNoRecording() {
        precondition(recorded.withLock { $0.calls == nil }, "a call that a GPU can't record")
    }
}
