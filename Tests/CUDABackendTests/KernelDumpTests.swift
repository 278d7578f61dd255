import CUDABackend
import Foundation
import RecurrentCore
import RecurrentOptimizers
import Testing

/// Writes kernels' texts into the folder that `URNN_KERNELS` names, for
/// `scripts/kernel-report`, which compiles them and reads the machine code.
enum KernelDump {
    static let folder = ProcessInfo.processInfo.environment["URNN_KERNELS"]

    /// Cell, hidden size and batch, as `gru tanh after:200:80`, separated by commas: those of
    /// `URNN_KERNEL_WORKLOADS`, or the paper's language models and toys, several rows a
    /// block, and the most rows that a block takes.
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
            for source in sources { try Data(source.text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name(source)).cu")) }
        }
        for workload in KernelDump.workloads.split(separator: ",") {
            let parts = workload.split(separator: ":"), cell = String(parts[0])
            let hidden = try #require(Int(parts[1])), batch = try #require(Int(parts[2]))
            let device = CollectingDevice(), sizes = DeviceChecks.Sizes(hidden: hidden, steps: 2, batch: batch)
            _ = try DeviceChecks.train(
                DeviceChecks.cells[cell]!(), on: CUDABackend(driver: device, loops: .persistent), sizes: sizes, updates: 1)
            let loops = device.sources.keys.filter { $0.name.hasPrefix("persistent") }
            #expect(!loops.isEmpty, "\(workload) has no persistent loop")
            try write(loops) { "\(cell.replacing(" ", with: "-"))-h\(hidden)-b\(batch).\($0.name.dropFirst(11))" }
        }
        let device = CollectingDevice(), backend = CUDABackend(driver: device)
        _ = try backend.compile(Adam().program)
        try write(device.sources.keys) { _ in "adam" }
        _ = try DeviceChecks.train(DeviceChecks.cells["gru tanh after"]!(), on: backend, updates: 1)
        try write(device.sources.keys.filter { !$0.name.hasPrefix("persistent") && $0.name != "pointwise" }) { $0.name }
    }
}
