import Foundation
import Testing

/// Folders that may be read but not written.
struct ReadOnlyTests {
    /// Runs the program as a user whom permissions bind: root without capabilities, if the tests run as root.
    private func bound(_ arguments: [String]) throws -> Tool {
        try Tool(
            shell: """
                if [ "$(id -u)" = 0 ]; then exec setpriv --bounding-set=-all --inh-caps=-all "$@"; else exec "$@"; fi
                """, arguments)
    }

    private func contents(_ folder: String) throws -> [String: Data] {
        try FileManager.default.contentsOfDirectory(atPath: folder).reduce(into: [:]) {
            $0[$1] = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + $1))
        }
    }

    private func set(_ permissions: Int, _ path: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: path)
    }

    @Test func aRunInOneIsReadAndNothingIsLost() throws {
        let folder = try TemporaryFolder(), run = try TextFixture.train(folder)
        for name in try FileManager.default.contentsOfDirectory(atPath: run) { try set(0o444, run + "/" + name) }
        for path in [run, folder.path] { try set(0o555, path) }
        defer { for path in [folder.path, run] { try? set(0o755, path) } }
        let before = try contents(run)
        for arguments in [
            ["evaluate", run], ["generate", run, "--words", "2"], ["gradients", run, "--samples", "2"],
            ["train", "--from", run, "--epochs", "1", "--quiet"],
        ] {
            let result = try bound(arguments)
            #expect(result.status == 0 && result.errors.isEmpty, "\(arguments): \(result.errors)")
        }
        let file = run + "/model.safetensors", words = run + "/vocabulary.txt", data = folder.file("home")
        for (arguments, place) in [
            (["train", "--resume", run, "--epochs", "2", "--quiet"], run),
            (["train", "--from", run, "--output", run, "--overwrite", "--quiet"], run),
            (
                [
                    "--dataset", "ptb", "--data", data, "--epochs", "1", "--batch-size", "2", "--evaluation-batch-size",
                    "2", "--output", folder.file("new"),
                ], folder.file("new")
            ),
            (["import", file, "--vocabulary", words, "--output", run, "--overwrite"], run),
            (["import", file, "--vocabulary", words, "--output", folder.file("imported")], folder.file("imported")),
        ] {
            let result = try bound(arguments)
            #expect(result.status == 1 && result.failedInOneLine, "\(arguments): \(result.errors)")
            #expect(result.errors.contains(place) && result.errors.contains("can be written"), "\(result.errors)")
        }
        #expect(try contents(run) == before)
        #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder.path)) == ["home", "run"])
    }

    @Test(arguments: ["config.json", "model.safetensors", "vocabulary.txt"])
    func whatMayNotBeReadIsNotSaidToBeMissing(name: String) throws {
        let folder = try TemporaryFolder(), run = try TextFixture.train(folder)
        try set(0o000, run + "/" + name)
        for arguments in [["evaluate", run], ["generate", run]] {
            let result = try bound(arguments)
            #expect(result.errors == "error: \(run)/\(name): permission denied\n", "\(result.errors)")
        }
        try set(0o644, run + "/" + name)
        try set(0o000, folder.file("home/ptb.test.txt"))
        let result = try bound(["evaluate", run])
        #expect(
            result.errors
                == "error: \(folder.file("home/ptb.test.txt")): permission denied; the directory must hold ptb.test.txt\n",
            "\(result.errors)")
    }
}
