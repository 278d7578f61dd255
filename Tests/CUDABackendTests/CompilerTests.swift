import CUDABackend
import Foundation
import GRUCell
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import Testing

/// Whether NVIDIA's compiler is installed. With `URNN_NVRTC=required` in the environment
/// the tests run in any case, and fail without it.
enum Compiler {
    static let problem: String? = {
        if ProcessInfo.processInfo.environment["URNN_NVRTC"] == "required" { return nil }
        do {
            try NVRTC.open()
            return nil
        } catch { return "\(error)" }
    }()
}

/// A GPU that kernels are compiled for, and the limits of its blocks.
struct CompiledFor: Sendable, CustomTestStringConvertible {
    let capability: Int
    let processors: Int
    let sharedMemory: Int
    /// The part of a block's shared memory that CUDA reserves and counts as the kernel's.
    let reserved: Int
    var testDescription: String { "sm_\(capability)" }

    /// A100, H100, B200; only those that `URNN_CAPABILITIES` names, if it is set: `80,90`.
    static let all = [
        CompiledFor(capability: 80, processors: 108, sharedMemory: 163 << 10, reserved: 0),
        CompiledFor(capability: 90, processors: 132, sharedMemory: 227 << 10, reserved: 1024),
        CompiledFor(capability: 100, processors: 148, sharedMemory: 227 << 10, reserved: 1024),
    ].filter { gpu in
        guard let names = ProcessInfo.processInfo.environment["URNN_CAPABILITIES"] else { return true }
        return names.split(separator: ",").contains { $0 == "\(gpu.capability)" }
    }
}

/// Compiles every kernel of every cell with NVRTC, which needs no GPU.
@Suite(.enabled(if: Compiler.problem == nil, "no NVRTC: \(Compiler.problem ?? "")"))
struct CompilerTests {
    /// Returns the kernels that the cells, optimizers, manifold updates and the backend itself compile.
    private static func sources(_ gpu: CompiledFor) throws -> [(source: KernelSource, use: CollectingDevice.Use)] {
        let device = CollectingDevice(processors: gpu.processors, sharedMemory: gpu.sharedMemory)
        let backend = CUDABackend(driver: device)
        for name in DeviceChecks.cells.keys.sorted() {
            _ = try DeviceChecks.train(DeviceChecks.cells[name]!(), on: backend, updates: 1)
        }
        #expect(device.sources.count > DeviceChecks.cells.count)
        // Sizes as in training: weights in registers, in slices and in the L2; and many rows
        // in a block.
        for name in DeviceChecks.standardCells {
            for (hidden, batch) in [(50, 100), (50, 8 * gpu.processors), (200, 80), (200, 300), (1030, 20)] {
                let sizes = DeviceChecks.Sizes(hidden: hidden, steps: 2, batch: batch)
                _ = try DeviceChecks.train(
                    DeviceChecks.cells[name]!(), on: CUDABackend(driver: device, loops: .persistent), sizes: sizes,
                    updates: 1)
            }
        }
        // Sizes at which four numbers are read at once; logits that shared memory can and can't hold.
        _ = try DeviceChecks.train(
            GRU(), on: backend, sizes: .init(vocabulary: 8, embedding: 8, hidden: 8, batch: 4), updates: 1)
        for classes in [8, 9, 1 << 17] {
            let x = try backend.allocate(rows: 2, columns: 4), weight = try backend.allocate(rows: classes, columns: 4)
            let bias = try backend.allocate(rows: 1, columns: classes)
            let loss = try backend.makeSoftmaxCrossEntropy(classes: classes, width: 4, excludedClass: nil)
            _ = try loss(inputs: x, weight: weight, bias: bias, targets: [0, 1], dropout: nil, gradients: nil)
        }
        for optimizer in [SGD(), SGD(momentum: 0.9, nesterov: true), RMSprop(), Adam(), AdamW()] as [any Optimizer] {
            _ = try backend.compile(optimizer.program)
        }
        let square = try backend.allocate(rows: 8, columns: 8), other = try backend.allocate(rows: 8, columns: 8)
        for manifold in DeviceChecks.manifolds {
            let workspace = try manifold.makeWorkspace(size: 8, on: backend)
            try workspace.computeWeight(at: ManifoldPoint(square), into: other)
        }
        // Sizes for tiles of every size.
        for size in [50, 100, 200, 300, 512] { _ = try SkewExponential(size: size, on: backend) }
        for reduction in Reduction.allCases { backend.reduceRows(reduction, square, into: other.columns(0..<1)) }
        return device.sources.sorted { ($0.key.name, $0.key.body) < ($1.key.name, $1.key.body) }.map {
            ($0.key, $0.value)
        }
    }

