import BuiltInPlugins
import Foundation
import RecurrentCore
import RecurrentRuns
import Testing

/// From the weights that one manifold update has trained, training starts with each other one, or ends with a line that
/// says why not.
struct StartCombinationTests {
    private static let registry = Registry.builtIn

    private static func configuration(_ cell: String, _ manifold: PluginChoice) throws -> RunConfiguration {
        var configuration = try registry.standard(dataset: "recall")
        configuration.cell = PluginChoice(cell)
        configuration.manifold = manifold
        configuration.skewInit = "uniform"
        configuration.dataset["length"] = 5
        for option in ["trainSize", "validSize", "testSize"] { configuration.dataset[option] = 20 }
        configuration.model.hiddenSize = 8
        configuration.training.batchSize = 5
        configuration.training.learningRate = 0.02
        configuration.training.epochs = 1
        return configuration
    }

    private static func trained(_ cell: String, _ manifold: PluginChoice, in folder: String) throws -> Run {
        _ = try Run(configuration(cell, manifold), registry: registry).train(output: folder)
        return try Run(opening: folder, registry: registry)
    }

    /// Starts a run with a manifold update from that in a folder.
    private static func start(_ manifold: PluginChoice, from run: Run, in folder: String) throws -> Run {
        var configuration = run.configuration
        configuration.manifold = manifold
        configuration.from = folder
        return try Run(configuration, startingFrom: folder, registry: registry)
    }

    private static let updates: [PluginChoice] =
        registry.names(.manifold).map { PluginChoice($0) } + [
            PluginChoice("scaled-cayley", ["negativeOnes": 1]), PluginChoice("householder", ["reflections": 7]),
            PluginChoice("householder", ["reflections": 4]), PluginChoice("spectral-margin", ["spectralMargin": 0.001]),
        ]

    /// Returns what the message says if an update can't start from the weights of another; nil if it must.
    private static func refusal(_ new: PluginChoice, from old: PluginChoice, isComplex: Bool) -> String? {
        let isReflected = !isComplex && (old["negativeOnes"] != nil || old["reflections"] == 7)
        let isWide = old.name == "spectral-margin" && old["spectralMargin"] == nil
        switch new.name {
        case "arjovsky-factors" where !isComplex: return "keeps complex weights unitary"
        case "spectral-margin":
            return isWide && new["spectralMargin"] != nil ? "more than the `spectralMargin` 0.001" : nil
        case _ where isWide: return "another `manifold` (spectral-margin if its `spectralMargin` is wide enough)"
        case "arjovsky-factors": return old.name == new.name ? nil : "factors of a given weight"
        case "dynamic-trivialization", "retraction", "scaled-cayley": return nil
        case "householder" where isComplex: return new["reflections"] == 4 ? "reflections, more than 4" : nil
        case "householder" where new["reflections"] == 7: return isReflected ? nil : "is a rotation"
        case _ where isReflected:
            return "another `manifold` (dynamic-trivialization, retraction, spectral-margin or scaled-cayley)"
        case "householder" where new["reflections"] == 4:
            return old == new ? nil : "more than 4; choose an even number of `reflections`"
        default: return nil
        }
    }

    @Test(arguments: ["urnn", "complex-urnn"]) func everyUpdateStartsOrSaysWhyNot(cell: String) throws {
        let folder = try TemporaryFolder(), isComplex = cell == "complex-urnn"
        var starts = 0
        for (number, old) in Self.updates.enumerated() {
            let path = folder.file("\(number)")
            guard isComplex || old.name != "arjovsky-factors" else { continue }
            let first = try Self.trained(cell, old, in: path), before = try first.evaluate(.valid).meanLoss
            for new in Self.updates {
                let what = "\(cell): \(old.name) \(old.options), then \(new.name) \(new.options)"
                let refusal = Self.refusal(new, from: old, isComplex: isComplex)
                do {
                    let after = try Self.start(new, from: first, in: path).evaluate(.valid).meanLoss
                    #expect(refusal == nil && abs(after - before) <= 1e-4 * before, "\(what): \(after) for \(before)")
                    starts += 1
                } catch let error as RecurrentError {
                    let message = error.description
                    #expect(refusal.map(message.contains) == true && !message.contains("\n"), "\(what): \(message)")
                }
            }
        }
        #expect(starts > 40)
    }

    /// The factors of the best weights are saved beside the last ones, also by a run that was resumed.
    @Test func aRunStartsFromTheBestFactors() throws {
        let folder = try TemporaryFolder(), path = folder.file("run"), manifold: PluginChoice = "arjovsky-factors"
        var configuration = try Self.configuration("complex-urnn", manifold)
        // Training worsens the first epoch's weights.
        configuration.training.rate = "rnn.*=0.02,*=1000"
        for epochs in [2, 3] {
            configuration.training.epochs = epochs
            if epochs == 2 {
                _ = try Run(configuration, registry: Self.registry).train(output: path)
            } else {
                _ = try Run.resume(
                    path, registry: Self.registry,
                    changes: { saved in
                        var longer = saved
                        longer.training.epochs = epochs
                        return longer
                    })
            }
            let valid = try MetricsRecord.read(path).filter { $0.split == .valid }
            #expect(valid.count == epochs && valid.filter { $0.isBest == true }.map(\.epoch) == [1], "\(valid)")
            let first = try Run(opening: path, registry: Self.registry), before = try first.evaluate(.valid).meanLoss
            let after = try Self.start(manifold, from: first, in: path).evaluate(.valid).meanLoss
            #expect(abs(after - before) <= 1e-5 * before, "\(after) for \(before)")
        }
    }

    /// Factors of other weights than the run's aren't taken.
    @Test func factorsOfOtherWeightsAreRefused() throws {
        let folder = try TemporaryFolder(), path = folder.file("run"), manifold: PluginChoice = "arjovsky-factors"
        let first = try Self.trained("complex-urnn", manifold, in: path)
        let started = try Self.start(manifold, from: first, in: path)
        // It is trained on from where it starts.
        _ = try started.train(output: folder.file("second"))
        var other = try Self.configuration("complex-urnn", manifold)
        other.seed = 2
        _ = try Run(other, registry: Self.registry).train(output: folder.file("other"))
        try FileManager.default.removeItem(atPath: path + "/model.safetensors")
        try FileManager.default.copyItem(
            atPath: folder.file("other/model.safetensors"), toPath: path + "/model.safetensors")
        let refused = #expect(throws: RecurrentError.self) { try Self.start(manifold, from: first, in: path) }
        #expect(
            refused?.description.contains("in the saved state are of other weights; choose another `manifold`") == true)
        try FileManager.default.removeItem(atPath: path + "/state.safetensors")
        let unknown = #expect(throws: RecurrentError.self) { try Self.start(manifold, from: first, in: path) }
        #expect(unknown?.description.contains("factors of a given weight aren't known") == true)
    }
}
