import BuiltInPlugins
import Foundation
import RecurrentCore
import RecurrentRuns
import Testing

/// Files of a run with numbers that a program never writes.
struct DamagedRunTests {
    /// Each was a trap of Swift's arithmetic.
    @Test(
        arguments: [
            ("step", "9223372036854775807"), ("step", "-1"), ("epoch", "9223372036854775807"),
            ("batches", "9223372036854775807"), ("sequences", "9223372036854775807"), ("count", "9223372036854775807"),
        ])
    func aStateOfImpossibleProgressIsRefused(key: String, number: String) throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        let fixture = try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures/version1/urnn").path
        try FileManager.default.copyItem(atPath: fixture, toPath: run)
        let path = run + "/state.safetensors"
        let state = try SafeTensors(path: path)
        // A file without a checksum passes, as after somebody has edited it.
        var metadata = state.metadata
        metadata["crc32c"] = nil
        metadata["progress"] = try #require(metadata["progress"]).replacing(
            try Regex("\"\(key)\":[0-9]+"), with: "\"\(key)\":\(number)")
        if key == "step" { metadata["step"] = number }
        #expect(metadata["progress"] != state.metadata["progress"] || metadata["step"] != state.metadata["step"])
        var writer = SafeTensorsWriter(metadata: metadata)
        for tensor in state.tensors { writer.add(tensor.name, shape: tensor.shape, try state.floats(tensor.name)) }
        try writer.write(to: path)
        do {
            _ = try Run.resume(run, registry: .builtIn)
            Issue.record("\(key) \(number) was taken")
        } catch RecurrentError.checkpoint(_, let reason) {
            #expect(reason.hasPrefix("doesn't record the progress of its run"))
        }
    }

    @Test(arguments: ["1e300", "\"NaN\"", "1.5"]) func aStepOfTheMetricsThatIsNoWholeNumberIsRefused(step: String)
        throws
    {
        let folder = try TemporaryFolder()
        try AtomicFile.write("{\"epoch\":1,\"step\":\(step)}\n", to: folder.file("metrics.jsonl"))
        #expect(
            throws: RecurrentError.checkpoint(
                path: folder.file("metrics.jsonl"), reason: "line 1 isn't a record of metrics")
        ) { try MetricsRecord.read(folder.path) }
        #expect(MetricsRecord.last(folder.path).isEmpty)
    }
}
