import CUDABackend
import RecurrentCore
import Synchronization

/// A device that runs nothing, but records every call that reaches it, in order.
final class TracingDevice: DeviceDriver, Sendable {
    enum Call: Equatable, CustomStringConvertible {
        case launch(String, blocks: Int)
        case product(m: Int, n: Int, k: Int)
        case recording(calls: Int)
        case upload(bytes: Int)
        case clear(bytes: Int)
        /// The host waits for all earlier work.
        case wait(String)

        var description: String {
            switch self {
            case .launch(let name, let blocks): "launch \(name), \(blocks) blocks"
            case .product(let m, let n, let k): "product \(m) × \(n) × \(k)"
            case .recording(let calls): "recording of \(calls) calls"
            case .upload(let bytes): "upload of \(bytes) bytes"
            case .clear(let bytes): "clearing of \(bytes) bytes"
            case .wait(let what): "wait for \(what)"
            }
        }

        /// Whether it is work for the device.
        var isLaunch: Bool {
            switch self {
            case .launch, .product, .recording, .clear: true
            case .upload, .wait: false
            }
        }
        var isWait: Bool { if case .wait = self { true } else { false } }
    }

    private final class Function: DeviceFunction {
        let name: String
        init(_ name: String) { self.name = name }
    }
    private final class Download: DeviceDownload {
        func finish(into destination: UnsafeMutableRawBufferPointer) {
            destination.initializeMemory(as: UInt8.self, repeating: 0)
        }
    }
    private final class Recording: DeviceRecording {
        let calls: Int
        let device: TracingDevice
        init(_ calls: Int, _ device: TracingDevice) {
            self.calls = calls
            self.device = device
        }
        func run() { device.note(.recording(calls: calls)) }
    }

    let name = "tracing device"
    let blockSize = 256
    let processors = 132
    let sharedMemory = 227 << 10
    let registers = 65536
    private let memoryOf = EmulatedDevice(capacity: 1 << 40)
    private let trace = Mutex<[Call]>([])

    /// Returns the calls since the last time this was called.
    func takeTrace() -> [Call] {
        trace.withLock { trace in
            defer { trace = [] }
            return trace
        }
    }
    private func note(_ call: Call) { trace.withLock { $0.append(call) } }

    func compile(_ source: KernelSource) throws -> any DeviceFunction { Function(source.name) }
    func launch(_ function: any DeviceFunction, _ shape: LaunchShape, arguments: KernelArguments) {
        note(.launch((function as! Function).name, blocks: shape.grid.0 * shape.grid.1))
    }
    func gemm(_ product: DeviceProduct) { note(.product(m: product.m, n: product.n, k: product.k)) }
    func solve(transposed: Bool, size: Int, columns: Int, a: DeviceAddress, b: DeviceAddress) throws -> Bool { true }
    func hermitianEigen(size: Int, matrix: DeviceAddress, eigenvalues: DeviceAddress) throws -> Bool { true }
    func record(_ calls: () -> Void) throws -> (any DeviceRecording)? {
        let before = takeTrace()
        calls()
        let recorded = takeTrace()
        trace.withLock { $0 = before }
        return Recording(recorded.count, self)
    }

    func allocate(bytes: Int) throws -> DeviceAddress { try memoryOf.allocate(bytes: bytes) }
    func release(_ address: DeviceAddress) { memoryOf.release(address) }
    func memory() -> (free: Int, total: Int) { memoryOf.memory() }
    func upload(_ source: UnsafeRawBufferPointer, to address: DeviceAddress) { note(.upload(bytes: source.count)) }
    func download(_ address: DeviceAddress, into destination: UnsafeMutableRawBufferPointer) {
        note(.wait("a download of \(destination.count) bytes"))
        destination.initializeMemory(as: UInt8.self, repeating: 0)
    }
    func startDownload(_ address: DeviceAddress, bytes: Int) -> any DeviceDownload { Download() }
    func clear(_ address: DeviceAddress, bytes: Int) { note(.clear(bytes: bytes)) }
    func synchronize() { note(.wait("everything")) }
    func takeError() -> RecurrentError? { nil }
}
