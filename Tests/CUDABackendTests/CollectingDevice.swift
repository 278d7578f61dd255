import CUDABackend
import Foundation
import RecurrentCore
import Synchronization

/// A device that collects the kernels a program requests and how it starts them, but runs nothing.
final class CollectingDevice: DeviceDriver, Sendable {
    private final class Function: DeviceFunction {
        let source: KernelSource
        init(_ source: KernelSource) { self.source = source }
    }
    /// The largest launches of a kernel.
    struct Use {
        var threads = 0, sharedMemory = 0
        var argumentSizes: Set<Int> = []
    }

    let name = "no device"
    let blockSize = 256
    let processors: Int
    let sharedMemory: Int
    let registers = 65536
    private let memoryOf = EmulatedDevice()
    private let found = Mutex<[KernelSource: Use]>([:])

    /// Creates a device, by default an H100.
    init(processors: Int = 132, sharedMemory: Int = 227 << 10) {
        self.processors = processors
        self.sharedMemory = sharedMemory
    }

    var sources: [KernelSource: Use] { found.withLock { $0 } }

    func compile(_ source: KernelSource) throws -> any DeviceFunction {
        found.withLock { $0[source] = $0[source] ?? Use() }
        return Function(source)
    }
    func launch(_ function: any DeviceFunction, _ shape: LaunchShape, arguments: KernelArguments) {
        found.withLock { found in
            var use = found[(function as! Function).source]!
            use.threads = max(use.threads, shape.block)
            use.sharedMemory = max(use.sharedMemory, shape.sharedMemory)
            use.argumentSizes.insert(arguments.bytes.count)
            found[(function as! Function).source] = use
        }
    }
    func gemm(_ product: DeviceProduct) {}
    func solve(transposed: Bool, size: Int, columns: Int, a: DeviceAddress, b: DeviceAddress) throws -> Bool { true }
    func hermitianEigen(size: Int, matrix: DeviceAddress, eigenvalues: DeviceAddress) throws -> Bool { true }
    func record(_ calls: () -> Void) throws -> (any DeviceRecording)? { nil }

    func allocate(bytes: Int) throws -> DeviceAddress { try memoryOf.allocate(bytes: bytes) }
    func release(_ address: DeviceAddress) { memoryOf.release(address) }
    func memory() -> (free: Int, total: Int) { memoryOf.memory() }
    func upload(_ source: UnsafeRawBufferPointer, to address: DeviceAddress) {}
    func download(_ address: DeviceAddress, into destination: UnsafeMutableRawBufferPointer) {
        destination.initializeMemory(as: UInt8.self, repeating: 0)
    }
    private final class Zeros: DeviceDownload {
        func finish(into destination: UnsafeMutableRawBufferPointer) {
            destination.initializeMemory(as: UInt8.self, repeating: 0)
        }
    }
    func startDownload(_ address: DeviceAddress, bytes: Int) -> any DeviceDownload { Zeros() }
    func clear(_ address: DeviceAddress, bytes: Int) {}
    func synchronize() {}
    func takeError() -> RecurrentError? { nil }
}
