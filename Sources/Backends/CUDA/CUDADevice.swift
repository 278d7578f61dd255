import CUDADriver
import Foundation
import RecurrentCore
import Synchronization

/// A GPU that is used through NVIDIA's libraries.
final class CUDADevice: DeviceDriver, Sendable {
    private struct Handle: @unchecked Sendable { let pointer: OpaquePointer }
    private let handle: Handle
    var device: OpaquePointer { handle.pointer }
    /// NVRTC's name for the architecture that kernels are compiled for, such as `sm_90`.
    let architecture: String
    let cache: KernelCache
    private let firstError = Mutex<RecurrentError?>(nil)
    /// The kernels that the current recording starts, or nil if there is none.
    let recorded = Mutex<[any DeviceFunction]?>(nil)
    let name: String
    let blockSize = 256
    let processors: Int
    let sharedMemory: Int
    let registers: Int
    let startsCooperatively: Bool

    /// Opens a device.
    /// - Throws: ``RecurrentError/backend(_:)`` if there is no such device, it can't be used,
    ///   or a library is missing.
    init(index: Int) throws {
        let index = Int32(clamping: index)
        var message = [CChar](repeating: 0, count: 1024)
        let opened = Int(CUDALibraries.withFolders { cud_open($0, index, &message, message.count) })
        guard opened == CUD_OPEN else {
            let advice = opened == CUD_NOT_INSTALLED ? "; \(CUDALibraries.advice)" : ""
            throw RecurrentError.backend("cuda: \(CUDALibraries.text(message))\(advice)")
        }
        guard let device = cud_device_open(index, &message, message.count) else {
            throw RecurrentError.backend("cuda: \(CUDALibraries.text(message))")
        }
        name = String(cString: cud_device_name(device))
        do { architecture = try NVRTC.architecture(for: Int(cud_device_capability(device)), of: name) } catch {
            cud_device_close(device)
            throw error
        }
        handle = Handle(pointer: device)
        processors = Int(cud_device_processors(device))
        sharedMemory = Int(cud_device_shared_memory(device))
        registers = Int(cud_device_registers(device))
        startsCooperatively = cud_device_starts_cooperatively(device)
        cache = KernelCache(architecture: architecture, compiler: Int(cud_compiler_version()))
    }

    deinit { cud_device_close(device) }

    static func text(_ error: Int32) -> String { String(cString: cud_error_text(error)) }

    /// Keeps the first error of calls that can't throw, with a description of the call.
    func check(_ error: Int32, _ what: @autoclosure () -> String) {
        guard error != 0 else { return }
        keep(RecurrentError.device("cuda: \(what()) failed: \(Self.text(error))"))
    }
    private func keep(_ failure: RecurrentError) { firstError.withLock { if $0 == nil { $0 = failure } } }

    func takeError() -> RecurrentError? {
        firstError.withLock { error in
            defer { error = nil }
            return error
        }
    }
    func restore(_ error: RecurrentError?) { firstError.withLock { $0 = error } }

    // MARK: Memory

    func allocate(bytes: Int) throws -> DeviceAddress {
        var address: UInt64 = 0, isOutOfMemory = false
        let error = cud_allocate(device, bytes, &address, &isOutOfMemory)
        guard error != 0 else { return address }
        let size = "\((bytes + (1 << 20) - 1) >> 20) MiB"
        guard isOutOfMemory else {
            throw RecurrentError.device("cuda: allocating \(size) on \(name) failed: \(Self.text(error))")
        }
        let (free, total) = memory()
        throw RecurrentError.device(
            "cuda: no memory for \(size) on \(name): \(free >> 20) of \(total >> 20) MiB are free; choose a smaller `batchSize` or fewer steps per batch"
        )
    }

    func release(_ address: DeviceAddress) { _ = cud_release(device, address) }

    func memory() -> (free: Int, total: Int) {
        var free = 0, total = 0
        check(cud_memory_info(device, &free, &total), "asking for the free memory")
        return (free, total)
    }

    func upload(_ source: UnsafeRawBufferPointer, to address: DeviceAddress) {
        guard source.count > 0 else { return }
        check(cud_upload(device, address, source.baseAddress, source.count), "an upload")
    }
    func download(_ address: DeviceAddress, into destination: UnsafeMutableRawBufferPointer) {
        guard destination.count > 0 else { return }
        check(cud_download(device, destination.baseAddress, address, destination.count), "a download")
    }

    private final class Download: DeviceDownload {
        private struct Transfer: @unchecked Sendable { let pointer: OpaquePointer }
        private let transfer: Mutex<Transfer?>
        private let bytes: Int
        private let device: CUDADevice

        init(_ address: DeviceAddress, bytes: Int, _ device: CUDADevice) {
            var pointer: OpaquePointer?
            if bytes > 0 { device.check(cud_start_download(device.device, address, bytes, &pointer), "a download") }
            transfer = Mutex(pointer.map { Transfer(pointer: $0) })
            self.bytes = bytes
            self.device = device
        }
        private func end(_ destination: UnsafeMutableRawPointer?) {
            let started = transfer.withLock { transfer in
                defer { transfer = nil }
                return transfer
            }
            guard let started else { return }
            device.check(cud_finish_download(device.device, started.pointer, destination, bytes), "a download")
        }
        func finish(into destination: UnsafeMutableRawBufferPointer) {
            precondition(destination.count == bytes, "a download of \(bytes) bytes into \(destination.count)")
            end(destination.baseAddress)
        }
        deinit { end(nil) }
    }
    func startDownload(_ address: DeviceAddress, bytes: Int) -> any DeviceDownload {
        Download(address, bytes: bytes, self)
    }

    func clear(_ address: DeviceAddress, bytes: Int) { check(cud_clear(device, address, bytes), "clearing memory") }
    func synchronize() { check(cud_synchronize(device), "a kernel") }

    // MARK: Libraries

    func gemm(_ p: DeviceProduct) {
        precondition(
            [p.m, p.n, p.k, p.lda, p.ldb, p.ldc].allSatisfy { $0 <= Int32.max }, "a product of 2³¹ rows or columns")
        // Even a matrix without columns must have a stride.
        func stride(_ value: Int) -> Int32 { Int32(max(value, 1)) }
        check(
            cud_gemm(
                device, p.precision.code, p.transposesA, p.transposesB, Int32(p.m), Int32(p.n), Int32(p.k), p.alpha,
                p.a, stride(p.lda),
                p.b, stride(p.ldb), p.beta, p.c, stride(p.ldc)), "a product")
    }

    private func verdict(_ what: String, _ call: (UnsafeMutablePointer<Int32>) -> Int32) throws -> Bool {
        var info: Int32 = 0
        let error = call(&info)
        guard error == 0 else { throw RecurrentError.device("cuda: \(what) failed: \(Self.text(error))") }
        return info == 0
    }

    func solve(transposed: Bool, size: Int, columns: Int, a: DeviceAddress, b: DeviceAddress) throws -> Bool {
        try verdict("a factorisation") { cud_solve(device, transposed, Int32(size), Int32(columns), a, b, $0) }
    }
    func hermitianEigen(size: Int, matrix: DeviceAddress, eigenvalues: DeviceAddress) throws -> Bool {
        try verdict("an eigendecomposition") { cud_hermitian_eigen(device, Int32(size), matrix, eigenvalues, $0) }
    }
}
