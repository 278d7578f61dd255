import CUDABackend
import Foundation
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import Testing

/// Whether NVIDIA's compiler is here. With `URNN_NVRTC=required` in the environment
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

/// Every kernel of every cell through NVRTC, which needs no GPU.
@Suite(.enabled(if: Compiler.problem == nil, "no NVRTC: \(Compiler.problem ?? "")"))
struct CompilerTests {
    /// What the cells, optimizers, manifold updates and the backend's own functions compile.
    private static func sources() throws -> [KernelSource] {
        let device = CollectingDevice(), backend = CUDABackend(driver: device)
        for name in DeviceChecks.cells.keys.sorted() {
            _ = try DeviceChecks.train(DeviceChecks.cells[name]!(), on: backend, updates: 1)
        }
        #expect(device.sources.count > DeviceChecks.cells.count)
        // As large as they are trained: weights in registers, in slices, in the L2.
        for name in DeviceChecks.standardCells {
            for (hidden, batch) in [(50, 100), (200, 80), (200, 300), (1030, 20)] {
                let sizes = DeviceChecks.Sizes(hidden: hidden, steps: 2, batch: batch)
                _ = try DeviceChecks.train(
                    DeviceChecks.cells[name]!(), on: CUDABackend(driver: device, loops: .persistent), sizes: sizes, updates: 1)
            }
        }
        for optimizer in [SGD(), SGD(momentum: 0.9, nesterov: true), RMSprop(), Adam(), AdamW()] as [any Optimizer] {
            _ = try backend.compile(optimizer.program)
        }
        let square = try backend.allocate(rows: 8, columns: 8), other = try backend.allocate(rows: 8, columns: 8)
        for manifold in DeviceChecks.manifolds {
            let workspace = try manifold.makeWorkspace(size: 8, on: backend)
            try workspace.computeWeight(from: square, into: other)
        }
        // In tiles of every size.
        for size in [50, 100, 200, 300, 512] { _ = try SkewExponential(size: size, on: backend) }
        for reduction in Reduction.allCases { backend.reduceRows(reduction, square, into: other.columns(0..<1)) }
        return device.sources.sorted { ($0.name, $0.body) < ($1.name, $1.body) }
    }

    @Test(arguments: ["sm_80", "sm_90"]) func everyKernelCompiles(architecture: String) throws {
        try NVRTC.open()
        for source in try Self.sources() {
            let image = try NVRTC.compile(source.text, name: source.name, architecture: architecture)
            // A binary for the device is an ELF file.
            #expect(image.starts(with: [0x7F, 0x45, 0x4C, 0x46]), "\(source.name)")
        }
    }

    @Test func whatDoesNotCompileIsNamed() throws {
        try NVRTC.open()
        #expect { try NVRTC.compile("extern \"C\" __global__ void wrong() { nothing; }", name: "wrong", architecture: "sm_80") } throws: {
            "\($0)".contains("wrong") && "\($0)".contains("nothing") && !"\($0)".contains("\n")
        }
    }
}