    /// A compiler that is older than the GPU makes PTX for the newest one that it knows. Each half
    /// of the kernels is a separate test, which keeps two processors busy.
    @Test(arguments: CompiledFor.all, [0, 1]) func everyKernelCompilesAndFits(gpu: CompiledFor, half: Int) throws {
        try NVRTC.open()
        let architecture = try #require(NVRTC.architecture(for: gpu.capability, among: NVRTC.capabilities))
        for (number, (source, use)) in try Self.sources(gpu).enumerated() where number % 2 == half {
            let image = try NVRTC.compile(source.text, name: source.name, architecture: architecture)
            guard architecture == "sm_\(gpu.capability)" else {
                #expect(
                    image.last == 0 && String(decoding: image, as: UTF8.self).contains(".entry \(source.name)"),
                    "\(source.name)")
                continue
            }
            let found = try #require(KernelResources(of: source.name, in: image), "\(source.name)")
            let what = "\(source.name) for \(architecture), \(use): \(found)\n\(source.body.prefix(2000))"
            #expect(found.frame == 0, "registers are spilled: \(what)")
            let threads = found.mostThreads ?? max(use.threads, 256), warps = (threads + 31) / 32
            #expect(use.threads <= threads, "too many threads: \(what)")
            #expect((found.registers + 7) / 8 * 8 * 32 * ((warps + 3) / 4 * 4) <= 65536, "too many registers: \(what)")
            #expect(
                found.staticSharedMemory + max(source.sharedMemory, use.sharedMemory) <= gpu.sharedMemory + gpu.reserved
                    && use.sharedMemory <= source.sharedMemory, "too much shared memory: \(what)")
            // A C struct ends at a multiple of 8.
            #expect(
                use.argumentSizes.allSatisfy { ($0 + 7) / 8 * 8 == found.argumentSize } && found.argumentSize <= 4096,
                "its arguments are another struct: \(what)")
        }
    }

    /// The kernels' numbers are known: `cuobjdump --dump-resource-usage` reports the same.
    @Test func resourcesAreReadFromTheBinary() throws {
        try NVRTC.open()
        let text = """
            extern "C" __global__ void __launch_bounds__(256) staged(float *x, int n) {
                __shared__ float s[100];
                s[threadIdx.x % 100] = x[threadIdx.x];
                __syncthreads();
                x[n] = s[(threadIdx.x + 1) % 100];
            }
            extern "C" __global__ void __launch_bounds__(1024) spilling(float *x, int n) {
                float a[96];
                #pragma unroll
                for (int i = 0; i < 96; i++) a[i] = x[i * n];
                for (int k = 0; k < n; k++) {
                    #pragma unroll
                    for (int i = 0; i < 96; i++) a[i] = a[i] * a[(i + 7) % 96] + x[k];
                }
                #pragma unroll
                for (int i = 0; i < 96; i++) x[i * n] = a[i];
            }
            struct Arguments { float *x; long long stride; int n; };
            extern "C" __global__ void indexing(Arguments q) {
                float a[64];
                for (int i = 0; i < 64; i++) a[i] = q.x[i] * q.x[i + 1];
                for (int i = 0; i < q.n; i++) a[i * 7 % 64] += a[i * i % 64];
                q.x[0] = a[q.n];
            }
            """
        let image = try NVRTC.compile(text, name: "known", architecture: "sm_80")
        let staged = try #require(KernelResources(of: "staged", in: image))
        #expect(
            staged.frame == 0 && staged.staticSharedMemory == 400 && staged.argumentSize == 12
                && staged.mostThreads == 256)
        #expect((8...32).contains(staged.registers))
        let spilling = try #require(KernelResources(of: "spilling", in: image))
        // There are 96 numbers, and 64 registers per thread.
        #expect(spilling.registers == 64 && spilling.frame >= 4 * (96 - 64) && spilling.staticSharedMemory == 0)
        let indexing = try #require(KernelResources(of: "indexing", in: image))
        #expect(indexing.frame == 256 && indexing.argumentSize == 24 && indexing.mostThreads == nil)
        #expect(KernelResources(of: "missing", in: image) == nil)
        #expect(KernelResources(of: "staged", in: Array("no binary".utf8)) == nil)
    }

    @Test func assemblyIsForTheDriverToCompile() throws {
        try NVRTC.open()
        let image = try NVRTC.compile(
            "extern \"C\" __global__ void small(float *x) { *x = 1; }", name: "small", architecture: "compute_80")
        let text = String(decoding: image.dropLast(), as: UTF8.self)
        #expect(text.contains(".target sm_80") && text.contains(".entry small") && image.last == 0)
    }

    @Test func whatDoesNotCompileIsNamed() throws {
        try NVRTC.open()
        #expect {
            try NVRTC.compile("extern \"C\" __global__ void wrong() { nothing; }", name: "wrong", architecture: "sm_80")
        } throws: {
            "\($0)".contains("wrong") && "\($0)".contains("nothing") && !"\($0)".contains("\n")
        }
    }
}

/// The architectures that kernels are compiled for.
struct ArchitectureTests {
    @Test func theNewestThatTheDeviceRuns() {
        let twelve = [50, 60, 70, 75, 80, 86, 89, 90], thirteen = [75, 80, 86, 89, 90, 100, 120]
        #expect(NVRTC.architecture(for: 90, among: twelve) == "sm_90")
        #expect(NVRTC.architecture(for: 100, among: twelve) == "compute_90")
        #expect(NVRTC.architecture(for: 103, among: thirteen) == "compute_100")
        #expect(NVRTC.architecture(for: 70, among: twelve) == "sm_70")
        #expect(NVRTC.architecture(for: 70, among: thirteen) == nil)
        #expect(NVRTC.architecture(for: 37, among: twelve) == nil)
    }
}
