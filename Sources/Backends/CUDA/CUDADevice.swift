import CUDADriver
import Foundation
import RecurrentCore
import Synchronization

/// A GPU through NVIDIA's own libraries.
final class CUDADevice: DeviceDriver, Sendable {
    private struct Handle: @unchecked Sendable { let pointer: OpaquePointer }
    private let handle: Handle
    private var device: OpaquePointer { handle.pointer }
    private let architecture: String
    private let cache: KernelCache
    private let firstError = Mutex<RecurrentError?>(nil)
    let name: String
    let blockSize = 256
    let processors: Int
    let sharedMemory: Int
    let registers: Int

    /// - Throws: ``RecurrentError/backend(_:)``.
    init(index: Int) throws {
        var message = [CChar](repeating: 0, count: 1024)
        guard CUDALibraries.withFolders({ cud_open($0, &message, message.count) }) else {
            throw RecurrentError.backend("cuda: \(Self.text(message)); \(CUDALibraries.advice)")
        }
        guard let device = cud_device_open(Int32(clamping: index), &message, message.count) else {
            throw RecurrentError.backend("cuda: \(Self.text(message))")
        }
        handle = Handle(pointer: device)
        let capability = cud_device_capability(device)
        architecture = "sm_\(capability)"
        name = String(cString: cud_device_name(device))
        processors = Int(cud_device_processors(device))
        sharedMemory = Int(cud_device_shared_memory(device))
        registers = Int(cud_device_registers(device))
        cache = KernelCache(architecture: architecture, compiler: Int(cud_compiler_version()))
        guard capability >= 50 else {
            throw RecurrentError.backend("cuda: \(name) has compute capability \(capability / 10).\(capability % 10); 5.0 or higher is needed")
        }
    }

    deinit { cud_device_close(device) }

    private static func text(_ message: [CChar]) -> String {
        String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Keeps the first error of calls that can't throw.
    private func check(_ error: Int32, _ what: @autoclosure () -> String) {
        guard error != 0 else { return }
        let failure = RecurrentError.backend("cuda: \(what()) failed: \(String(cString: cud_error_text(error)))")
        firstError.withLock { if $0 == nil { $0 = failure } }
    }

    func takeError() -> RecurrentError? {
        firstError.withLock { error in
            defer { error = nil }
            return error
        }
    }

    // MARK: Memory

    func allocate(bytes: Int) throws -> DeviceAddress {
        var address: UInt64 = 0
        let error = cud_allocate(device, bytes, &address)
        guard error == 0 else {
            let (free, total) = memory()
            throw RecurrentError.backend(
                "cuda: no memory for \(bytes >> 20) MiB on \(name): \(free >> 20) of \(total >> 20) MiB are free (\(String(cString: cud_error_text(error)))); choose a smaller --batch-size or --bptt")
        }
        return address
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
    func startDownload(_ address: DeviceAddress, bytes: Int) -> any DeviceDownload { Download(address, bytes: bytes, self) }

    func clear(_ address: DeviceAddress, bytes: Int) { check(cud_clear(device, address, bytes), "clearing memory") }
    func synchronize() { check(cud_synchronize(device), "a kernel") }

    // MARK: Kernels

    private final class Function: DeviceFunction, @unchecked Sendable {
        let pointer: UnsafeMutableRawPointer
        init(_ pointer: UnsafeMutableRawPointer) { self.pointer = pointer }
    }

    func compile(_ source: KernelSource) throws -> any DeviceFunction {
        func load(_ image: [UInt8]) throws -> Function {
            var module: UnsafeMutableRawPointer?, function: UnsafeMutableRawPointer?
            var error = image.withUnsafeBytes { cud_load_module(device, $0.baseAddress, &module) }
            if error == 0 { error = cud_find_function(device, module, source.name, Int32(source.sharedMemory), &function) }
            guard error == 0, let function else {
                throw RecurrentError.backend("cuda: kernel \(source.name) can't be loaded: \(String(cString: cud_error_text(error)))")
            }
            return Function(function)
        }
        let text = source.text
        if let known = cache.image(of: text), let function = try? load(known) { return function }
        let image = try NVRTC.compile(text, name: source.name, architecture: architecture)
        let function = try load(image)
        cache.keep(image, of: text)
        return function
    }

    func launch(_ function: any DeviceFunction, _ shape: LaunchShape, arguments: KernelArguments) {
        // As long as C's struct, which ends at a multiple of 8.
        var bytes = arguments.bytes
        while bytes.count % 8 != 0 { bytes.append(0) }
        let grid = [UInt32(shape.grid.0), UInt32(shape.grid.1), 1], block = [UInt32(shape.block), 1, 1]
        let error = bytes.withUnsafeMutableBytes { bytes in
            cud_launch(
                device, (function as! Function).pointer, grid, block, UInt32(shape.sharedMemory), bytes.baseAddress,
                shape.isCooperative)
        }
        check(error, "starting a kernel")
    }

    // MARK: Libraries

    func gemm(_ p: DeviceProduct) {
        check(
            cud_gemm(
                device, p.precision.rawValue, p.transposesA, p.transposesB, Int32(p.m), Int32(p.n), Int32(p.k), p.alpha, p.a, Int32(p.lda), p.b,
                Int32(p.ldb), p.beta, p.c, Int32(p.ldc)), "a product")
    }

    private func verdict(_ what: String, _ call: (UnsafeMutablePointer<Int32>) -> Int32) throws -> Bool {
        var info: Int32 = 0
        let error = call(&info)
        guard error == 0 else { throw RecurrentError.backend("cuda: \(what) failed: \(String(cString: cud_error_text(error)))") }
        return info == 0
    }

    func solve(transposed: Bool, size: Int, columns: Int, a: DeviceAddress, b: DeviceAddress) throws -> Bool {
        try verdict("a factorisation") { cud_solve(device, transposed, Int32(size), Int32(columns), a, b, $0) }
    }
    func hermitianEigen(size: Int, matrix: DeviceAddress, eigenvalues: DeviceAddress) throws -> Bool {
        try verdict("an eigendecomposition") { cud_hermitian_eigen(device, Int32(size), matrix, eigenvalues, $0) }
    }

    // MARK: Recording

    private final class Recording: DeviceRecording, @unchecked Sendable {
        let graph: UnsafeMutableRawPointer
        let device: CUDADevice
        init(_ graph: UnsafeMutableRawPointer, _ device: CUDADevice) {
            self.graph = graph
            self.device = device
        }
        deinit { cud_free_graph(device.device, graph) }
        func run() { device.check(cud_run_graph(device.device, graph), "a recorded recurrence") }
    }

    func record(_ calls: () -> Void) throws -> (any DeviceRecording)? {
        guard cud_begin_capture(device) == 0 else { return nil }
        let before = takeError()
        calls()
        var graph: UnsafeMutableRawPointer?
        let error = cud_end_capture(device, &graph)
        // What failed while it was recorded has not happened.
        firstError.withLock { $0 = before }
        return error == 0 ? graph.map { Recording($0, self) } : nil
    }
}
