import Foundation
import RecurrentCore
import Testing

/// Training that starts from the weights of another cell, and from rotations by π.
struct OtherCellTests {
    private static let small = [
        "--length", "6", "--train-size", "50", "--valid-size", "20", "--test-size", "20", "--hidden-size", "6",
        "--batch-size", "10", "--epochs", "1", "--quiet",
    ]

    private func weight(_ folder: String) throws -> [Float] {
        try SafeTensors(path: folder + "/model.safetensors").floats("rnn.weight_hh_l0")
    }

    private func difference(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).map { abs($0 - $1) }.max()! }

    /// A free cell may start at an orthogonal weight, and an orthogonal one where it still is one.
    @Test(arguments: [("urnn", "rnn"), ("ugru", "gru")])
    func freeCellsStartAtRotations(orthogonal: String, free: String) throws {
        let folder = try TemporaryFolder(), first = folder.file("first"), second = folder.file("second"),
            third = folder.file("third")
        let made = try Tool(["train", "--cell", orthogonal, "--output", first] + Self.small)
        #expect(made.status == 0, "\(made.errors)")
        var from = first
        for (cell, to) in [(free, second), (orthogonal, third)] {
            let started = try Tool([
                "train", "--from", from, "--cell", cell, "--output", to, "--learning-rate", "1e-9", "--quiet",
            ])
            #expect(started.status == 0, "\(started.errors)")
            #expect(try difference(weight(first), weight(to)) <= 1e-5)
            #expect(try SafeTensors(path: to + "/model.safetensors").metadata["cell"] == cell)
            from = to
        }
        // Opening a run isn't starting one: its cell is what its configuration says.
        try FileManager.default.removeItem(atPath: second + "/model.safetensors")
        try FileManager.default.copyItem(
            atPath: first + "/model.safetensors", toPath: second + "/model.safetensors")
        let opened = try Tool(["evaluate", second])
        #expect(opened.failedInOneLine && opened.errors.contains("'\(orthogonal)', not '\(free)'"), "\(opened.errors)")
    }

    @Test func aFreeWeightIsNoRotation() throws {
        let folder = try TemporaryFolder(), first = folder.file("first")
        #expect(try Tool(["train", "--cell", "rnn", "--output", first] + Self.small).status == 0)
        let refused = try Tool(["train", "--from", first, "--cell", "urnn"])
        #expect(
            refused.failedInOneLine && refused.errors.contains("isn't orthogonal") && refused.errors.contains("rnn"),
            "\(refused.errors)")
    }

    /// Returns the path of a state dict of an nn.RNN with this recurrent weight.
    private func stateDict(_ weight: [Float], in folder: TemporaryFolder) throws -> String {
        let size = Int(Double(weight.count).squareRoot())
        var writer = SafeTensorsWriter()
        writer.add("encoder.weight", shape: [3, 2], (0..<6).map { 0.1 * Float($0) - 0.3 })
        writer.add("rnn.weight_ih_l0", shape: [size, 2], (0..<2 * size).map { 0.5 - 0.1 * Float($0) })
        writer.add("rnn.weight_hh_l0", shape: [size, size], weight)
        writer.add("decoder.weight", shape: [3, size], (0..<3 * size).map { 0.2 - 0.05 * Float($0) })
        try writer.write(to: folder.file("model.safetensors"))
        try Data("a\nb\n<eos>\n".utf8).write(to: URL(fileURLWithPath: folder.file("words.txt")))
        try FileManager.default.createDirectory(atPath: folder.file("corpus"), withIntermediateDirectories: true)
        for split in ["train", "valid", "test"] {
            try Data("a b a a\nb b a\n".utf8).write(
                to: URL(fileURLWithPath: folder.file("corpus/ptb.\(split).txt")))
        }
        return folder.file("model.safetensors")
    }

    private func imported(_ weight: [Float], in folder: TemporaryFolder, _ flags: [String] = []) throws -> Tool {
        try Tool(
            [
                "import", try stateDict(weight, in: folder), "--cell", "urnn", "--activation", "tanh", "--vocabulary",
                folder.file("words.txt"), "--data", folder.file("corpus"), "--output", folder.file("run"),
            ] + flags)
    }

    static let rotationsByPi: [[Float]] = [
        [-1, 0, 0, 0, 1, 0, 0, 0, -1],
        [0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0],
        [-1, 0, 0, -1],
    ]

    @Test(
        arguments: rotationsByPi,
        ["exponential", "exact-exponential", "scaled-cayley", "retraction", "spectral-margin"])
    func trainingStartsAtARotationByPi(weight: [Float], manifold: String) throws {
        let folder = try TemporaryFolder()
        let result = try imported(weight, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let train = [
            "train", "--from", folder.file("run"), "--epochs", "1", "--batch-size", "2", "--evaluation-batch-size", "1",
            "--learning-rate", "1e-9",
            "--quiet", "--manifold",
        ]
        let started = try Tool(train + [manifold, "--output", folder.file("started")])
        #expect(started.status == 0, "\(started.errors)")
        #expect(try difference(self.weight(folder.file("started")), weight) <= 1e-5)
        let refused = try Tool(train + ["cayley"])
        #expect(
            refused.failedInOneLine && refused.errors.contains("eigenvalue −1")
                && refused.errors.contains("--manifold, such as scaled-cayley or exponential"), "\(refused.errors)")
    }

    static let reflections: [[Float]] = [[0, 1, 1, 0], [1, 0, 0, 0, -1, 0, 0, 0, 1], [-1]]

    @Test(arguments: reflections) func aReflectionIsRefusedAtImport(weight: [Float]) throws {
        let folder = try TemporaryFolder()
        let refused = try imported(weight, in: folder)
        #expect(
            refused.failedInOneLine && refused.errors.contains("determinant is −1")
                && refused.errors.contains(
                    "--manifold (dynamic-trivialization, retraction, spectral-margin or scaled-c")
                && refused.errors.contains("'rnn'"), "\(refused.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("run")))
    }

    /// An import says at once what training would say.
    @Test func whatAnUpdateCantHoldIsRefusedAtImport() throws {
        let folder = try TemporaryFolder()
        for (weight, flags, says) in [
            ([-1, 0, 0, 0, 1, 0, 0, 0, -1], ["--manifold", "cayley"], "eigenvalue −1"),
            ([2, 0, 0, 2], ["--manifold", "spectral-margin"], "more than the --spectral-margin 0.1"),
            ([2, 0, 0, 2], [], "isn't orthogonal"),
            ([1, 0, 0, 1], ["--manifold", "scaled-cayley", "--negative-ones", "1"], "--negative-ones does nothing"),
            ([1, 0, 0, 1], ["--skew-init", "henaff"], "--skew-init does nothing in import"),
        ] as [([Float], [String], String)] {
            let refused = try imported(weight, in: folder, flags)
            #expect(refused.failedInOneLine && refused.errors.contains(says), "\(flags): \(refused.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder.file("run")))
        }
    }

    /// An update that can hold a reflection takes it, and training keeps it.
    @Test(
        arguments: reflections,
        [
            "dynamic-trivialization", "retraction", "spectral-margin", "scaled-cayley", "householder --reflections 1",
        ])
    func aReflectionIsImportedWhereTheUpdateHoldsIt(weight: [Float], manifold: String) throws {
        let folder = try TemporaryFolder()
        let result = try imported(
            weight, in: folder, ["--manifold"] + manifold.split(separator: " ").map(String.init))
        #expect(result.status == 0, "\(result.errors)")
        let started = try Tool([
            "train", "--from", folder.file("run"), "--epochs", "1", "--batch-size", "2", "--evaluation-batch-size", "1",
            "--learning-rate", "1e-9", "--quiet", "--output", folder.file("started"),
        ])
        #expect(started.status == 0, "\(started.errors)")
        #expect(try difference(self.weight(folder.file("started")), weight) <= 1e-5)
    }
}
