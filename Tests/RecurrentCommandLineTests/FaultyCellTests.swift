import BuiltInPlugins
import Foundation
import RecurrentCommandLine
import RecurrentRuns
import Testing

/// A plug-in whose cell is wrong ends a command with status 1, before it has written anything.
struct FaultyCellTests {
    @Test(arguments: [[], ["--rate", "rnn.*=0.1"], ["--freeze", "encoder.*"], ["--track-gradients", "2"]])
    func trainingRefusesIt(options: [String]) throws {
        let folder = try TemporaryFolder()
        var registry = Registry.builtIn
        registry.add(FaultyCell.self)
        let arguments = [
            "train", "--cell", "faulty", "--length", "6", "--train-size", "50", "--epochs", "1", "--quiet", "--output",
            folder.file("run"),
        ]
        #expect(CommandLineTool.run(registry, arguments: arguments + options) == 1)
        #expect(!FileManager.default.fileExists(atPath: folder.file("run/model.safetensors")))
        #expect(CommandLineTool.run(registry, arguments: ["list"]) == 0)
    }
}
