import BuiltInPlugins
import Foundation
import RecurrentCommandLine
import RecurrentCore
import RecurrentRuns
import Testing

/// The registry is the only place where a plug-in can be forgotten.
struct RegistryTests {
    private func folders(_ path: String) throws -> Set<String> {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../Sources/\(path)")
        return Set(try FileManager.default.contentsOfDirectory(atPath: root.path))
    }

    @Test func everyCellFolderIsRegistered() throws {
        let names = try folders("Cells").map { $0 == "VanillaRNN" ? "rnn" : $0.lowercased() }
        #expect(Set(names) == Set(Registry.builtIn.names(.cell).map { $0.replacing("-", with: "") }))
    }

    @Test func everyDatasetAndBackendFolderIsRegistered() throws {
        #expect(try folders("Datasets") == ["Toy", "PTB", "Digits"])
        #expect(
            Registry.builtIn.names(.dataset) == [
                "recall", "kth-largest", "copying", "adding", "digits", "permuted-digits", "ptb", "ptb-char",
            ])
        // Folders of C targets, and the communicator.
        let others: Set = ["MPI", "MPICalls"]
        let backends = try folders("Backends").filter {
            (!$0.hasPrefix("C") || ["CPU", "CUDA"].contains($0)) && !others.contains($0)
        }
        #expect(Registry.builtIn.communicators.count == 1)
        #expect(Set(backends.map { $0.lowercased() }) == Set(Registry.builtIn.names(.backend)))
    }

    @Test func manifoldFilesAreRegistered() throws {
        let updates = try folders("Optimizers/Manifold").filter { $0.hasSuffix("Update.swift") }
        #expect(updates.count == Registry.builtIn.names(.manifold).count)
        let optimizers = try folders("Optimizers").filter { $0.hasSuffix(".swift") }
        #expect(optimizers.count == Registry.builtIn.names(.optimizer).count)
    }

    @Test func listNamesEverything() throws {
        let result = try Tool("list")
        let plugins = PluginKind.allCases.flatMap { Registry.builtIn.plugins($0) }
        let names = plugins.map(\.name)
        for name in names { #expect(result.output.contains("\n  \(name) "), "\(name)") }
        #expect(result.status == 0)
    }

    @Test func verboseListsSayWhatBackendsRunOn() throws {
        let verbose = try Tool(["list", "backends", "--verbose"])
        #expect(verbose.status == 0)
        #expect(verbose.output.contains("\n      here:  OpenBLAS ("))
        #expect(
            verbose.output.components(separatedBy: "\n      here:  ").count == Registry.builtIn.names(.backend).count
                + 1)
        #expect(try !Tool(["list", "backends"]).output.contains("here:"))
    }
}
