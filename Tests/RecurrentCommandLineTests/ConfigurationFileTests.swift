import Foundation
import Testing

/// `train --config`, as a user runs it.
struct ConfigurationFileTests {
    private let folder: TemporaryFolder
    private static let small =
        #""dataset": {"name": "recall", "length": 4, "trainSize": 100, "validSize": 50, "testSize": 50}"#
    private static let toy = "--length 4 --train-size 100 --valid-size 50 --test-size 50 --hidden-size 8 --quiet"

    init() throws { folder = try TemporaryFolder() }

    private func file(_ json: String) throws -> String {
        let path = folder.file("c.json")
        try json.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func training(_ run: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: folder.file(run + "/config.json")))
        return try #require((JSONSerialization.jsonObject(with: data) as? [String: Any])?["training"] as? [String: Any])
    }

    /// Every mistake names the file and has one status, whether it is found in reading or later.
    @Test(arguments: [
        (#"{"version": 2, "dataset": {"name": "recal"}}"#, "unknown data set 'recal'"),
        (#"{"version": 2, "cell": {"name": "gruu"}}"#, "unknown cell 'gruu'"),
        (#"{"version": 2, "optimizer": {"name": "adam", "beta": 1}}"#, #"no option "beta""#),
        (
            #"{"version": 2, "optimizer": {"name": "adam", "lr": 1}}"#,
            #"no option "lr"; "learningRate" belongs in "training""#
        ),
        (#"{"version": 2, "optimizer": {"name": "adam", "beta1": 2}}"#, #""beta1""#),
        (
            #"{"version": 2, "schedule": {"name": "cosine", "minimumLearningRate": 1}}"#,
            #""minimumLearningRate" 1 is above"#
        ),
        (
            #"{"version": 2, "cell": {"name": "gru"}, "manifold": {"name": "cayley"}}"#,
            #""manifold" does nothing for the cell gru"#
        ),
        (
            #"{"version": 2, "cell": {"name": "gru"}, "manifold": {"start": {"name": "henaff"}}}"#,
            #""start" does nothing"#
        ),
        (
            #"{"version": 2, "cell": {"name": "gru"}, "training": {"manifoldLearningRate": 0.1}}"#,
            #""manifoldLearningRate" does nothing"#
        ),
        (
            #"{"version": 2, "model": {"dropout": 0, "dropoutOn": ["output"]}}"#,
            #""dropoutOn" does nothing for a run without "dropout""#
        ),
        (
            #"{"version": 2, "dataset": {"name": "adding"}, "model": {"embeddingSize": 7}}"#,
            #"(it has "length", "trainSize""#
        ),
        (#"{"version": 2, "model": {"hiddenSize": "1"}}"#, #"not the text "1""#),
        (#"{"version": 2"#, "line 1: the text ends where a comma or '}' is missing"),
        ("{\"version\": 2,\n\"seed\": 1,\n\"seed\": 2}", #"line 3: "seed" is given twice, first in line 2"#),
    ])
    func mistakesNameTheFile(json: String, says: String) throws {
        let path = try file(json), tool = try Tool(["--config", path, "--quiet", "--epochs", "1"])
        #expect(tool.status == 1 && tool.errors.hasPrefix("error: \(path): ") && tool.errors.contains(says), "\(tool)")
    }

    @Test func aFileIsNamed() throws {
        let empty = try Tool(["--config", ""])
        #expect(empty.status == 2 && empty.errors.contains("--config names no file"))
        try #require(try Tool(Self.toy + " --epochs 1 --output \(folder.file("run"))").status == 0)
        // A run's folder stands for its configuration.
        let again = try Tool("--config \(folder.file("run")) --output \(folder.file("again")) --quiet")
        #expect(again.status == 0, "\(again.errors)")
        #expect(try metrics(folder.file("again")).count == metrics(folder.file("run")).count)
    }

    /// Whatever a run writes can be given again, even if some of it does nothing there.
    @Test func filesOfRunsAreAccepted() throws {
        let line = "compare --cells rnn,urnn --recurrent-init orthogonal \(Self.toy) --epochs 1 --output \(folder.path)"
        try #require(try Tool(line).status == 0)
        for cell in ["rnn", "urnn"] {
            let again = try Tool("--config \(folder.file(cell)) --quiet")
            #expect(again.status == 0, "\(cell): \(again.errors)")
        }
    }

    /// A resumed run changes only in what the file gives a value.
    @Test func aPartialFileLeavesTheRestOfAResumedRun() throws {
        let run = folder.file("run")
        try #require(try Tool(Self.toy + " --cell ugru --lr 0.01 --epochs 1 --output \(run)").status == 0)
        let path = try file(#"{"version": 2, "training": {"epochs": 2}}"#)
        let resumed = try Tool("--resume \(run) --config \(path) --quiet")
        #expect(resumed.status == 0, "\(resumed.errors)")
        let training = try training("run")
        #expect(training["epochs"] as? Int == 2 && training["learningRate"] as? Double == 0.01)
        let other = try Tool("--resume \(run) --config \(file(#"{"version": 2, "model": {"hiddenSize": 9}}"#))")
        #expect(
            other.status == 1 && other.errors.hasPrefix("error: \(path): line 1: \"hiddenSize\" can't change"),
            "\(other.errors)")
        // A flag that sets the option back leaves nothing of the file to complain about; one that changes it is named.
        #expect(try Tool("--resume \(run) --config \(path) --hidden-size 8 --quiet").status == 0)
        let flag = try Tool("--resume \(run) --config \(path) --hidden-size 7 --quiet")
        #expect(flag.status == 2 && flag.errors.hasPrefix("error: --hidden-size can't change"), "\(flag.errors)")
    }

    @Test func anEditedConfigurationIsToBeSetBack() throws {
        let run = folder.file("run"), path = run + "/config.json"
        try #require(try Tool(Self.toy + " --epochs 1 --output \(run)").status == 0)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try text.replacing(#""hiddenSize" : 8"#, with: #""hiddenSize" : 9"#).write(
            toFile: path, atomically: true, encoding: .utf8)
        for more in ["", " --hidden-size 8"] {
            let tool = try Tool("--resume \(run) --epochs 2" + more)
            #expect(tool.status == 1 && tool.errors.contains(#""hiddenSize" is 9, but the run was begun with 8"#))
            #expect(tool.errors.contains("set it back") && !tool.errors.contains("leave it out"), "\(tool.errors)")
        }
        for reader in ["evaluate \(run)", "gradients \(run)", "--from \(run) --epochs 1 --quiet"] {
            let tool = try Tool(reader)
            #expect(tool.status == 1 && tool.errors.contains("but the run was begun with 8"), "\(tool.errors)")
        }
        // What a resumed run may change may be edited.
        try text.replacing(#""epochs" : 1"#, with: #""epochs" : 2"#).write(
            toFile: path, atomically: true, encoding: .utf8)
        let resumed = try Tool("--resume \(run) --quiet")
        #expect(try resumed.status == 0 && training("run")["epochs"] as? Int == 2, "\(resumed.errors)")
    }

    /// Options of a training that is over can't change: they would be recorded beside results that they had no part in.
    @Test(arguments: ["--learning-rate 5", "--patience 1"]) func aFinishedRunKeepsItsOptions(option: String) throws {
        let run = folder.file("run")
        try #require(try Tool(Self.toy + " --epochs 1 --output \(run)").status == 0)
        let before = try String(contentsOfFile: run + "/config.json", encoding: .utf8)
        let tool = try Tool("--resume \(run) \(option) --quiet")
        #expect(tool.status == 2 && tool.errors.contains("would change nothing"), "\(tool.errors)")
        #expect(try String(contentsOfFile: run + "/config.json", encoding: .utf8) == before)
        #expect(try Tool("--resume \(run) \(option) --epochs 2 --quiet").status == 0)
    }

    /// All learning rates, and their lower bound, can be lowered in a run that is resumed.
    @Test func ratesCanBeLowered() throws {
        let copying = folder.file("copying"), step = folder.file("step"), rnn = folder.file("rnn")
        let toy = Self.toy + " --epochs 1 "
        try #require(try Tool(toy + "--dataset copying --output \(copying)").status == 0)
        let lower = try Tool("--resume \(copying) --epochs 2 --lr 1e-5 --manifold-learning-rate 1e-6 --quiet")
        #expect(try lower.status == 0 && training("copying")["manifoldLearningRate"] as? Double == 1e-6)
        try #require(try Tool(toy + "--schedule step --minimum-learning-rate 1e-4 --output \(step)").status == 0)
        let refused = try Tool("--resume \(step) --epochs 2 --lr 1e-5")
        #expect(
            refused.status == 2 && refused.errors.contains("--minimum-learning-rate 0.0001 is above --learning-rate"))
        let resumed = try Tool("--resume \(step) --epochs 2 --lr 1e-5 --minimum-learning-rate 0 --quiet")
        #expect(resumed.status == 0, "\(resumed.errors)")
        // A rate of its own divides the optimizer's state in the file.
        try #require(try Tool(toy + "--cell rnn --output \(rnn)").status == 0)
        for (epochs, rate) in [(2, "1e-4"), (3, "1e-5"), (4, "none")] {
            let tool = try Tool("--resume \(rnn) --epochs \(epochs) --recurrent-learning-rate \(rate) --quiet")
            #expect(tool.status == 0, "\(rate): \(tool.errors)")
        }
    }

    /// The configuration of a run that started from other weights starts from them again.
    @Test func theWeightsOfItsStartArePartOfAConfiguration() throws {
        let first = folder.file("first"), second = folder.file("second"), third = folder.file("third")
        try #require(try Tool(Self.toy + " --epochs 1 --output \(first)").status == 0)
        try #require(try Tool("--from \(first) --output \(second) --quiet").status == 0)
        let again = try Tool("--config \(second) --output \(third) --quiet")
        #expect(again.status == 0, "\(again.errors)")
        func losses(_ run: String) throws -> [Double] { try metrics(run).compactMap { $0["loss"] as? Double } }
        #expect(try losses(third) == losses(second) && losses(second) != losses(first))
    }

    /// As with `--from`, a file that names a run takes what it lacks from that run.
    @Test func sizesAreThoseOfTheWeights() throws {
        let first = folder.file("first"), second = folder.file("second")
        try #require(try Tool(Self.toy + " --epochs 1 --lr 0.01 --output \(first)").status == 0)
        let path = try file("{\"version\": 2, \"from\": \"\(first)\"}")
        let started = try Tool("--config \(path) --output \(second) --quiet")
        #expect(try started.status == 0 && training("second")["learningRate"] as? Double == 0.01, "\(started.errors)")
        _ = try file("{\"version\": 2, \"from\": \"\(first)\",\n\"model\": {\"hiddenSize\": 50}}")
        let other = try Tool("--config \(path) --quiet")
        #expect(
            other.status == 1 && other.errors.hasPrefix("error: \(path): line 2: \"hiddenSize\" is 50, but that of"),
            "\(other.errors)")
        #expect(try Tool("--config \(path) --hidden-size 8 --quiet").status == 0)
        let flag = try Tool("--config \(path) --hidden-size 7")
        #expect(flag.status == 2 && flag.errors.hasPrefix("error: --hidden-size is 7, but that of"), "\(flag.errors)")
    }

    @Test(arguments: ["evaluate", "generate", "gradients", "train --from", "train --resume"])
    func aFileIsNoRun(command: String) throws {
        let run = folder.file("run")
        try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
        try "{}".write(toFile: run + "/config.json", atomically: true, encoding: .utf8)
        let tool = try Tool("\(command) \(run)/config.json")
        #expect(tool.status == 2 && tool.errors.hasSuffix("is a file; name the folder of a run, such as \(run)\n"))
    }

    @Test(arguments: ["evaluate", "train --from"]) func aRunThatDivergedIsNotToBeResumed(command: String) throws {
        let run = folder.file("run")
        let line = " --cell rnn --optimizer sgd --lr 1e30 --epochs 1 --output \(run)"
        try #require(try Tool(Self.toy + line).status == 1)
        let tool = try Tool("\(command) \(run)")
        #expect(tool.status == 1 && tool.errors.contains("because the run diverged at step "), "\(tool.errors)")
    }
}
