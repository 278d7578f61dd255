import Foundation
import Testing

/// Which modules may import which, as described in ARCHITECTURE.md.
struct HouseTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../.."
    ).standardizedFileURL

    private static func files(_ folder: String) throws -> [URL] {
        let all = FileManager.default.enumerator(
            at: root.appendingPathComponent(folder), includingPropertiesForKeys: nil)
        return try #require(all).compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
    }

    private static func text(_ file: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(file), encoding: .utf8)
    }

    /// The modules that the manifest names; those of the system are ignored.
    private static let own = Set(
        (try? text("Package.swift"))?
            .matches(of: /(?:name: |\.(?:cell|optimizers|dataset|backend)\(\s*)"(\w+)"/).map { String($0.1) } ?? [])
    private static let allowed: [(folder: String, imports: Set<String>)] = [
        ("Sources/Core/TestSupport", ["RecurrentCore"]), ("Sources/Core/ONNX", ["RecurrentCore"]),
        ("Sources/Cells", ["RecurrentCore"]), ("Sources/Optimizers", ["RecurrentCore"]),
        ("Sources/Datasets", ["RecurrentCore"]),
        ("Sources/Backends/Reference", ["RecurrentCore"]),
        ("Sources/Backends/CPU", ["RecurrentCore", "CPUKernels", "COpenBLAS"]),
        ("Sources/Backends/MPI", ["RecurrentCore", "MPICalls"]),
        ("Sources/Backends/CUDA", ["RecurrentCore", "CUDADriver"]), ("Sources/CLI/Runs", ["RecurrentCore"]),
        ("Sources/CLI/Reproduction", ["RecurrentCore", "RecurrentRuns"]),
        (
            "Sources/CLI/Commands",
            ["RecurrentCore", "RecurrentONNX", "RecurrentRuns", "RecurrentReproduction", "ArgumentParser"]
        ),
    ]

    private static func imports(_ file: URL) throws -> Set<String> {
        let text = try String(contentsOf: file, encoding: .utf8)
        return Set(text.matches(of: /(?m)^(?:@testable )?import (?:struct |class |func )?(\w+)/).map { String($0.1) })
            .intersection(own)
    }

    @Test(arguments: allowed.indices) func importsAreTheHouses(index: Int) throws {
        let (folder, imports) = Self.allowed[index]
        let files = try Self.files(folder)
        #expect(!files.isEmpty, "\(folder) is empty")
        for file in files { #expect(try Self.imports(file).isSubset(of: imports), "\(file.lastPathComponent)") }
    }

    @Test func theManifestsModulesAreRead() {
        let some: Set = ["RecurrentCore", "GRUCell", "ManifoldUpdates", "PTBDataset", "CPUBackend", "MPICommunicator"]
        #expect(Self.own.isSuperset(of: some) && Self.own.contains("COpenBLAS") && Self.own.contains("ArgumentParser"))
    }

    /// What lists the cells lists all of them.
    @Test func everyCellIsListed() throws {
        let folders = try FileManager.default.contentsOfDirectory(
            atPath: Self.root.appendingPathComponent("Sources/Cells").path)
        #expect(folders.count >= 8)
        for folder in folders {
            let module = "\(folder)Cell"
            #expect(try Self.text("Package.swift").contains(#".cell("\#(module)", "\#(folder)""#))
            #expect(try Self.text(".spi.yml").contains("- \(module)\n"), "\(module) isn't in .spi.yml")
            #expect(try Self.text("Sources/CLI/BuiltIn/Registrations.swift").contains("import \(module)\n"))
            for document in ["README.md", "ARCHITECTURE.md"] {
                #expect(try Self.text(document).contains("`\(module)`"), "\(module) isn't in \(document)")
            }
        }
    }

    @Test func coreImportsNothingOfThisPackage() throws {
        let files = try Self.files("Sources/Core").filter {
            !$0.path.contains("/TestSupport/") && !$0.path.contains("/ONNX/")
        }
        #expect(files.count > 50)
        for file in files { #expect(try Self.imports(file).isEmpty, "\(file.lastPathComponent)") }
    }

    /// The manifest gives no target more dependencies than its files may import.
    @Test func theManifestAgrees() throws {
        let manifest = try Self.text("Package.swift").split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(manifest.contains(#"name: "RecurrentRuns", path: "Sources/CLI/Runs", dependencies: ["RecurrentCore"]"#))
        #expect(
            manifest.contains(#"path: "Sources/CLI/Reproduction", dependencies: ["RecurrentCore", "RecurrentRuns"]"#))
        #expect(
            manifest.contains(#"name: "RecurrentONNX", path: "Sources/Core/ONNX", dependencies: ["RecurrentCore"]"#))
        #expect(manifest.contains(#"path: "Sources/Cells/\(folder)", dependencies: ["RecurrentCore"]"#))
        #expect(manifest.contains(#"path: "Sources/Datasets/\(folder)", dependencies: ["RecurrentCore"]"#))
        #expect(
            manifest.contains(#"path: "Sources/Backends/\(folder)", dependencies: ["RecurrentCore"] + dependencies"#))
    }

    /// All output goes through `StandardStream`, whose failures end no run.
    @Test func nothingElsePrints() throws {
        let forbidden =
            /FileHandle\.standard(?:Error|Output)|\b(?:fputs|fwrite|debugPrint|NSLog)\b|(?:^|[^.\w])print\(/
        for file in try Self.files("Sources") {
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                let code = line.drop { $0 == " " }
                if code.hasPrefix("//") || code.hasPrefix("static func print(") { continue }
                #expect(!code.contains(forbidden), "\(file.lastPathComponent): \(code)")
            }
        }
    }

    @Test func noFileIsLong() throws {
        for file in try Self.files("Sources") + Self.files("Tests") + Self.files("Examples")
        where !file.path.contains("/.build") {
            let lines = try String(contentsOf: file, encoding: .utf8).split(
                separator: "\n", omittingEmptySubsequences: false
            ).count
            #expect(lines <= 301, "\(file.lastPathComponent) has \(lines) lines")
        }
    }
}
