import Foundation
import Testing

/// What `train --track-gradients` and `--tensorboard` become when a run is resumed.
struct TrackingTests {
    private func steps(measuredIn run: String) throws -> [Int?] {
        try metrics(run).filter { $0["frobeniusNorm"] != nil }.map { $0["step"] as? Int }
    }

    @Test func aResumedRunIsTrackedAsItBegan() throws {
        let folder = try TemporaryFolder(), run = folder.file("run"), plain = folder.file("plain")
        let options = "train --length 5 --hidden-size 6 --train-size 300 --batch-size 50 --epochs 1 --stop-loss 1e-9 --quiet --output"
        try #require(try Tool("\(options) \(run) --track-gradients 4 --tensorboard").status == 0)
        func resume(_ run: String, _ more: String) throws -> [Int?] {
            let tool = try Tool("train --quiet --resume \(run) \(more)")
            try #require(tool.status == 0, "\(tool.errors)")
            return try steps(measuredIn: run)
        }
        func events() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: run).filter { $0.contains("tfevents") }.count }
        #expect(try resume(run, "--epochs 2") == [4, 8, 12])
        #expect(try events() == 2)
        #expect(try resume(run, "--epochs 3 --track-gradients 5 --no-tensorboard") == [4, 8, 12, 15])
        #expect(try resume(run, "--epochs 4") == [4, 8, 12, 15, 20])
        #expect(try resume(run, "--epochs 5 --track-gradients 0") == [4, 8, 12, 15, 20])
        #expect(try resume(run, "--epochs 6") == [4, 8, 12, 15, 20])
        #expect(try events() == 2)

        // As folders were written before these options were kept: no key, and the command names it.
        try #require(try Tool("\(options) \(plain)").status == 0)
        let file = URL(fileURLWithPath: plain + "/config.json")
        var object = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        object["tensorboard"] = nil
        object["trackGradients"] = nil
        try JSONSerialization.data(withJSONObject: object).write(to: file)
        #expect(try resume(plain, "--epochs 2") == [])
        #expect(try resume(plain, "--epochs 3 --track-gradients 6") == [18])
    }
}
