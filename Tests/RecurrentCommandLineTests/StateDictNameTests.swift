import Foundation
import RecurrentCore
import Testing

/// State dicts whose names aren't those of word_language_model alone.
struct StateDictNameTests {
    /// Writes a copy of a fixture under other names, and returns its path.
    private func renamed(
        _ fixture: String, metadata: [String: String] = [:], more: KeyValuePairs<String, [Int]> = [:],
        in folder: TemporaryFolder,
        _ name: (String) -> String
    ) throws -> String {
        let file = try SafeTensors(path: TorchModels.path("\(fixture).safetensors"))
        var writer = SafeTensorsWriter(metadata: metadata)
        for tensor in file.tensors { writer.add(name(tensor.name), shape: tensor.shape, try file.floats(tensor.name)) }
        for (name, shape) in more { writer.add(name, shape: shape, [Float](repeating: 1, count: shape.reduce(1, *))) }
        try writer.write(to: folder.file("model.safetensors"))
        return folder.file("model.safetensors")
    }

    /// Returns the tensors of the run that a file is imported as.
    private func tensors(_ file: String, _ folder: TemporaryFolder, _ run: String) throws -> [String: [Float]] {
        let result = try Tool(["import", file, "--output", folder.file(run)])
        try #require(result.status == 0, "\(result.errors)")
        let model = try SafeTensors(path: folder.file(run) + "/model.safetensors")
        return try Dictionary(uniqueKeysWithValues: model.tensors.map { ($0.name, try model.floats($0.name)) })
    }

    @Test(arguments: [
        "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model.", "model._orig_mod.",
        "module.model.", "module.module.", "_orig_mod.model.module.",
    ])
    func wrappersAddNothing(prefix: String) throws {
        let folder = try TemporaryFolder()
        let file = try renamed("gru", in: folder) { prefix + $0 }
        let plain = try tensors(TorchModels.path("gru.safetensors"), folder, "plain")
        #expect(try tensors(file, folder, "wrapped") == plain)
    }

    /// A single compiled submodule.
    @Test func wrappersInside() throws {
        let folder = try TemporaryFolder()
        let file = try renamed("gru", in: folder) { $0.replacing("rnn.", with: "rnn._orig_mod.") }
        let plain = try tensors(TorchModels.path("gru.safetensors"), folder, "plain")
        #expect(try tensors(file, folder, "wrapped") == plain)
    }

    @Test func twoModelsInOneFile() throws {
        let folder = try TemporaryFolder()
        let file = try renamed("gru", more: ["module.encoder.weight": [3, 3]], in: folder) { $0 }
        let result = try Tool(["import", file, "--output", folder.file("run")])
        #expect(
            result.failedInOneLine && result.errors.contains("'module.encoder.weight'")
                && result.errors.contains("wrappers"), "\(result.errors)")
    }

    /// safetensors.torch.save_model keeps one of the names of a shared tensor.
    @Test(arguments: [true, false], ["", "module."])
    func tiedModelsOfSaveModel(keepsDecoder: Bool, prefix: String) throws {
        let folder = try TemporaryFolder()
        let (removed, kept) = keepsDecoder ? ("encoder.weight", "decoder.weight") : ("decoder.weight", "encoder.weight")
        let file = try renamed("gru_tied", metadata: ["format": "pt", prefix + removed: prefix + kept], in: folder) {
            prefix + ($0 == removed ? kept : $0)
        }
        let plain = try tensors(TorchModels.path("gru_tied.safetensors"), folder, "plain")
        #expect(try tensors(file, folder, "saved") == plain)
        let configuration = try String(contentsOfFile: folder.file("saved/config.json"), encoding: .utf8)
        #expect(configuration.contains("\"tied\" : true") || configuration.contains("\"tied\": true"))
    }

    /// The file doesn't say by which map torch makes an orthogonal weight.
    @Test(arguments: ["", "module."])
    func parametrizationsAreNamed(prefix: String) throws {
        let folder = try TemporaryFolder()
        let file = try renamed(
            "rnn_orthogonal", more: [prefix + "rnn.parametrizations.weight_hh_l0.0.base": [3, 3]], in: folder
        ) {
            prefix + ($0 == "rnn.weight_hh_l0" ? "rnn.parametrizations.weight_hh_l0.original" : $0)
        }
        let result = try Tool(["import", file, "--activation", "relu", "--output", folder.file("run")])
        #expect(
            result.failedInOneLine
                && result.errors.contains("remove_parametrizations(model.rnn, 'weight_hh_l0')")
                && result.errors.contains("'\(prefix)rnn.parametrizations.weight_hh_l0"), "\(result.errors)")
    }

    /// An é of one code point and one of two are different names.
    @Test func namesAreBytes() throws {
        let folder = try TemporaryFolder()
        let file = try renamed("gru", more: ["caf\u{e9}": [1], "cafe\u{301}": [2]], in: folder) { $0 }
        let result = try Tool(["import", file, "--output", folder.file("run")])
        #expect(
            result.failedInOneLine && !result.errors.contains("damaged") && result.errors.contains("doesn't have"),
            "\(result.errors)")
    }
}
