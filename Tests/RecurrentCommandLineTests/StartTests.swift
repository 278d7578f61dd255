import Foundation
import RecurrentCommandLine
import RecurrentCore
import RecurrentRuns
import Testing

/// Training that starts from the weights of another run.
struct StartTests {
    private static let small = [
        "--length", "8", "--train-size", "500", "--valid-size", "200", "--test-size", "200", "--quiet",
    ]

    private func value(_ key: String, _ arguments: [String]) throws -> Double {
        let result = try Tool(arguments)
        return try #require(result.object()[key] as? Double, "\(result.errors)")
    }

    /// With a tiny learning rate, the new run has the results of the old one.
    @Test(
        arguments: ["gru", "urnn", "ugru"],
        [
            "exponential", "exact-exponential", "cayley", "dynamic-trivialization", "retraction", "scaled-cayley",
            "spectral-margin", "householder",
        ])
    func startsWhereTheOtherEnded(cell: String, manifold: String) throws {
        guard cell == "ugru" || manifold.contains("exponential") else { return }
        guard cell != "gru" || manifold == "exponential" else { return }
        let folder = try TemporaryFolder(), first = folder.file("first"), second = folder.file("second")
        let made = try Tool(
            Self.small + ["--cell", cell] + (cell == "gru" ? [] : ["--manifold", manifold]) + [
                "--layers", "2", "--epochs", "3", "--learning-rate", "0.01", "--output", first,
            ])
        #expect(made.status == 0, "\(made.errors)")
        let started = try Tool([
            "train", "--from", first, "--output", second, "--epochs", "1", "--learning-rate", "1e-9", "--dropout", "0",
            "--quiet",
        ])
        #expect(started.status == 0, "\(started.errors)")
        let configuration = try JSONDecoder().decode(
            RunConfiguration.self, from: Data(contentsOf: URL(fileURLWithPath: second + "/config.json")))
        #expect(
            configuration.cell.name == cell && configuration.model.layers == 2 && configuration.dataset["length"] == 8
                && configuration.manifold?.name == (cell == "gru" ? nil : manifold))
        let before = try value("loss", ["evaluate", first, "--json"]),
            after = try value("loss", ["evaluate", second, "--json"])
        #expect(abs(after - before) < 1e-3 * before)
    }

    /// What reflections can't start from is answered with what would do, and that does.
    @Test func reflectionsSayFromWhereTheyStart() throws {
        let folder = try TemporaryFolder(), rotation = folder.file("rotation"), reflection = folder.file("reflection")
        let complex = folder.file("complex")
        let size = ["--hidden-size", "5", "--epochs", "1", "--skew-init", "uniform"]
        for (run, flags) in [
            (rotation, ["--cell", "urnn", "--manifold", "dynamic-trivialization"]),
            (reflection, ["--cell", "urnn", "--manifold", "householder", "--reflections", "3"]),
            (complex, ["--cell", "complex-urnn", "--manifold", "householder"]),
        ] {
            let made = try Tool(Self.small + flags + size + ["--learning-rate", "0.01", "--output", run])
            #expect(made.status == 0, "\(made.errors)")
        }
        for (run, flags, says) in [
            (rotation, "", nil), (rotation, "--reflections 6", nil),
            (
                rotation, "--reflections 3",
                "keeps it −1; choose an even number of --reflections, another --manifold (exponential, "
            ),
            (
                rotation, "--reflections 2",
                "a product of 4 reflections, more than 2; choose an even number of --reflections from 4 on, such as 6"
            ),
            (rotation, "--reflections 14", "--reflections must be at most 12 for 5 units, not 14"),
            (reflection, "", nil), (reflection, "--reflections 5", nil),
            (
                reflection, "--reflections 4",
                "keeps it 1; choose an odd number of --reflections, another --manifold (dynamic-trivialization, "
            ),
            (
                reflection, "--reflections 1",
                "a product of 3 reflections, more than 1; choose an odd number of --reflections from 3 on, such as 5"
            ),
            (complex, "", nil), (complex, "--reflections 4", nil),
            (
                complex, "--reflections 1",
                "takes 4 reflections, more than 1; choose 4 --reflections or more; 4 are enough for every weight"
            ),
        ] as [(String, String, String?)] {
            let result = try Tool(
                ["train", "--from", run, "--manifold", "householder", "--epochs", "1", "--quiet", "--output"]
                    + [folder.file("out"), "--overwrite"] + flags.split(separator: " ").map(String.init))
            if let says {
                #expect(result.failedInOneLine && result.errors.contains(says), "\(flags): \(result.errors)")
            } else {
                #expect(result.status == 0, "\(flags): \(result.errors)")
            }
        }
    }

    @Test func importedModelsCanBeTrainedOn() throws {
        let torch = try TorchModels.load(), folder = try TemporaryFolder()
        try torch.write(to: folder)
        for (name, flags) in ImportTests.flags {
            let run = folder.file(name), better = folder.file("\(name)-better")
            let imported = try Tool(
                [
                    "import", TorchModels.path("\(name).safetensors"), "--vocabulary", folder.file("words.txt"),
                    "--data",
                    folder.file("corpus"), "--output", run,
                ] + flags)
            #expect(imported.status == 0, "\(imported.errors)")
            let refused = try Tool(["train", "--resume", run])
            #expect(refused.failedInOneLine && refused.errors.contains("--from"), "\(refused.errors)")
            let trained = try Tool([
                "train", "--from", run, "--output", better, "--epochs", "20", "--learning-rate", "0.03", "--bptt", "5",
                "--batch-size", "4",
                "--evaluation-batch-size", "2", "--quiet",
            ])
            #expect(trained.status == 0, "\(trained.errors)")
            let split = ["--split", "train", "--json"]
            #expect(try value("loss", ["evaluate", better] + split) < 0.7 * value("loss", ["evaluate", run] + split))
            #expect(
                try String(contentsOfFile: better + "/vocabulary.txt", encoding: .utf8)
                    == String(contentsOfFile: run + "/vocabulary.txt", encoding: .utf8))
            #expect(try Tool(["generate", better, "--words", "5"]).status == 0)
            #expect(try Tool(["train", "--resume", better, "--epochs", "21", "--quiet"]).status == 0)
        }
    }

    /// A run keeps the weights that it started from.
    @Test(arguments: ["gru", "ugru"]) func aKillBeforeTheFirstEpochsEndLosesNoStart(cell: String) throws {
        let folder = try TemporaryFolder(), first = folder.file("first"), whole = folder.file("whole"),
            killed = folder.file("killed")
        #expect(
            try Tool(Self.small + ["--cell", cell, "--epochs", "2", "--learning-rate", "0.01", "--output", first])
                .status == 0)
        // An epoch takes a few tenths of a second.
        let start = [
            "train", "--from", first, "--epochs", "1", "--train-size", "20000", "--batch-size", "10", "--quiet",
            "--output",
        ]
        #expect(try Tool(start + [whole]).status == 0)
        let (process, _, _) = Tool.process(start + [killed])
        try process.run()
        while process.isRunning, !FileManager.default.fileExists(atPath: killed + "/state.safetensors") { usleep(1000) }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal)
        #expect(try metrics(killed).isEmpty)
        try FileManager.default.removeItem(atPath: first)
        let resumed = try Tool(["train", "--resume", killed, "--quiet"])
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: killed + "/model.safetensors"))
                == Data(contentsOf: URL(fileURLWithPath: whole + "/model.safetensors")))
        for name in ["state.safetensors", "model.safetensors"] {
            try FileManager.default.removeItem(atPath: killed + "/" + name)
        }
        let refused = try Tool(["train", "--resume", killed])
        #expect(refused.failedInOneLine && refused.errors.contains("--from \(first)"), "\(refused.errors)")
    }

    @Test func whatCantBeStartedFrom() throws {
        let folder = try TemporaryFolder(), run = folder.file("run"), other = folder.file("other")
        #expect(try Tool(Self.small + ["--cell", "gru", "--epochs", "1", "--output", run]).status == 0)
        for (flags, status, says) in [
            (["--from", folder.file("none")], 1, "config.json"),
            (["--from", run, "--cell", "rnn"], 1, "'gru', not 'rnn', whose weights have other shapes\n"),
            (["--from", run, "--hidden-size", "20"], 2, "--hidden-size is 20"),
            (["--from", run, "--layers", "2"], 2, "--layers is 2"),
            (["--from", run, "--embedding-size", "3"], 2, "--embedding-size is 3"),
            (["--from", run, "--symbols", "4"], 1, "--symbols 10, not 4"),
            (["--from", run, "--cell", "ugru"], 1, "isn't orthogonal"),
            (["--from", run, "--resume", run], 2, "--from"),
        ] as [([String], Int32, String)] {
            let result = try Tool(["train", "--output", other] + flags)
            #expect(
                result.status == status && result.failedInOneLine && result.errors.contains(says),
                "\(flags): \(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: other))
        }
        let same = try Tool(["train", "--from", run, "--output", run])
        #expect(same.failedInOneLine && same.errors.contains("--overwrite"))
    }
}
