import CUDABackend
import Foundation
import RecurrentCore
import Synchronization

/// Collects the kernels that a program asks for, and runs nothing.
final class CollectingDevice: DeviceDriver, Sendable {
    private final class NoFunction: DeviceFunction {}

    let name = "no device"
    let blockSize = 256
    let processors = 132
    let sharedMemory = 227 << 10
    let registers = 65536
    private let memoryOf = EmulatedDevice()
    private let found = Mutex<Set<KernelSource>>([])

    var sources: Set<KernelSource> { found.withLock { $0 } }

    func compile(_ source: KernelSource) throws -> any DeviceFunction {
        found.withLock { _ = $0.insert(source) }
        return NoFunction()
    }
    func launch(_ function: any DeviceFunction, _ shape: LaunchShape, arguments: KernelArguments) {}
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
