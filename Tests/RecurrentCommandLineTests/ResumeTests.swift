import Foundation
import RecurrentCore
import Testing

/// A run that was stopped and resumed ends as if it hadn't been stopped.
struct ResumeTests {
    private static let toy = [
        "--length", "8", "--train-size", "1000", "--valid-size", "200", "--test-size", "200", "--epochs", "4", "--cell",
        "ugru",
        "--layers", "2", "--dropout-on", "embedding,output,logits", "--hidden-size", "16", "--quiet",
    ]

    /// What two runs must have in common: the bits of all tensors, and every number except times.
    private struct Outcome: Equatable {
        var model: Data
        var tensors: [String: [UInt8]]
        var figures: [String]

        init(_ run: String) throws {
            model = try Data(contentsOf: URL(fileURLWithPath: run + "/model.safetensors"))
            let state = try SafeTensors(path: run + "/state.safetensors")
            tensors = try state.tensors.reduce(into: [:]) { $0[$1.name] = try state.bytes($1.name) }
            figures = try metrics(run).map { line in
                line.filter { !["seconds", "sequencesPerSecond"].contains($0.key) }.sorted { $0.key < $1.key }
                    .description
            }
        }
    }

    private func corpus(in folder: TemporaryFolder) throws -> [String] {
        for (name, count) in [("train", 3000), ("valid", 300), ("test", 300)] {
            let text = (0..<count).map { "w\($0 * $0 % 37) w\($0 % 11)" + ($0 % 5 == 0 ? "\n" : " ") }.joined() + "\n"
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("ptb.\(name).txt")))
        }
        return [
            "--dataset", "ptb", "--data", folder.path, "--bptt", "7", "--embedding-size", "12", "--hidden-size", "16",
            "--batch-size", "8",
            "--epochs", "3", "--cell", "ugru", "--learning-rate", "1e-2", "--layers", "2", "--embedding-dropout", "0.1",
            "--weight-dropout", "0.2", "--zoneout", "0.1", "--locked-dropout", "--clip-norm", "1", "--schedule",
            "cosine", "--warmup-steps", "9", "--quiet",
        ]
    }

    /// Starts a run and sends it a signal after a time; returns its status.
    private func stop(_ arguments: [String], with signal: Int32, after seconds: Double) throws -> Int32 {
        let (process, _, _) = Tool.process(arguments)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        Thread.sleep(forTimeInterval: seconds)
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    @Test(arguments: [true, false]) func interruptedRunsGoOnBitForBit(isCorpus: Bool) throws {
        let folder = try TemporaryFolder()
        let options = try isCorpus ? corpus(in: folder) : Self.toy
        let whole = folder.file("whole"), parts = folder.file("parts")
        #expect(try Tool(options + ["--output", whole]).status == 0)
        var interruptions = 0
        var status = try stop(options + ["--output", parts], with: SIGINT, after: 0.1)
        // Batches take a millisecond, so any moment is within an epoch. A signal that comes
        // before the program handles signals ends it like any other program.
        while status == 130 || status == -SIGINT {
            interruptions += 1
            let hasBegun = FileManager.default.fileExists(atPath: parts + "/config.json")
            let arguments = hasBegun ? ["train", "--resume", parts, "--quiet"] : options + ["--output", parts]
            status =
                try interruptions > 20
                ? Tool(arguments).status : stop(arguments, with: SIGINT, after: .random(in: 0.05...0.3))
        }
        #expect(status == 0)
        // A run that is finished is tested again and doesn't change.
        #expect(try Tool(["train", "--resume", parts, "--quiet"]).status == 0)
        #expect(try Outcome(parts) == Outcome(whole), "after \(interruptions) interruptions")
    }

    /// A cosine that ends with the last epoch is another one when there are more.
    @Test func aStretchedScheduleIsSaid() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        let options = "--length 5 --train-size 100 --valid-size 50 --test-size 50 --epochs 2 --quiet --output \(run)"
        func resumed(_ schedule: String, _ more: String) throws -> Tool {
            try #require(try Tool("train \(options) --overwrite --schedule \(schedule)").status == 0)
            return try Tool("train --resume \(run) \(more)")
        }
        let cosine = try resumed("cosine", "--epochs 4")
        #expect(
            cosine.output.contains(
                "the learning rate goes on at 5.00e-04 instead of 0: the schedule cosine now spans 4 epochs instead of 2\n"
            ), "\(cosine.output)")
        let endless = try resumed("cosine", "--epochs \(Int.max) --stop-loss 100")
        #expect(endless.status == 0 && endless.output.contains("goes on at 0.001 instead of"), "\(endless.errors)")
        for (schedule, more) in [("cosine", "--epochs 2"), ("step", "--epochs 4"), ("constant", "--epochs 4")] {
            let other = try resumed(schedule, more)
            #expect(other.status == 0 && !other.output.contains("goes on at"), "\(other.errors)")
        }
    }

    @Test func fiftyKillsAtRandomInstants() throws {
        let folder = try TemporaryFolder()
        let options = try corpus(in: folder) + ["--checkpoint-every", "5"]
        let whole = folder.file("whole")
        #expect(try Tool(options + ["--output", whole]).status == 0)
        let expected = try Outcome(whole)
        var kills = 0, runs = 0, run = "", instants: [Double] = []
        while kills < 50 {
            if run.isEmpty {
                runs += 1
                run = folder.file("run\(runs)")
                instants = []
            }
            let hasBegun = FileManager.default.fileExists(atPath: run + "/config.json")
            instants.append(.random(in: 0.01...0.25))
            let status = try stop(
                hasBegun ? ["train", "--resume", run, "--quiet"] : options + ["--output", run, "--overwrite"],
                with: SIGKILL,
                after: instants.last!)
            if status == -SIGKILL { kills += 1 } else { #expect(status == 0, "kills after \(instants) s") }
            if status == 0 || kills == 50 {
                let last =
                    try hasBegun || status == 0
                    ? Tool(["train", "--resume", run, "--quiet"]) : Tool(options + ["--output", run, "--overwrite"])
                #expect(last.status == 0, "\(last.errors)")
                #expect(try Outcome(run) == expected, "kills after \(instants) s")
                let names = try FileManager.default.contentsOfDirectory(atPath: run)
                #expect(!names.contains { $0.hasSuffix(".tmp") })
                run = ""
            }
        }
    }

    @Test func moreEpochsAreTheLongerRun() throws {
        let folder = try TemporaryFolder()
        let whole = folder.file("whole"), parts = folder.file("parts")
        #expect(try Tool(Self.toy + ["--output", whole]).status == 0)
        #expect(try Tool(Self.toy.setting("--epochs", "2") + ["--output", parts]).status == 0)
        #expect(try Tool(["train", "--resume", parts, "--epochs", "4", "--quiet"]).status == 0)
        #expect(try Outcome(parts) == Outcome(whole))
        let object =
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: parts + "/config.json")))
            as! [String: Any]
        #expect((object["training"] as? [String: Any])?["epochs"] as? Int == 4)

        // Fewer than there are is no run to resume, and leaves everything as it was.
        let before = try contents(parts)
        let fewer = try Tool(["train", "--resume", parts, "--epochs", "3"])
        #expect(fewer.status == 2 && fewer.errors.contains("--epochs must be at least 4"), "\(fewer)")
        #expect(try contents(parts) == before)
        // The weights are another run's, however they would have been initialized.
        for option in ["--skew-init henaff", "--table-init language-model"] {
            let words = option.split(separator: " ").map(String.init)
            let from = try Tool(["train", "--from", parts] + words)
            #expect(from.status == 2 && from.errors.contains(words[0] + " does nothing"), "\(from)")
        }
    }

    private func contents(_ folder: String) throws -> [String: Data] {
        try FileManager.default.contentsOfDirectory(atPath: folder).reduce(into: [:]) {
            $0[$1] = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + $1))
        }
    }

    @Test(arguments: [
        "truncated", "bit", "progress", "empty", "cell", "size", "metrics", "model", "options", "noState",
    ])
    func whatDoesNotFitIsRefused(damage: String) throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run"), other = folder.file("other")
        #expect(try Tool(Self.toy.setting("--epochs", "2") + ["--output", run]).status == 0)
        let state = URL(fileURLWithPath: run + "/state.safetensors")
        var bytes = try Data(contentsOf: state)
        switch damage {
        case "truncated": try bytes.prefix(bytes.count - 1).write(to: state)
        case "bit":
            bytes[bytes.count - 100] ^= 4
            try bytes.write(to: state)
        case "progress":
            let place = bytes.range(of: Data("sequences".utf8))!
            bytes[place.upperBound + 3] ^= 1
            try bytes.write(to: state)
        case "empty": try Data().write(to: state)
        case "cell", "size":
            #expect(
                try Tool(
                    (damage == "cell"
                        ? Self.toy.setting("--cell", "gru") : Self.toy.setting("--hidden-size", "17"))
                        .setting("--epochs", "1") + ["--output", other]
                ).status == 0)
            try Data(contentsOf: URL(fileURLWithPath: other + "/state.safetensors")).write(to: state)
        case "metrics": try Data().write(to: URL(fileURLWithPath: run + "/metrics.jsonl"))
        case "model":
            // A complete model, but another one; only a later epoch's state needs it.
            let model = URL(fileURLWithPath: run + "/config.json")
            try Data("{\"version\": 1, \"hiddenSize\": 17}".utf8).write(to: model)
        case "options":
            let config = URL(fileURLWithPath: run + "/config.json")
            let text = try String(contentsOf: config, encoding: .utf8).replacingOccurrences(
                of: "\"dropout\" : 0.2", with: "\"dropout\" : 0.3")
            try Data(text.utf8).write(to: config)
        default: try FileManager.default.removeItem(at: state)
        }
        let before = try contents(run)
        let result = try Tool(["train", "--resume", run, "--epochs", "3"])
        #expect(result.status == 1)
        #expect(
            result.errors.hasPrefix("error: \(run)") && !result.errors.dropLast().contains("\n"), "\(result.errors)")
        #expect(try contents(run) == before)
    }

    @Test(arguments: [
        (["--hidden-size", "32"], "--hidden-size"), (["--cell", "gru"], "--cell"), (["--seed", "2"], "--seed"),
        (["--output", "x"], "--output"), (["--checkpoint-every", "often"], "--checkpoint-every"),
    ])
    func optionsThatCannotChange(options: [String], name: String) throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run")
        #expect(try Tool(Self.toy.setting("--epochs", "1") + ["--output", run]).status == 0)
        let before = try contents(run)
        let result = try Tool(["train", "--resume", run] + options)
        #expect(
            result.status == 2 && result.errors.contains(name) && !result.errors.dropLast().contains("\n"),
            "\(result.errors)")
        #expect(try contents(run) == before)
    }

    @Test func aRunHasOneTrainer() throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run")
        let (process, _, _) = Tool.process(
            Self.toy.setting("--epochs", "100000") + ["--output", run, "--stop-loss", "1e-30"])
        try process.run()
        while !FileManager.default.fileExists(atPath: run + "/state.safetensors") {
            Thread.sleep(forTimeInterval: 0.01)
        }
        let result = try Tool(["train", "--resume", run])
        #expect(result.status == 1 && result.errors.contains("another process"), "\(result.errors)")
        process.terminate()
        process.waitUntilExit()
    }
}
