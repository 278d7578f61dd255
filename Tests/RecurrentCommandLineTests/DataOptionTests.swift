import BuiltInPlugins
import Foundation
import RecurrentCommandLine
import RecurrentRuns
import Testing

/// The options of each data set.
struct DataOptionTests {
    /// Returns the help of one option of `train`, as one line.
    private static func help(of option: String, in text: String) throws -> String {
        let start = try #require(text.range(of: "  --\(option) "), "\(option)")
        let end = text[start.upperBound...].range(of: "\n  -")?.lowerBound ?? text.endIndex
        return text[start.lowerBound..<end].split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// The page of each data set has its own options and the defaults that it sets.
    @Test(arguments: Registry.builtIn.names(.dataset)) func theHelpNamesEveryDefault(dataset: String) throws {
        let registry = Registry.builtIn
        let text = try Tool("train --help --dataset \(dataset)").output
        let standard = try registry.resolve(registry.standard(dataset: dataset), locatesData: false)
        for (name, value) in standard.values where value != .null && value != .flag(false) && name != "dataset" {
            let flag = name.reduce(into: "") { $0 += $1.isUppercase ? "-" + $1.lowercased() : String($1) }
            if !text.contains("\n  --\(flag) ") {
                let refused = try Tool("train --dataset \(dataset) --\(flag) \(value.text) --overwrite")
                #expect(refused.status == 2 && refused.errors.contains("does nothing"), "\(refused.errors)")
                continue
            }
            let help = try Self.help(of: flag, in: text), shown = value == .flag(true) ? "yes" : value.text
            #expect(help.contains("(default: \(shown))"), "--\(flag) of \(dataset) is \(shown): \(help)")
        }
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 110)
    }

    @Test func theLastLineSaysWhatDiffersFromTheDefaults() throws {
        let small = [
            "--length", "6", "--train-size", "40", "--valid-size", "20", "--test-size", "20", "--epochs", "1",
            "--dataset",
        ]
        let adding = try Tool(small + ["adding", "--schedule", "cosine", "--clip-norm", "2", "--no-fresh-data"])
        let last = adding.output.split(separator: "\n").suffix(2)
        #expect(
            last.joined(separator: "\n") == """
                always answering 1: loss 0.1667
                adding length 6 train-size 40 valid-size 20 test-size 20; H 128 B 100; relu; adam 0.001 (skew B 0.0001); no dropout; exponential from B henaff; \
                at most 1 epoch; schedule cosine; clip-norm 2; seed 1, cpu
                """, "\(adding.errors)")
        let copying = try Tool(small + ["copying", "--manifold-learning-rate", "0.0002", "--dropout", "0.5"]).output
        #expect(
            copying.contains("copying length 6 ") && copying.contains("fresh-data; E 30 H 128 B 100")
                && copying.contains("adam 0.001 (skew B 0.0002)")
                && copying.contains("1 batch of 100 per epoch, learning rate 0.001 (skew B 0.0002)\n"))
        #expect(
            copying.contains("dropout 0.5 on output") && copying.contains("\na model without memory: loss 0.7998\n"),
            "\(copying)")
    }

    @Test func evaluateTellsTheLossWithoutMemory() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        let sizes = ["--length", "6", "--train-size", "40", "--valid-size", "20", "--test-size", "20"]
        #expect(try Tool(["--dataset", "adding", "--epochs", "1", "--quiet", "--output", run] + sizes).status == 0)
        #expect(try Tool(["evaluate", run]).output.hasSuffix("always answering 1: loss 0.1667\n"))
        #expect(try Tool(["evaluate", run, "--json"]).object()["baselineLoss"] as? Double == 1.0 / 6)
    }
}

/// Small files of MNIST's format, as a run on disk.
struct DigitRunTests {
    private func write(_ folder: TemporaryFolder) throws {
        func header(_ sizes: [Int]) -> [UInt8] {
            [0, 0, 8, UInt8(sizes.count)] + sizes.flatMap { [0, 0, 0, UInt8($0)] }
        }
        for (part, count) in [("train", 60), ("t10k", 20)] {
            let pixels = (0..<12 * count).map { UInt8(truncatingIfNeeded: $0 * $0 * 7) }
            try Data(header([count, 3, 4]) + pixels).write(
                to: URL(fileURLWithPath: folder.file("\(part)-images-idx3-ubyte")))
            let labels = (0..<count).map { UInt8($0 % 10) }
            try Data(header([count]) + labels).write(to: URL(fileURLWithPath: folder.file("\(part)-labels-idx1-ubyte")))
        }
    }

    /// All seeds share one order of the pixels; a run from before the order had its own seed keeps its order.
    @Test func theOrderOfThePixelsIsSaved() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        try write(folder)
        let trained = try Tool([
            "--dataset", "permuted-digits", "--data", folder.path, "--hidden-size", "8", "--batch-size", "10",
            "--epochs", "1", "--seed", "5",
            "--output", run,
        ])
        #expect(
            trained.status == 0 && trained.output.contains("permuted-digits classes 10 permutation-seed 1; H 8 B 10; "),
            "\(trained.errors)")
        let loss = try Tool(["evaluate", run, "--json"]).object()["loss"] as? Double
        #expect(try loss == metrics(run).last?["loss"] as? Double)
        // The state would tell that the configuration isn't the run's own.
        try FileManager.default.removeItem(atPath: run + "/state.safetensors")
        let config = URL(fileURLWithPath: run + "/config.json")
        var options = try JSONSerialization.jsonObject(with: Data(contentsOf: config)) as! [String: Any]
        var dataset = try #require(options["dataset"] as? [String: Any])
        #expect(dataset["permutationSeed"] as? Int == 1)
        dataset["permutationSeed"] = 5
        options["dataset"] = dataset
        try JSONSerialization.data(withJSONObject: options).write(to: config)
        let other = try Tool(["evaluate", run, "--json"]).object()["loss"] as? Double
        // As written before the order had its own seed and runs recorded their classes.
        let old: [String: Any] = [
            "version": 1, "cell": "urnn", "dataset": "permuted-digits", "data": folder.path, "hiddenSize": 8,
            "batchSize": 10, "epochs": 1,
            "dropout": 0, "seed": 5,
        ]
        try JSONSerialization.data(withJSONObject: old).write(to: config)
        let before = try Tool(["evaluate", run, "--json"]).object()["loss"] as? Double
        #expect(before != nil && before == other && before != loss)
    }
}
