import Foundation
import RecurrentCommandLine
import RecurrentCore
import RecurrentRuns
import Testing

/// Runs from start to end, and the files that they leave.
struct RunTests {
    private static let small = [
        "--length", "8", "--train-size", "500", "--valid-size", "200", "--test-size", "200", "--epochs", "3",
    ]

    @Test func aRunOnDisk() throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run")
        let result = try Tool(Self.small + ["--cell", "ugru", "--layers", "2", "--output", run])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("ugru"))

        let configuration = try JSONDecoder().decode(
            RunConfiguration.self, from: Data(contentsOf: URL(fileURLWithPath: run + "/config.json")))
        #expect(
            configuration.cell.name == "ugru" && configuration.model.layers == 2 && configuration.dataset["length"] == 8
        )
        #expect(configuration.training.learningRate == 1e-3 && configuration.training.stopLoss == 0.005)
        // The cell's activation is named, so that a new default doesn't change old runs.
        #expect(configuration.activation?.name == "tanh")

        let lines = try metrics(run)
        #expect(lines.map { $0["split"] as? String } == ["train", "valid", "train", "valid", "train", "valid", "test"])
        #expect(
            lines.allSatisfy {
                $0["loss"] is Double && $0["accuracy"] is Double && $0["step"] is Int && $0["epoch"] is Int
            })

        let model = try SafeTensors(path: run + "/model.safetensors")
        #expect(
            Set(model.tensors.map(\.name)) == [
                "encoder.weight", "rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0",
                "rnn.weight_ih_l1", "rnn.weight_hh_l1", "rnn.bias_ih_l1", "rnn.bias_hh_l1", "decoder.weight",
                "decoder.bias",
            ])
        #expect(model["rnn.weight_hh_l1"]?.shape == [150, 50] && model["rnn.bias_ih_l0"]?.shape == [150])
    }

    @Test func evaluationGivesTheTrainingRunsFigures() throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run")
        #expect(try Tool(Self.small + ["--output", run, "--quiet"]).output == "")
        let test = try metrics(run).last!
        let result = try Tool(["evaluate", run, "--json"])
        let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as! [String: Any]
        #expect(object["loss"] as? Double == test["loss"] as? Double)
        #expect(object["accuracy"] as? Double == test["accuracy"] as? Double)
        let best = try metrics(run).last { $0["isBest"] as? Bool == true }!
        let validation = try Tool(["evaluate", run, "--split", "valid", "--json", "--threads", "1"])
        let measured = try JSONSerialization.jsonObject(with: Data(validation.output.utf8)) as! [String: Any]
        #expect(measured["loss"] as? Double == best["loss"] as? Double)
    }

    @Test func sameSeedSameRun() throws {
        let folder = try TemporaryFolder()
        for (name, threads) in [("a", "1"), ("b", "2")] {
            _ = try Tool(Self.small + ["--output", folder.file(name), "--threads", threads, "--quiet"])
        }
        let files = try ["a", "b"].map {
            try Data(contentsOf: URL(fileURLWithPath: folder.file("\($0)/model.safetensors")))
        }
        #expect(files[0] == files[1])
        _ = try Tool(Self.small + ["--output", folder.file("c"), "--seed", "2", "--quiet"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("c/model.safetensors"))) != files[0])
    }

    @Test func aRunIsNotOverwrittenUnasked() throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run")
        _ = try Tool(Self.small + ["--output", run, "--quiet"])
        let before = try Data(contentsOf: URL(fileURLWithPath: run + "/model.safetensors"))
        let refused = try Tool(Self.small + ["--output", run, "--seed", "2"])
        #expect(refused.status == 1 && refused.errors.contains("--overwrite"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: run + "/model.safetensors")) == before)
        #expect(try Tool(Self.small + ["--output", run, "--overwrite", "--quiet"]).status == 0)
    }

    @Test func aMistakeLeavesNoFolder() throws {
        let folder = try TemporaryFolder()
        _ = try Tool(["--cell", "qrnn", "--output", folder.file("run")])
        #expect(!FileManager.default.fileExists(atPath: folder.file("run")))
    }

    @Test(arguments: ["truncated", "empty", "other", "missing", "config"])
    func damagedRunsAreRefused(damage: String) throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run")
        _ = try Tool(Self.small + ["--output", run, "--quiet"])
        let model = URL(fileURLWithPath: run + "/model.safetensors")
        let bytes = try Data(contentsOf: model)
        switch damage {
        case "truncated": try bytes.prefix(bytes.count - 7).write(to: model)
        case "empty": try Data().write(to: model)
        case "other":
            _ = try Tool(Self.small + ["--output", folder.file("gru"), "--cell", "gru", "--quiet"])
            try Data(contentsOf: URL(fileURLWithPath: folder.file("gru/model.safetensors"))).write(to: model)
        case "missing": try FileManager.default.removeItem(at: model)
        default: try Data("{}".utf8).write(to: URL(fileURLWithPath: run + "/config.json"))
        }
        let result = try Tool(["evaluate", run])
        #expect(result.status == 1)
        #expect(
            result.errors.hasPrefix("error: \(run)") && !result.errors.dropLast().contains("\n"), "\(result.errors)")
    }

    @Test func aLossThatIsNoNumberStopsTheRun() throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run")
        let result = try Tool([
            "--cell", "rnn", "--activation", "identity", "--optimizer", "sgd", "--learning-rate", "1e5", "--length",
            "60",
            "--epochs", "3", "--train-size", "1000", "--output", run,
        ])
        #expect(result.status == 1)
        #expect(result.errors.contains("step") && result.errors.contains("--learning-rate"), "\(result.errors)")
        #expect(!result.errors.dropLast().contains("\n"))
    }

    @Test func compareEndsWithOneTable() throws {
        let result = try Tool(["compare", "--cells", "urnn,identity-rnn"] + Self.small + ["--quiet"])
        #expect(result.status == 0, "\(result.errors)")
        let rows = result.output.split(separator: "\n").filter {
            $0.hasPrefix("urnn ") || $0.hasPrefix("identity-rnn ")
        }
        #expect(rows.count == 2)
        // What the runs share is in one line, and what they don't in a line each.
        #expect(
            result.output.hasSuffix(
                "; seed 1, cpu\nurnn: exponential from B zero\nidentity-rnn: recurrent-init identity\n"))
    }

    @Test func benchmarkAsJSON() throws {
        let result = try Tool([
            "benchmark", "--json", "--seconds", "0.02", "--workload", "toy-urnn-n20", "--workload", "exp-n50",
            "--workload", "lm-rnn-tanh-h8-t2", "--workload", "update-householder-complex-n8",
        ])
        let list = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as! [[String: Any]]
        #expect(
            list.map { $0["workload"] as? String } == [
                "toy-urnn-n20", "exp-n50", "lm-rnn-tanh-h8-t2", "update-householder-complex-n8",
            ])
        for entry in list {
            let median = entry["medianMilliseconds"] as! Double, floor = entry["floorMilliseconds"] as! Double
            #expect(median > 0 && floor > 0)
            #expect(abs((entry["ratioToFloor"] as! Double) - median / floor) < 1e-9)
            #expect((entry["backend"] as! String).hasPrefix("cpu: OpenBLAS ("))
        }
        #expect(list.map { $0["input"] as? String } == ["tokens", nil, "vectors", nil])
    }

    /// A run's configuration file starts it again; flags override its values.
    @Test func aRunIsTrainedFromAFile() throws {
        let folder = try TemporaryFolder(), first = folder.file("first"), second = folder.file("second"),
            third = folder.file("third")
        #expect(
            try Tool(Self.small + ["--cell", "GRU", "--lr", "0.003", "--nhid", "12", "--output", first, "--quiet"])
                .status == 0)
        #expect(try Tool(["--config", first + "/config.json", "--output", second, "--quiet"]).status == 0)
        func model(_ run: String) throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: run + "/model.safetensors"))
        }
        #expect(try model(first) == model(second))
        #expect(
            try Tool([
                "train", "--config", first + "/config.json", "--output", third, "--cell", "ugru", "--length=9",
                "--epochs", "1", "--quiet",
            ]).status == 0)
        let configuration = try RunConfiguration(file: third + "/config.json")
        #expect(
            configuration.cell.name == "ugru" && configuration.dataset["length"] == 9
                && configuration.dataset["trainSize"] == 500)
        #expect(
            configuration.training.learningRate == 0.003 && configuration.training.epochs == 1
                && configuration.model.hiddenSize == 12)
        #expect(configuration.manifold?.name == "exponential")
    }

    @Test func withoutAFolderItIsSaidThatNothingIsKept() throws {
        let folder = try TemporaryFolder()
        let small = ["--length", "4", "--train-size", "50", "--valid-size", "20", "--test-size", "20", "--epochs", "1"]
        #expect(try Tool(small).output.hasPrefix("this run isn't saved; add --output FOLDER to save it\n"))
        #expect(
            try Tool(["compare"] + small).output.hasPrefix(
                "these runs aren't saved; add --output FOLDER to save them\n"))
        #expect(try !Tool(small + ["--output", folder.file("run")]).output.contains("this run isn't saved"))
        #expect(try RunEnd(in: folder.file("run"))?.reason == .epochs)
        #expect(try Tool("--version").output == "\(CommandLineTool.version)\n")
    }

    /// While they run, the models are labelled with the given names.
    @Test func compareNamesRunsByTheirLabels() throws {
        let result = try Tool(["compare", "--cells", "identity-rnn,rnn"] + Self.small)
        #expect(
            result.output.contains("identity-rnn  epoch 1 ") && result.output.contains("\nrnn  epoch 1 "),
            "\(result.output)")
    }
}
