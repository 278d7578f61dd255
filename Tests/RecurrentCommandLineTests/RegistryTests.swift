import BuiltInPlugins
import Foundation
import RecurrentCommandLine
import RecurrentCore
import Testing

/// The registry is the one place that can forget a plug-in.
struct RegistryTests {
    private func folders(_ path: String) throws -> Set<String> {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Sources/\(path)")
        return Set(try FileManager.default.contentsOfDirectory(atPath: root.path))
    }

    @Test func everyCellFolderIsRegistered() throws {
        let names = try folders("Cells").map { $0 == "VanillaRNN" ? "rnn" : $0.lowercased() }
        #expect(Set(names) == Set(Registry.builtIn.cells.map(\.name)))
    }

    @Test func everyDatasetAndBackendFolderIsRegistered() throws {
        #expect(try folders("Datasets") == ["Toy", "PTB", "Digits"])
        #expect(Registry.builtIn.datasets.map(\.plugin.name) == ["recall", "kth-largest", "copying", "adding", "digits", "permuted-digits", "ptb", "ptb-char"])
        let backends = try folders("Backends").filter { !$0.hasPrefix("C") || ["CPU", "CUDA"].contains($0) }
        #expect(Set(backends.map { $0.lowercased() }) == Set(Registry.builtIn.backends.map(\.name)))
    }

    @Test func manifoldFilesAreRegistered() throws {
        let updates = try folders("Optimizers/Manifold").filter { $0.hasSuffix("Update.swift") }
        // The exponential is registered twice: by products, and by eigendecomposition.
        #expect(updates.count + 1 == Registry.builtIn.manifolds.count)
        let optimizers = try folders("Optimizers").filter { $0.hasSuffix(".swift") }
        #expect(optimizers.count == Registry.builtIn.optimizers.count)
    }

    @Test func listNamesEverything() throws {
        let result = try Tool("list")
        let registry = Registry.builtIn
        let names =
            registry.cells.map(\.name) + registry.activations.map(\.name) + registry.datasets.map(\.plugin.name)
            + registry.backends.map(\.name) + registry.optimizers.map(\.name) + registry.manifolds.map(\.name)
            + registry.skewInits.map(\.name)
        for name in names { #expect(result.output.contains("\n  \(name) "), "\(name)") }
        #expect(result.status == 0)
    }
}
