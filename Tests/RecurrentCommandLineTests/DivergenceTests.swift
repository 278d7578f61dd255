import BuiltInPlugins
import Foundation
import RecurrentCommandLine
import RecurrentCore
import RecurrentRuns
import Testing

/// Losses that become NaN, and what is kept of the run.
struct DivergenceTests {
    private static let small = [
        "--length", "8", "--train-size", "500", "--valid-size", "200", "--test-size", "200", "--epochs", "3",
    ]

    private var registry: Registry {
        var registry = Registry.builtIn
        registry.add(BreakingOptimizer.self)
        return registry
    }

    @Test(arguments: ["rnn", "urnn"])
    func theBestWeightsAreKept(cell: String) throws {
        let folder = try TemporaryFolder()
        let arguments = Self.small + ["--cell", cell, "--optimizer", "breaking", "--quiet"]
        #expect(CommandLineTool.run(registry, arguments: arguments + ["--output", folder.file("run")]) == 1)
        #expect(
            CommandLineTool.run(
                registry, arguments: arguments.setting("--epochs", "1") + ["--output", folder.file("first")])
                == 0)

        // The run ends like one that stops after the last good epoch.
        let files = try ["run", "first"].map {
            try Data(contentsOf: URL(fileURLWithPath: folder.file("\($0)/model.safetensors")))
        }
        #expect(files[0] == files[1])
        let lines = try metrics(folder.file("run"))
        #expect(lines.map { $0["split"] as? String } == ["train", "valid", "test"])
        #expect(lines.last?["loss"] as? Double == (try metrics(folder.file("first"))).last?["loss"] as? Double)
    }

    /// If the last update of an epoch breaks the weights, no training loss shows it.
    @Test func aValidationLossThatIsNoNumberEndsTheRun() throws {
        let folder = try TemporaryFolder()
        let status = CommandLineTool.run(
            registry,
            arguments: Self.small + [
                "--cell", "rnn", "--optimizer", "breaking", "--quiet", "--batches-per-epoch", "4", "--output",
                folder.file("run"),
            ])
        #expect(status == 1)
        #expect(try metrics(folder.file("run")).map { $0["split"] as? String } == ["train", "valid", "test"])
    }

    /// An update that leaves B too large for an exponential is reported like a bad loss after
    /// it; at an epoch's end, like a bad validation loss.
    @Test(arguments: ["exponential", "exact-exponential"], [(batches: 2, step: 2), (batches: 1, step: 1)])
    func aSkewParameterThatOverflows(manifold: String, _ expected: (batches: Int, step: Int)) throws {
        let result = try Tool(
            Self.small + [
                "--cell", "urnn", "--manifold", manifold, "--manifold-learning-rate", "1e30", "--quiet",
                "--batches-per-epoch", "\(expected.batches)",
            ])
        #expect(
            result.status == 1 && result.errors.hasPrefix("error: the loss became nan at step \(expected.step);"),
            "\(result.errors)")
    }

    /// What is wrong before any update isn't blamed on the learning rate alone.
    @Test func initialWeightsOfNoUse() throws {
        let result = try Tool(Self.small + ["--cell", "cornn", "--damping", "1e30", "--quiet"])
        #expect(
            result.status == 1 && result.failedInOneLine && result.errors.contains("an option of the model, its cell"),
            "\(result.errors)")
    }

    /// The validation loss can be finite even if the test loss isn't.
    @Test func aTestLossThatIsNoNumberIsNoSuccess() throws {
        let result = try Tool(
            [
                "--backend", "reference", "--cell", "ugru", "--learning-rate", "1e38", "--hidden-size", "16",
                "--batch-size", "20", "--quiet",
            ]
                + ["--length", "10", "--train-size", "200", "--valid-size", "50", "--test-size", "50", "--epochs", "2"])
        #expect(result.status == 1 && result.errors.contains("the loss became"), "\(result.output)\(result.errors)")
    }

    @Test func compareGoesOnWithTheOtherCells() throws {
        let folder = try TemporaryFolder()
        let result = try Tool([
            "compare", "--cells", "rnn,gru", "--activation", "identity", "--optimizer", "sgd", "--learning-rate", "1e5",
            "--length", "60", "--epochs", "2", "--train-size", "1000", "--quiet", "--output", folder.file("runs"),
        ])
        #expect(result.status == 1)
        let rows = result.output.split(separator: "\n")
        for cell in ["rnn", "gru"] {
            #expect(rows.contains { $0.hasPrefix("\(cell) ") && $0.contains("diverged at step") }, "\(result.output)")
            #expect(FileManager.default.fileExists(atPath: folder.file("runs/\(cell)/config.json")))
        }
        #expect(
            result.errors.hasPrefix("error: the loss became nan at step")
                || result.errors.hasPrefix("error: the loss became inf"))
        #expect(!result.errors.dropLast().contains("\n"))
    }
}
