import Foundation
import Testing

/// `cli gradients` and `train --track-gradients`, as a user runs them.
struct GradientsTests {
    static func points(_ line: String) throws -> [[String: Any]] {
        let tool = try Tool(line + " --json")
        try #require(tool.status == 0, "\(tool.errors)")
        return try #require(try JSONSerialization.jsonObject(with: Data(tool.output.utf8)) as? [[String: Any]])
    }

    @Test func absoluteValueIsConstant() throws {
        let points = try Self.points("gradients --activation abs --hidden-size 100 --length 30")
        #expect(points.map { $0["step"] as? Int } == Array(1...30))
        for point in points {
            for key in ["frobeniusNormMinimum", "frobeniusNormMaximum", "frobeniusNorm", "lowerBound", "upperBound"] {
                #expect(abs(try #require(point[key] as? Double) / 10 - 1) < 1e-5)
            }
            #expect(abs(try #require(point["operatorNorm"] as? Double) - 1) < 1e-4)
        }
    }

    @Test func boundsAreThoseOfTheActivation() throws {
        let points = try Self.points("gradients --activation leaky-relu --slope 0.5 --hidden-size 16 --length 12 --from 3 --to 7")
        #expect(points.map { $0["step"] as? Int } == [3, 4, 5, 6, 7])
        #expect(points.map { $0["lowerBound"] as? Double } == (0...4).map { 4 * pow(0.5, Double($0)) })
        #expect(points.allSatisfy { $0["upperBound"] as? Double == 4 })
        #expect(try Self.points("gradients --cell gru --hidden-size 4 --length 3").allSatisfy { $0["lowerBound"] == nil })
    }

    @Test func aRunIsTrackedAndMeasuredAfterwards() throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run"), plain = folder.file("plain")
        let options = "train --activation abs --length 8 --hidden-size 9 --train-size 300 --batch-size 50 --epochs 2 --quiet --output"
        try #require(try Tool("\(options) \(plain)").status == 0)
        let tracked = try Tool("\(options) \(run) --track-gradients 4 --tensorboard")
        try #require(tracked.status == 0, "\(tracked.errors)")
        let lines = try metrics(run), measured = lines.filter { $0["frobeniusNorm"] != nil }
        #expect(measured.map { $0["step"] as? Int } == [4, 8, 12])
        for line in measured {
            #expect(abs(try #require(line["frobeniusNorm"] as? Double) - 3) < 1e-4)
            #expect(line["lowerBound"] as? Double == 3 && line["upperBound"] as? Double == 3)
        }
        // Tracking changes nothing else.
        #expect(lines.count - 3 == (try metrics(plain)).count)
        let weights = try [run, plain].map { try Data(contentsOf: URL(fileURLWithPath: $0 + "/model.safetensors")) }
        #expect(weights[0] == weights[1])

        let svg = folder.file("norms.svg")
        let text = try Tool("gradients \(run) --samples 2 --plot \(svg)")
        try #require(text.status == 0, "\(text.errors)")
        #expect(text.output.contains("lower bound") && text.output.contains("constant"))
        #expect(try String(contentsOfFile: svg, encoding: .utf8).contains("<svg"))
    }

    @Test(arguments: [
        ("gradients --from 0", 2), ("gradients --from 9 --to 4", 2), ("gradients --length 5 --to 6", 2), ("gradients --samples 0", 2),
        ("gradients --layer 1", 2), ("gradients --split all", 2), ("gradients /nowhere", 1), ("gradients --cell lstm", 2),
        ("train --track-gradients 5", 2), ("train --track-gradients 0 --output x", 2),
    ])
    func whatIsWrongIsSaidInOneLine(line: String, status: Int32) throws {
        let tool = try Tool(line)
        #expect(tool.status == status)
        #expect(tool.errors.hasPrefix("error: ") && tool.errors.split(separator: "\n").count == 1, "\(tool.errors)")
        #expect(tool.output.isEmpty)
    }
}
