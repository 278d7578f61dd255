import BuiltInPlugins
import Foundation
import PTBDataset
import RecurrentCommandLine
import RecurrentCore
import RecurrentRuns
import Testing

/// Data sets over HTTP, from a server on this machine.
struct DownloadTests {
    private static let texts = ["a.txt": Data("some text\n".utf8), "b.txt": Data("more\n".utf8)]
    /// The checksums that `sha256sum` prints.
    private static let sums = [
        "a.txt": "a23e5fdcd7b276bdd81aa1a0b7b963101863dd3f61ff57935f8c5ba462681ea6",
        "b.txt": "2396099c6c084fa4b9beac9f0d52cf3be9cf8d47040ef127883d532b5790cd74",
    ]
    private static func registry(_ url: String) -> Registry {
        var registry = Registry.builtIn
        registry.add(
            DownloadSource(
                name: "small", url: url,
                files: texts.keys.sorted().map { .init(name: $0, size: texts[$0]!.count, sha256: sums[$0]!) },
                notice: "Free."))
        return registry
    }

    private func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    @Test(arguments: ["/", "/deep/folder"]) func filesArriveAndAreChecked(path: String) throws {
        let folder = try TemporaryFolder(), output = folder.file("new/data")
        let prefix = path == "/" ? "" : path
        let server = try LocalServer(
            Dictionary(
                uniqueKeysWithValues: Self.texts.map { ("\(prefix)/\($0.key)", LocalServer.Answer(body: $0.value)) }))
        defer { server.stop() }
        for _ in 0..<2 {  // The second time, all files exist.
            let status = CommandLineTool.run(
                Self.registry(server.address + path), arguments: ["data", "small", "--output", output, "--quiet"])
            #expect(status == 0)
            #expect(try names(output) == ["a.txt", "b.txt"])
            #expect(try Data(contentsOf: URL(fileURLWithPath: output + "/a.txt")) == Self.texts["a.txt"])
        }
    }

    @Test func anArchiveIsUnpacked() throws {
        let folder = try TemporaryFolder(), output = folder.file("data")
        try FileManager.default.createDirectory(atPath: folder.file("x/data"), withIntermediateDirectories: true)
        for (name, text) in Self.texts { try text.write(to: URL(fileURLWithPath: folder.file("x/data/\(name)"))) }
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "-C", folder.path, "-czf", folder.file("x.tgz"), "./x"]
        try tar.run()
        tar.waitUntilExit()
        let archive = try Data(contentsOf: URL(fileURLWithPath: folder.file("x.tgz")))
        let server = try LocalServer(["/x.tgz": .init(body: archive), "/y.tgz": .init(body: archive.prefix(50))])
        defer { server.stop() }
        func run(_ name: String) -> Int32 {
            CommandLineTool.run(
                Self.registry("\(server.address)/\(name).tgz"),
                arguments: ["data", "small", "--output", output, "--quiet"])
        }
        #expect(run("y") == 1)
        #expect(try names(output) == [])
        #expect(run("x") == 0)
        #expect(try names(output) == ["a.txt", "b.txt"])
    }

    /// Each failure leaves the folder unchanged and is explained in one line.
    @Test(arguments: ["404", "other", "cut", "refused", "occupied", "readOnly", "full"])
    func whatFailsLeavesNothing(failure: String) throws {
        let folder = try TemporaryFolder(), output = folder.file("data")
        var answer = LocalServer.Answer(body: Data("no treebank\n".utf8))
        if failure == "404" { answer.status = "404 Not Found" }
        if failure == "cut" { answer.claimedSize = 5_101_618 }
        let server = try LocalServer(["/ptb.train.txt": answer, "/ptb.valid.txt": answer, "/ptb.test.txt": answer])
        defer { server.stop() }
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
        var target = output
        if failure == "occupied" { try Data("mine".utf8).write(to: URL(fileURLWithPath: output + "/ptb.test.txt")) }
        if failure == "readOnly" { target = "/proc/data" }
        let result = try Tool(
            shell: (failure == "full" ? "ulimit -f 0; " : "") + "exec \"$@\"",
            ["data", "ptb", "--output", target, "--url", failure == "refused" ? "http://127.0.0.1:1" : server.address])
        #expect(result.status == 1)
        #expect(result.output.contains("LDC"))
        #expect(result.errors.hasPrefix("error: ") && !result.errors.dropLast().contains("\n"), "\(result.errors)")
        let word = [
            "404": "404", "other": "SHA-256", "cut": "ptb.train.txt", "refused": "connect", "occupied": "differs from",
            "readOnly": "/proc/data", "full": "make room",
        ]
        #expect(result.errors.contains(word[failure]!), "\(result.errors)")
        #expect(try names(output) == (failure == "occupied" ? ["ptb.test.txt"] : []))
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["PTB_DIR"]?.isEmpty == false, "needs the corpus in PTB_DIR"))
    func theRealFilesAreTheExpectedOnes() throws {
        let directory = ProcessInfo.processInfo.environment["PTB_DIR"]!, folder = try TemporaryFolder()
        var answers: [String: LocalServer.Answer] = [:]
        for file in PennTreebank.source.files {
            answers["/\(file.name)"] = .init(
                body: try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(file.name)")))
            #expect(answers["/\(file.name)"]!.body.count == file.size)
        }
        let server = try LocalServer(answers)
        defer { server.stop() }
        let result = try Tool(["data", "ptb", "--output", folder.file("data"), "--url", server.address])
        #expect(result.status == 0, "\(result.errors)")
        #expect(try names(folder.file("data")) == ["ptb.test.txt", "ptb.train.txt", "ptb.valid.txt"])
    }
}
