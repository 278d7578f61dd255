import BuiltInPlugins
import Foundation
import RecurrentCore
import RecurrentRuns
import Testing

/// Sizes of one, at which a matrix has the shape of a vector.
struct SmallestSizesTests {
    private static let data = [
        "--dataset", "recall", "--length", "4", "--symbols", "2", "--train-size", "20", "--valid-size", "10",
        "--test-size", "10",
    ]
    @Test(
        arguments: Registry.builtIn.names(.cell),
        [
            ["--hidden-size", "1"], ["--hidden-size", "1", "--embedding-size", "1", "--tied", "--batch-size", "1"],
            ["--hidden-size", "1", "--layers", "2", "--zoneout", "0.1", "--weight-dropout", "0.2"],
            ["--hidden-size", "1", "--activation", "modrelu", "--length", "1"],
        ])
    func everyCellTrains(cell: String, sizes: [String]) throws {
        let made = try Registry.builtIn.makeCell(RunConfiguration(cell: PluginChoice(cell)))
        guard made is any ActivatedCell || !sizes.contains("--activation"),
            made.hasRecurrentWeight || !sizes.contains("--weight-dropout")
        else { return }
        // A tied embedding has the width of the output.
        let sizes = sizes.overridden(by: sizes.contains("--tied") ? ["--embedding-size", "\(made.outputCount)"] : [])
        let folder = try TemporaryFolder(), run = folder.file("run")
        let trained = try Tool(
            (["train"] + Self.data + [
                "--cell", cell, "--batch-size", "10", "--epochs", "1", "--quiet", "--output", run, "--tensorboard",
                "--track-gradients", "1",
            ]).overridden(by: sizes))
        #expect(trained.status == 0, "\(trained.errors)")
        let resumed = try Tool(["train", "--resume", run, "--epochs", "2", "--quiet"])
        #expect(resumed.status == 0, "\(resumed.errors)")
        let started = try Tool(["train", "--from", run, "--epochs", "1", "--quiet"])
        #expect(started.status == 0, "\(started.errors)")
        let measured = try Tool(["gradients", run, "--json"])
        #expect(measured.status == 0, "\(measured.errors)")
    }

    @Test(arguments: ["exponential", "exact-exponential", "cayley"], ["zero", "henaff", "cayley", "uniform"])
    func aRotationOfOneDimensionIsOne(manifold: String, start: String) throws {
        let folder = try TemporaryFolder()
        let trained = try Tool(
            ["train"] + Self.data + [
                "--cell", "urnn", "--hidden-size", "1", "--manifold", manifold, "--skew-init", start, "--epochs", "1",
                "--output", folder.file("run"), "--quiet",
            ])
        #expect(trained.status == 0, "\(trained.errors)")
        let model = try SafeTensors(path: folder.file("run/model.safetensors"))
        #expect(try model.floats("rnn.weight_hh_l0", shape: [1, 1]) == [1])
    }

    /// So do those that may make it −1, or something near 1.
    @Test(arguments: [
        ("dynamic-trivialization", 1), ("retraction --retraction-method qr", 1), ("householder", 1),
        ("householder --reflections 1", -1), ("scaled-cayley --negative-ones 1", -1), ("spectral-margin", 1),
    ])
    func aWeightOfOneDimensionIsASign(manifold: String, sign: Float) throws {
        let folder = try TemporaryFolder()
        let trained = try Tool(
            ["train"] + Self.data + ["--cell", "urnn", "--hidden-size", "1", "--epochs", "1", "--manifold"]
                + manifold.split(separator: " ").map(String.init)
                + ["--output", folder.file("run"), "--quiet", "--tensorboard"])
        #expect(trained.status == 0, "\(trained.errors)")
        let weight = try SafeTensors(path: folder.file("run/model.safetensors")).floats(
            "rnn.weight_hh_l0", shape: [1, 1])[0]
        #expect(manifold == "spectral-margin" ? (0.9...1.1).contains(weight) : weight == sign)
        let resumed = try Tool(["train", "--resume", folder.file("run"), "--epochs", "2", "--quiet"])
        #expect(resumed.status == 0, "\(resumed.errors)")
    }

    @Test func searchesOverThem() throws {
        let folder = try TemporaryFolder()
        let result = try Tool(
            [
                "search", "--try", "cell=rnn,urnn,gru,ugru", "--try", "hidden-size=1,2", "--output",
                folder.file("search"), "--",
            ] + Self.data + ["--epochs", "1"])
        #expect(result.status == 0 && result.output.contains("[8/8]"), "\(result.errors)")
    }

    /// Models of PyTorch with one unit, in which every weight has one column or one row.
    @Test(arguments: [("rnn", 1), ("urnn", 1), ("gru", 3), ("ugru", 3), ("lstm", 4)])
    func importsThem(cell: String, gates: Int) throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        var writer = SafeTensorsWriter()
        writer.add("encoder.weight", shape: [2, 3], [0.1, 0.2, 0.3, -0.1, -0.2, -0.3] as [Float])
        writer.add("rnn.weight_ih_l0", shape: [gates, 3], [Float](repeating: 0.5, count: 3 * gates))
        writer.add("rnn.weight_hh_l0", shape: [gates, 1], [Float](repeating: 1, count: gates))
        writer.add("rnn.bias_ih_l0", shape: [gates], [Float](repeating: 0.25, count: gates))
        writer.add("rnn.bias_hh_l0", shape: [gates], [Float](repeating: 0.75, count: gates))
        writer.add("decoder.weight", shape: [2, 1], [1, -1] as [Float])
        writer.add("decoder.bias", shape: [2], [0, 0] as [Float])
        try writer.write(to: folder.file("model.safetensors"))
        let imported = try Tool(
            [
                "import", folder.file("model.safetensors"), "--cell", cell, "--output", run,
            ] + (gates == 1 ? ["--activation", "tanh"] : []))
        #expect(imported.status == 0, "\(imported.errors)")
        let file = try SafeTensors(path: run + "/model.safetensors")
        #expect(try file.floats("rnn.weight_ih_l0", shape: [gates, 3]).allSatisfy { $0 == 0.5 })
        #expect(try file.floats("rnn.bias_hh_l0", shape: [gates]).allSatisfy { $0 == 0.75 })
    }
}
