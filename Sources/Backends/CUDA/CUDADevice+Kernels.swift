import CUDADriver
import RecurrentCore
import Synchronization

extension CUDADevice {
    /// A loaded kernel, which is unloaded with the last reference and before its device is closed.
    private final class Function: DeviceFunction, @unchecked Sendable {
        let module, pointer: UnsafeMutableRawPointer
        private let device: CUDADevice

        init(_ module: UnsafeMutableRawPointer, _ pointer: UnsafeMutableRawPointer, _ device: CUDADevice) {
            (self.module, self.pointer, self.device) = (module, pointer, device)
        }
        deinit { device.check(cud_unload_kernel(device.device, module), "unloading a kernel") }
    }

    func compile(_ source: KernelSource) throws -> any DeviceFunction {
        func load(_ image: [UInt8]) throws -> Function {
            var module: UnsafeMutableRawPointer?, function: UnsafeMutableRawPointer?
            let error = image.withUnsafeBytes {
                cud_load_kernel(device, $0.baseAddress, source.name, Int32(source.sharedMemory), &module, &function)
            }
            guard error == 0, let module, let function else {
                throw RecurrentError.device(
                    "cuda: kernel \(source.name) for \(architecture) can't be loaded: \(Self.text(error))")
            }
            return Function(module, function, self)
        }
        let text = source.text
        if let known = cache.image(of: text), let function = try? load(known) { return function }
        let image = try NVRTC.compile(text, name: source.name, architecture: architecture)
        let function = try load(image)
        cache.keep(image, of: text)
        return function
    }

    func launch(_ function: any DeviceFunction, _ shape: LaunchShape, arguments: KernelArguments) {
        // C's struct ends at a multiple of 8.
        var bytes = arguments.bytes
        while bytes.count % 8 != 0 { bytes.append(0) }
        let grid = [UInt32(shape.grid.0), UInt32(shape.grid.1), 1], block = [UInt32(shape.block), 1, 1]
        let error = bytes.withUnsafeMutableBytes { bytes in
            cud_launch(
                device, (function as! Function).pointer, grid, block, UInt32(shape.sharedMemory), bytes.baseAddress,
                shape.isCooperative)
        }
        check(error, "starting a kernel")
        recorded.withLock { $0?.append(function) }
    }

    /// A CUDA graph and the kernels that it starts.
    private final class Recording: DeviceRecording, @unchecked Sendable {
        let graph: UnsafeMutableRawPointer
        let functions: [any DeviceFunction]
        let device: CUDADevice

        init(_ graph: UnsafeMutableRawPointer, _ functions: [any DeviceFunction], _ device: CUDADevice) {
            (self.graph, self.functions, self.device) = (graph, functions, device)
        }
        deinit { device.check(cud_free_graph(device.device, graph), "freeing what was recorded") }
        func run() { device.check(cud_run_graph(device.device, graph), "what was recorded") }
    }

    func record(_ calls: () -> Void) throws -> (any DeviceRecording)? {
        guard cud_begin_capture(device) == 0 else { return nil }
        let before = takeError()
        recorded.withLock { $0 = [] }
        calls()
        let functions = recorded.withLock { functions in
            defer { functions = nil }
            return functions ?? []
        }
        var graph: UnsafeMutableRawPointer?
        let error = cud_end_capture(device, &graph)
        // Calls that failed while being recorded didn't run, so their errors are dropped.
        restore(before)
        guard error == 0, let graph else { return nil }
        var seen: Set<ObjectIdentifier> = []
        return Recording(graph, functions.filter { seen.insert(ObjectIdentifier($0)).inserted }, self)
    }
}
