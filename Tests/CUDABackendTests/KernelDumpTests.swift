import CUDABackend
import Foundation
import RecurrentCore
import RecurrentOptimizers
import Testing

/// Writes kernels' texts into the folder named by `URNN_KERNELS`, for
/// `scripts/kernel-report`, which compiles them and analyses the machine code.
enum KernelDump {
    static let folder = ProcessInfo.processInfo.environment["URNN_KERNELS"]

    /// Workloads, each a cell, hidden size and batch such as `gru tanh after:200:80`, separated by
    /// commas: those in `URNN_KERNEL_WORKLOADS`, or the paper's language models and toy tasks,
    /// several rows per block, and the most rows that a block takes.
    static let workloads =
        ProcessInfo.processInfo.environment["URNN_KERNEL_WORKLOADS"]
            ?? """
            rnn relu:200:80,gru tanh after:200:80,gru tanh before:200:80,gru tanh after:50:100,gru tanh after:50:1056,\
            gru tanh after:200:300,urnn abs:1030:20
            """
}

@Suite(.enabled(if: KernelDump.folder != nil, "URNN_KERNELS names no folder"))
struct KernelDumpTests {
    @Test func writesEveryText() throws {
        let folder = try #require(KernelDump.folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        func write(_ sources: some Sequence<KernelSource>, _ name: (KernelSource) -> String) throws {
            for source in sources {
                try Data(source.text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name(source)).cu"))
            }
        }
        for workload in KernelDump.workloads.split(separator: ",") {
            let parts = workload.split(separator: ":"), cell = String(parts[0])
            let known = DeviceChecks.cells.keys.sorted().joined(separator: ", ")
            let make = try #require(
                DeviceChecks.cells[cell], "URNN_KERNEL_WORKLOADS: there is no cell '\(cell)'; there are: \(known)")
            try #require(parts.count == 3, "URNN_KERNEL_WORKLOADS: '\(workload)' isn't cell:hidden size:batch")
            let hidden = try #require(Int(parts[1])), batch = try #require(Int(parts[2]))
            let device = CollectingDevice(), sizes = DeviceChecks.Sizes(hidden: hidden, steps: 2, batch: batch)
            _ = try DeviceChecks.train(
                make(), on: CUDABackend(driver: device, loops: .persistent), sizes: sizes, updates: 1)
            let loops = device.sources.keys.filter { $0.name.hasPrefix("persistent") }
            #expect(!loops.isEmpty, "\(workload) has no persistent loop")
            try write(loops) { "\(cell.replacing(" ", with: "-"))-h\(hidden)-b\(batch).\($0.name.dropFirst(11))" }
        }
        let device = CollectingDevice(), backend = CUDABackend(driver: device), adam = Adam().program
        let kernel = try backend.compile(adam), block = try backend.allocate(rows: 1, columns: 64)
        let inputs = [MatrixView](repeating: block, count: adam.inputCount)
        backend.run(
            kernel, inputs: inputs, outputs: Array(inputs.prefix(adam.outputs.count)),
            scalars: [Double](repeating: 1, count: adam.scalarCount))
        try write(device.sources.keys) { $0.body.contains("View") ? "adam-strided" : "adam" }
        for sizes in [DeviceChecks.Sizes(), DeviceChecks.Sizes(vocabulary: 8, embedding: 8, hidden: 8, batch: 4)] {
            _ = try DeviceChecks.train(DeviceChecks.cells["gru tanh after"]!(), on: backend, sizes: sizes, updates: 1)
        }
        // Without dropout, and rows that are too long for shared memory.
        for classes in [8, 1 << 17] {
            let x = try backend.allocate(rows: 2, columns: 4), weight = try backend.allocate(rows: classes, columns: 4)
            let bias = try backend.allocate(rows: 1, columns: classes)
            let loss = try backend.makeSoftmaxCrossEntropy(classes: classes, width: 4, excludedClass: nil)
            _ = try loss(inputs: x, weight: weight, bias: bias, targets: [0, 1], dropout: nil, gradients: nil)
        }
        let others = device.sources.keys.filter { !$0.name.hasPrefix("persistent") && $0.name != "pointwise" }
        try write(others) { source in
            let isByFour = source.body.contains("typedef Four Item") || source.body.contains("IS_PACKED 1")
            return source.name + (isByFour ? "-4" : "") + (source.body.contains("DROPS 1") ? "-dropout" : "")
        }
    }
}
