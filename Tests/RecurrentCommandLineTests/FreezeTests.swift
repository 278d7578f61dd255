import Foundation
import RecurrentCore
import RecurrentRuns
import Testing

/// `--freeze` and `--rate`: fine-tuning on the command line.
struct FreezeTests {
    private static let small = [
        "--length", "6", "--train-size", "200", "--valid-size", "50", "--test-size", "50", "--batch-size", "20",
        "--hidden-size", "12", "--embedding-size", "5", "--epochs", "2", "--quiet",
    ]

    private static func trained(_ cell: String, _ path: String) throws {
        let made = try Tool(["train", "--cell", cell, "--learning-rate", "0.01", "--output", path] + small)
        #expect(made.status == 0, "\(made.errors)")
    }

    /// Returns the bytes of each tensor of a run's best weights.
    private static func tensors(_ run: String) throws -> [String: Data] {
        let file = try SafeTensors(path: run + "/model.safetensors")
        return try Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, Data(try file.bytes($0.name))) })
    }

    /// The weights of a GRU are no rotations, and stay what they are all the same.
    @Test(arguments: [("gru", "gru"), ("urnn", "urnn"), ("gru", "ugru")])
    func fineTuningKeepsTheBits(first: String, second: String) throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        try Self.trained(first, run)
        let before = try Self.tensors(run)
        for (name, options) in [
            ("sgd", ["--momentum", "0.9", "--weight-decay", "0.1"]), ("rmsprop", ["--weight-decay", "0.1"]),
            ("adam", ["--weight-decay", "0.1"]), ("adamw", ["--weight-decay", "0.1"]),
        ] {
            let tuned = folder.file(name)
            let result = try Tool(
                [
                    "train", "--from", run, "--freeze", "encoder.*,rnn.*", "--optimizer", name, "--cell", second,
                    "--clip-norm", "1", "--output", tuned, "--quiet",
                ] + options)
            #expect(result.status == 0, "\(result.errors)")
            let after = try Self.tensors(tuned)
            #expect(after.keys.sorted() == before.keys.sorted() && after.count == 7)
            for (tensor, bytes) in after {
                #expect((bytes == before[tensor]) == !tensor.hasPrefix("decoder."), "\(name), \(tensor)")
            }
            let configuration = try RunFolder(opening: tuned).configuration()
            #expect(configuration.training.freeze == "encoder.*,rnn.*")
            #expect(try Tool(["evaluate", tuned]).status == 0)
        }
    }

    /// A frozen orthogonal weight starts as a trained one does, and stays there.
    @Test func aBlockMayBeFrozenFromTheStart() throws {
        let folder = try TemporaryFolder(), frozen = folder.file("frozen"), other = folder.file("other")
        let options = ["train", "--cell", "ugru", "--skew-init", "cayley", "--freeze", "rnn.weight_hh_l0.W_n"]
        for (path, rate) in [(frozen, "0.1"), (other, "1e-12")] {
            let result = try Tool(options + Self.small + ["--learning-rate", rate, "--output", path])
            #expect(result.status == 0, "\(result.errors)")
        }
        let name = "rnn.weight_hh_l0", size = 4 * 12 * 12
        let one = try #require(Self.tensors(frozen)[name]), two = try #require(Self.tensors(other)[name])
        #expect(one.suffix(size) == two.suffix(size) && one.prefix(size) != two.prefix(size))
        // It is the weight of the initial B, which isn't 0.
        #expect(try Tool(["gradients", frozen, "--samples", "2"]).status == 0)
        let resumed = try Tool(["train", "--resume", frozen, "--epochs", "3", "--quiet"])
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try Self.tensors(frozen)[name]?.suffix(size) == two.suffix(size))
    }

    /// Nothing changes in the folder of a run if a name is wrong.
    @Test func namesAreCheckedFirst() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        try Self.trained("gru", run)
        func contents() throws -> [String: Data] {
            try Dictionary(
                uniqueKeysWithValues: FileManager.default.contentsOfDirectory(atPath: run).map {
                    ($0, try Data(contentsOf: URL(fileURLWithPath: run + "/" + $0)))
                })
        }
        let before = try contents()
        let names = "the parameters are encoder.weight, rnn.weight_ih_l0, rnn.weight_hh_l0"
        for (flags, says) in [
            (["--freeze", "encodr.*"], "--freeze: no parameter's name fits 'encodr.*'; \(names)"),
            (["--freeze", "encoder.*,rnn"], "--freeze: no parameter's name fits 'rnn'; \(names)"),
            (["--rate", "rnn.*=0.1,x=1"], "--rate: no parameter's name fits 'x'; \(names)"),
            (
                ["--freeze", "rnn.*", "--rate", "rnn.bias*=1"],
                "--rate 'rnn.bias*': does nothing, because earlier groups"
            ),
            (["--freeze", "*"], "all parameters are frozen"),
            (["--freeze", "rnn.*=1"], "--freeze must be names of parameters, such as encoder.*,rnn.*"),
            (["--rate", "rnn.*"], "--rate must be names of parameters with rates above 0"),
            (["--rate", "rnn.*=0"], "not 'rnn.*=0'"), (["--freeze", ""], "--freeze"),
            (["--cell", "gru", "--freeze", "rnn.weight_hh_l0.W_n"], "no parameter's name fits 'rnn.weight_hh_l0.W_n'"),
        ] {
            let result = try Tool(
                ["train", "--cell", "gru", "--output", run, "--overwrite"].filter {
                    !flags.contains($0) || $0 == "train"
                }
                    + flags + Self.small)
            #expect(result.status == 2 && result.failedInOneLine && result.errors.contains(says), "\(result.errors)")
        }
        let resumed = try Tool(["train", "--resume", run, "--freeze", "encoder.*", "--epochs", "3"])
        #expect(resumed.status == 2 && resumed.errors.contains("--freeze can't change in a run that is resumed"))
        #expect(try contents() == before)
        let data = try Tool(["train", "--dataset", "adding", "--freeze", "encoder.*", "--quiet"])
        #expect(data.errors.contains("the parameters are rnn.weight_ih_l0"), "\(data.errors)")
    }

    @Test func ratesAreRecordedAndMayChange() throws {
        let folder = try TemporaryFolder(), run = folder.file("run"), same = folder.file("same")
        let rates = "rnn.*=0.001,decoder.*=0.01"
        for (path, flags) in [(run, ["--rate", rates]), (same, ["--config", run, "--rate", rates])] {
            let result = try Tool(["train", "--cell", "gru", "--output", path] + flags + Self.small)
            #expect(result.status == 0, "\(result.errors)")
        }
        #expect(try RunFolder(opening: run).configuration().training.rate == rates)
        #expect(try Self.tensors(run) == Self.tensors(same))
        let resumed = try Tool(["train", "--resume", run, "--epochs", "3", "--rate", "rnn.*=1e-9", "--quiet"])
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try RunFolder(opening: run).configuration().training.rate == "rnn.*=1e-9")
        let none = try Tool(["train", "--resume", run, "--epochs", "4", "--rate", "none", "--quiet"])
        #expect(none.status == 0, "\(none.errors)")
        #expect(try RunFolder(opening: run).configuration().training.rate == nil)
    }

    @Test func otherCommandsTakeThem() throws {
        let folder = try TemporaryFolder()
        let small = Array(Self.small.dropLast())
        let compared = try Tool(
            [
                "compare", "--cells", "gru,rnn", "--freeze", "encoder.*", "--rate", "rnn.*=0.01", "--output",
                folder.file("c"),
            ]
                + Self.small)
        #expect(compared.status == 0, "\(compared.errors)")
        for cell in ["gru", "rnn"] {
            #expect(try RunFolder(opening: folder.file("c/\(cell)")).configuration().training.freeze == "encoder.*")
        }
        let refused = try Tool(
            ["compare", "--cells", "ugru,rnn", "--freeze", "*.W_n", "--output", folder.file("d")] + Self.small)
        #expect(refused.status == 2 && !FileManager.default.fileExists(atPath: folder.file("d/ugru")))
        let searched = try Tool(
            [
                "search", "--try", "freeze=encoder.*|rnn.*", "--output", folder.file("s"), "--quiet", "--", "--rate",
                "decoder.*=0.1",
            ]
                + small)
        #expect(searched.status == 0, "\(searched.errors)")
        let wrong = try Tool(
            [
                "search", "--try", "learning-rate=0.1,0.2", "--output", folder.file("w"), "--quiet", "--", "--freeze",
                "x",
            ]
                + small)
        #expect(wrong.status == 2 && wrong.errors.contains("--freeze: no parameter's name fits 'x'"), "\(wrong.errors)")
    }
}
