import BuiltInPlugins
import Foundation
import RecurrentCore
import RecurrentRuns
import Testing

/// Frozen parameters and rates by name in the configuration of a run.
struct FreezeTests {
    private let registry = Registry.builtIn

    private func configuration(_ cell: String, freeze: String? = nil, rate: String? = nil) throws -> RunConfiguration {
        var configuration = try registry.standard(dataset: "recall")
        configuration.cell = PluginChoice(cell)
        configuration.dataset["length"] = 5
        for (option, size) in [("trainSize", 60), ("validSize", 20), ("testSize", 20)] {
            configuration.dataset[option] = .integer(size)
        }
        configuration.model.hiddenSize = 8
        configuration.training.batchSize = 20
        configuration.training.epochs = 4
        configuration.training.freeze = freeze
        configuration.training.rate = rate
        return configuration
    }

    /// Names are checked against those of the cell, before there are data or a model.
    @Test(arguments: [
        ("gru", "rnn.weight_hh_l0.W_n", "no parameter's name fits 'rnn.weight_hh_l0.W_n'"),
        ("ugru", "rnn.weight_hh_l0.W", "rnn.bias_hh_l0, decoder.weight, decoder.bias, rnn.weight_hh_l0.W_n"),
        ("urnn", "decoder", "`freeze`: no parameter's name fits 'decoder'; the parameters are encoder.weight, "),
        ("rnn", "encoder.*,", "`freeze` has an empty element"),
    ]) func namesAreThoseOfTheCell(cell: String, freeze: String, says: String) throws {
        let error = #expect(throws: RecurrentError.self) {
            try registry.resolve(configuration(cell, freeze: freeze), locatesData: false)
        }
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }

    @Test func theyAreWrittenAndRead() throws {
        let made = try registry.resolve(configuration("ugru", freeze: "encoder.*", rate: "rnn.*=0.5"))
        let read = try RunConfiguration(json: Data(made.json()), path: "config.json")
        #expect(read.training.freeze == "encoder.*" && read.training.rate == "rnn.*=0.5")
        #expect(try registry.resolve(read) == made)
        #expect(throws: Never.self) { try registry.resolve(configuration("gru", rate: "rnn.* = 0.5, decoder.* =0.1")) }
        // Files of earlier versions have neither.
        let text = #"{"version": 2, "dataset": {"name": "recall"}, "training": {"epochs": 7}}"#
        let older = try RunConfiguration(json: Data(text.utf8), path: "config.json")
        #expect(older.training.freeze == nil && older.training.rate == nil)
    }

    @Test func ratesMayChangeInARunThatIsResumed() throws {
        let plain = try registry.resolve(configuration("gru"))
        let rates = try registry.resolve(configuration("gru", rate: "rnn.*=0.5"))
        let frozen = try registry.resolve(configuration("gru", freeze: "rnn.*"))
        #expect(throws: Never.self) { try plain.checkResumable(as: rates, registry: registry) }
        for (saved, wanted) in [(plain, frozen), (frozen, plain)] {
            let error = #expect(throws: RecurrentError.self) {
                try saved.checkResumable(as: wanted, registry: registry)
            }
            #expect(error?.description.contains("`freeze` can't change") == true)
        }
        #expect(!plain.isSameRun(as: rates, registry: registry) && !plain.isSameRun(as: frozen, registry: registry))
    }

    /// A run that was interrupted ends with the bits of one that wasn't.
    @Test(arguments: [("ugru", "rnn.weight_hh_l0.W_n,encoder.*"), ("urnn", "rnn.*"), ("ugru", "rnn.weight_ih_l0")])
    func aResumedRunHasTheSameBits(cell: String, freeze: String) throws {
        let folder = try TemporaryFolder(), whole = folder.file("whole"), parts = folder.file("parts")
        let wanted = try configuration(cell, freeze: freeze, rate: "decoder.weight=0.05,decoder.bias=0.001")
        _ = try Run(wanted, registry: registry).train(output: whole)
        var batches = 0
        let summary = try Run(wanted, registry: registry).train(
            output: parts,
            shouldStop: {
                batches += 1
                return batches == 5
            })
        #expect(summary.end == .interrupted)
        _ = try Run.resume(parts, registry: registry)
        for name in ["model.safetensors", "state.safetensors"] {
            let (one, two) = (try SafeTensors(path: whole + "/" + name), try SafeTensors(path: parts + "/" + name))
            #expect(one.tensors.map(\.name) == two.tensors.map(\.name))
            for tensor in one.tensors {
                #expect(try Array(one.bytes(tensor.name)) == Array(two.bytes(tensor.name)), "\(name), \(tensor.name)")
            }
        }
        // What is frozen is what the run began with.
        let begun = try Run(wanted, registry: registry), saved = try Run(opening: whole, registry: registry)
        for name in begun.updater.frozenNames {
            let first = try #require(begun.model.parameters[name]), last = try #require(saved.model.parameters[name])
            let before: [Float] = begun.model.backend.download(first.value)
            // A packed weight also holds the block that isn't frozen.
            let isWhole = name != "rnn.weight_hh_l0"
            let isSame = saved.model.backend.download(last.value) == before
            #expect(isSame || !isWhole, "\(name)")
        }
    }
}
