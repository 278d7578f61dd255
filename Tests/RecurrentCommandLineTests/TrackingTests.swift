import Foundation
import Testing

/// The effect of `train --track-gradients` and `--tensorboard` on a run that is resumed.
struct TrackingTests {
    private func steps(measuredIn run: String) throws -> [Int?] {
        try metrics(run).filter { $0["frobeniusNorm"] != nil }.map { $0["step"] as? Int }
    }

    @Test func aResumedRunIsTrackedAsItBegan() throws {
        let folder = try TemporaryFolder(), run = folder.file("run"), plain = folder.file("plain")
        let options =
            "train --length 5 --hidden-size 6 --train-size 300 --batch-size 50 --epochs 1 --stop-loss 1e-9 --quiet --output"
        try #require(try Tool("\(options) \(run) --track-gradients 4 --tensorboard").status == 0)
        func resume(_ run: String, _ more: String) throws -> [Int?] {
            let tool = try Tool("train --quiet --resume \(run) \(more)")
            try #require(tool.status == 0, "\(tool.errors)")
            return try steps(measuredIn: run)
        }
        func events() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: run).filter { $0.contains("tfevents") }.count
        }
        #expect(try resume(run, "--epochs 2") == [4, 8, 12])
        #expect(try events() == 2)
        #expect(try resume(run, "--epochs 3 --track-gradients 5 --no-tensorboard") == [4, 8, 12, 15])
        #expect(try resume(run, "--epochs 4") == [4, 8, 12, 15, 20])
        #expect(try resume(run, "--epochs 5 --track-gradients 0") == [4, 8, 12, 15, 20])
        #expect(try resume(run, "--epochs 6") == [4, 8, 12, 15, 20])
        #expect(try events() == 2)
        #expect(try resume(run, "--epochs 8 --track-epochs 7,9") == [4, 8, 12, 15, 20] + Array(37...42))
        let before = [4, 8, 12, 15, 20] + Array(37...42) + Array(49...54)
        #expect(try resume(run, "--epochs 9") == before)
        #expect(try resume(run, "--epochs 11 --track-epochs 10") == before + Array(55...60))
        #expect(try resume(run, "--epochs 12 --track-epochs none") == before + Array(55...60))

        // Folders written before these options were kept have no key, but the command contains the option.
        try #require(try Tool("\(options) \(plain)").status == 0)
        let file = URL(fileURLWithPath: plain + "/config.json")
        var object = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        object["tensorboard"] = nil
        object["trackGradients"] = nil
        try JSONSerialization.data(withJSONObject: object).write(to: file)
        #expect(try resume(plain, "--epochs 2") == [])
        #expect(try resume(plain, "--epochs 3 --track-gradients 6") == [18])
    }

    /// A model that has only learned to answer with blanks is right nearly everywhere, but
    /// has learned nothing about the symbols.
    @Test func theAccuracyOfCopyingIsThatOfTheSymbols() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        let train = try Tool(
            "train --dataset copying --length 60 --hidden-size 8 --train-size 500 --valid-size 50 --test-size 50 --batch-size 50 --epochs 5 --quiet --output \(run)"
        )
        try #require(train.status == 0, "\(train.errors)")
        let tool = try Tool("evaluate \(run) --json")
        let result = try #require(try JSONSerialization.jsonObject(with: Data(tool.output.utf8)) as? [String: Any])
        #expect(result["count"] as? Int == 50 * 80 && result["accuracyCount"] as? Int == 50 * 10)
        // Of 80 targets, 70 are blanks.
        #expect(try #require(result["accuracy"] as? Double) < 0.3)
        #expect(try Tool("evaluate \(run)").output.contains("4000 predictions, 500 of them count towards the accuracy"))
    }

    /// The test loss of each epoch's weights is recorded; that of the best epoch is the final one, and
    /// everything else is the same as without the option.
    @Test func theTestSplitIsFollowedWithoutBeingUsed() throws {
        let folder = try TemporaryFolder(), run = folder.file("run"), plain = folder.file("plain")
        let options =
            "train --length 5 --hidden-size 6 --train-size 300 --test-size 200 --batch-size 50 --stop-loss 1e-9 --epochs"
        let tool = try Tool("\(options) 2 --track-test --output \(run)")
        try #require(tool.status == 0, "\(tool.errors)")
        #expect(
            tool.output.split(separator: "\n").count { $0.contains("  epoch ") && $0.contains("  test accuracy ") } == 2
        )
        try #require(try Tool("train --quiet --resume \(run) --epochs 4").status == 0)
        try #require(try Tool("\(options) 4 --output \(plain)").status == 0)
        let lines = try metrics(run), tests = lines.filter { $0["split"] as? String == "test" }
        #expect(tests.map { $0["epoch"] as? Int }.prefix(4) == [1, 2, 3, 4] && tests.count == 5)
        let end = try #require(tests.last), best = try #require(tests.dropLast().last { $0["isBest"] as? Bool == true })
        #expect(
            end["isBest"] == nil && end["epoch"] as? Int == best["epoch"] as? Int
                && end["loss"] as? Double == best["loss"] as? Double)
        func others(_ lines: [[String: Any]]) -> [Double?] {
            lines.filter { $0["split"] as? String != "test" || $0["isBest"] == nil }.map { $0["loss"] as? Double }
        }
        #expect(others(lines) == others(try metrics(plain)))
    }
}
