import BuiltInPlugins
import Foundation
import RecurrentCore
import RecurrentRuns
import RecurrentTestSupport
import Testing

/// Runs that were written by an earlier program, whose `config.json` has version 1.
struct SavedRunTests {
    static let cells = ["rnn", "urnn", "gru", "ugru"]

    private static func fixture(_ path: String) throws -> String {
        try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures/\(path)").path
    }

    /// Expects two files to hold the same tensors, whose numbers differ by rounding at most: the program has changed the
    /// order of sums since.
    private func expectSame(_ path: String, _ expected: String) throws {
        let file = try SafeTensors(path: path), other = try SafeTensors(path: expected)
        #expect(Set(file.tensors.map(\.name)) == Set(other.tensors.map(\.name)) && !file.tensors.isEmpty)
        for tensor in other.tensors {
            let isDouble = tensor.type == .float64
            func numbers(_ file: SafeTensors) throws -> [Double] {
                isDouble ? try file.doubles(tensor.name) : try file.floats(tensor.name).map(Double.init)
            }
            let error = relativeError(try numbers(file), try numbers(other))
            #expect(error <= (isDouble ? 1e-11 : 1e-6), "\(tensor.name) of \(path)")
        }
    }

    @Test(arguments: cells) func areResumedToTheSameNumbers(cell: String) throws {
        let folder = try TemporaryFolder(), run = folder.file("run"), fixture = try Self.fixture("version1/\(cell)")
        try FileManager.default.copyItem(atPath: fixture, toPath: run)
        let (resumed, summary) = try Run.resume(
            run, registry: .builtIn,
            changes: { configuration in
                var longer = configuration
                longer.training.epochs = 4
                return longer
            })
        #expect(summary.end == .epochs && summary.epochs.count == 4)
        for file in ["model", "state"] {
            try expectSame("\(run)/\(file).safetensors", "\(fixture)/\(file)-after.safetensors")
        }
        // From then on the current version is written.
        let written = try String(contentsOfFile: run + "/config.json", encoding: .utf8)
        #expect(written.contains("\"version\" : 2"))
        #expect(try RunFolder(opening: run).resolvedConfiguration(.builtIn) == resumed.configuration)
        #expect(try RunEnd(in: run)?.reason == .epochs && RunEnd(in: run)?.epochs == 4)
    }

    /// Training from the same configuration gives the weights that it gave then.
    @Test(arguments: cells) func areTrainedToTheSameNumbers(cell: String) throws {
        let folder = try TemporaryFolder(), fixture = try Self.fixture("version1/\(cell)")
        let configuration = try RunFolder(opening: fixture).configuration()
        _ = try Run(configuration, registry: .builtIn).train(output: folder.file("run"))
        for file in ["model", "state"] {
            try expectSame(folder.file("run/\(file).safetensors"), "\(fixture)/\(file).safetensors")
        }
        let (then, now) = try (MetricsRecord.read(fixture), MetricsRecord.read(folder.file("run")))
        func figures(_ record: MetricsRecord) -> [Double?] {
            [record.loss, record.accuracy, Double(record.epoch), Double(record.step)]
        }
        #expect(then.map(\.split) == now.map(\.split))
        for (then, now) in zip(then.map(figures), now.map(figures)) {
            #expect(then.map { $0 == nil } == now.map { $0 == nil })
            #expect(relativeError(now.compactMap(\.self), then.compactMap(\.self)) < 1e-11)
        }
    }

    @Test(arguments: cells) func bothVersionsSayTheSame(cell: String) throws {
        let registry = Registry.builtIn
        let old = try registry.resolve(RunFolder(opening: Self.fixture("version1/\(cell)")).configuration())
        let new = try registry.resolve(RunConfiguration(file: Self.fixture("version2/\(cell).json")))
        #expect(old == new, "\(old.changes(to: new))")
        let again = try registry.resolve(RunConfiguration(json: Data(new.json()), path: "again"))
        #expect(again == new)
    }

    @Test func aRunIsOpenedInThreeLines() throws {
        let run = try Run(opening: Self.fixture("version1/urnn"), registry: .builtIn)
        let test = try run.evaluate(.test)
        let saved = try #require(try MetricsRecord.read(Self.fixture("version1/urnn")).last)
        #expect(saved.split == .test && test.meanLoss == saved.loss && test.accuracy == saved.accuracy)
    }
}

/// A folder that is removed after the test.
final class TemporaryFolder {
    let path: String
    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("urnn-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func file(_ name: String) -> String { path + "/" + name }
}
