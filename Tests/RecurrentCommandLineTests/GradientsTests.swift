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
        let points = try Self.points(
            "gradients --activation leaky-relu --slope 0.5 --hidden-size 16 --length 12 --from 3 --to 7")
        #expect(points.map { $0["step"] as? Int } == [3, 4, 5, 6, 7])
        #expect(points.map { $0["lowerBound"] as? Double } == (0...4).map { 4 * pow(0.5, Double($0)) })
        #expect(points.allSatisfy { $0["upperBound"] as? Double == 4 })
        #expect(
            try Self.points("gradients --cell gru --hidden-size 4 --length 3").allSatisfy {
                $0["lowerBound"] is NSNull && $0["upperBound"] is NSNull
            })
    }

    @Test(arguments: [0.2, 0.5, 0.8]) func zoneoutHasBoundsOfItsOwn(rate: Double) throws {
        let line = "gradients --activation abs --skew-init henaff --hidden-size 30 --length 6 --zoneout \(rate)"
        let last = try #require(try Self.points(line).last), root = 30.0.squareRoot()
        for key in ["frobeniusNormMinimum", "frobeniusNormMaximum"] {
            let norm = try #require(last[key] as? Double)
            #expect(
                norm >= (last["lowerBound"] as? Double ?? .nan) - 1e-4
                    && norm <= (last["upperBound"] as? Double ?? .nan) + 1e-4)
        }
        #expect(abs(try #require(last["lowerBound"] as? Double) - root * pow(abs(1 - 2 * rate), 5)) < 1e-9)
        #expect(abs(try #require(last["upperBound"] as? Double) - root) < 1e-9)
        #expect(try Tool(line).output.contains("each mean step with zoneout \(rate)"))
    }

    /// A new uRNN with W = I, and a run that has moved away from it.
    @Test func anglesArePrintedDrawnAndWritten() throws {
        let folder = try TemporaryFolder()
        let svg = folder.file("angles.svg"), json = folder.file("angles.json"), run = folder.file("run")
        try #require(
            try Tool(
                "train --cell ugru --layers 2 --length 5 --hidden-size 9 --train-size 200 --epochs 2 --quiet --output \(run)"
            ).status == 0)
        func weights(_ line: String) throws -> [(name: String, error: Double, angles: [Double])] {
            let tool = try Tool("gradients \(line) --plot-angles \(svg) --json-angles \(json)")
            try #require(tool.status == 0, "\(tool.errors)")
            #expect(tool.output.contains("angles of its eigenvalues") && tool.output.contains("█"))
            #expect(try String(contentsOfFile: svg, encoding: .utf8).contains("π/2"))
            let objects =
                try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: json))) as? [[String: Any]]
            return try #require(objects).map {
                (
                    try #require($0["name"] as? String), try #require($0["orthogonalityError"] as? Double),
                    try #require($0["angles"] as? [Double])
                )
            }
        }
        let fresh = try weights("--hidden-size 12 --length 3")
        #expect(fresh.map(\.name) == ["rnn.weight_hh_l0.W"] && fresh[0].angles == [Double](repeating: 0, count: 12))
        for layer in 0...1 {
            let trained = try weights("\(run) --layer \(layer)")
            #expect(trained.map(\.name) == ["rnn.weight_hh_l\(layer).W_n"])
            let angles = trained[0].angles
            #expect(trained[0].error < 1e-5 && angles.count == 9 && angles == angles.sorted() && angles[0] < -1e-4)
            // The eigenvalues are pairs exp(±iθ) and a single 1.
            for (a, b) in zip(angles, angles.reversed()) { #expect(abs(a + b) < 1e-5) }
        }
    }

    @Test func theBatchMayBeChosen() throws {
        let norms = try (1...2).map {
            try Self.points("gradients --length 9 --samples 2 --batch \($0)").last?["frobeniusNorm"] as? Double
        }
        #expect(norms[0] != nil && norms[0] != norms[1])
        #expect(try Self.points("gradients --length 9 --samples 2").last?["frobeniusNorm"] as? Double == norms[0])
    }

    @Test func whatDoesNothingIsRefused() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        try #require(
            try Tool("train --length 5 --hidden-size 9 --train-size 200 --epochs 1 --quiet --output \(run)").status == 0
        )
        for (line, says) in [
            ("\(run) --batch-size 7", "--samples"), ("\(run) --learning-rate 5", "nothing is trained"),
            ("\(run) --epochs 3", "nothing is trained"),
            ("\(run) --dropout 0.5", "without dropout"), ("\(run) --hidden-size 5", "it is 9"),
            ("\(run) --cell gru", "it is urnn"),
            ("--batch-size 7", "--samples"), ("--learning-rate 5", "nothing is trained"),
            ("--weight-dropout 0.5", "without dropout"),
        ] {
            let tool = try Tool("gradients \(line)")
            #expect(
                tool.status == 2 && tool.errors.contains(says) && !tool.errors.contains("resumed"), "\(tool.errors)")
            #expect(tool.errors.split(separator: "\n").count == 1 && tool.output.isEmpty)
        }
        #expect(try Tool("gradients \(run) --backend reference").status == 0)
    }

    @Test func aRunIsTrackedAndMeasuredAfterwards() throws {
        let folder = try TemporaryFolder()
        let run = folder.file("run"), plain = folder.file("plain")
        let options =
            "train --activation abs --length 8 --hidden-size 9 --train-size 300 --batch-size 50 --epochs 2 --quiet --output"
        try #require(try Tool("\(options) \(plain)").status == 0)
        let tracked = try Tool("\(options) \(run) --track-gradients 4 --tensorboard")
        try #require(tracked.status == 0, "\(tracked.errors)")
        let lines = try metrics(run), measured = lines.filter { $0["frobeniusNorm"] != nil }
        #expect(measured.map { $0["step"] as? Int } == [4, 8, 12])
        #expect(measured.map { $0["epoch"] as? Int } == [1, 2, 2] && measured.allSatisfy { $0["split"] == nil })
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
        ("gradients --from -1", 2), ("gradients --to -1", 2), ("gradients --samples -1", 2),
        ("gradients --layer -1", 2),
        ("gradients --batch 0", 2), ("gradients --batch 126", 2), ("gradients --cell rnn --plot-angles x.svg", 2),
        ("gradients --cell gru --json-angles x.json", 2), ("train --track-gradients -1 --output x", 2),
        ("gradients --from 0", 2), ("gradients --from 9 --to 4", 2), ("gradients --length 5 --to 6", 2),
        ("gradients --samples 0", 2), ("gradients --samples 51 --valid-size 50", 2),
        ("gradients --plot x.svg --plot-angles ./x.svg", 2), ("gradients --plot-angles x --json-angles x", 2),
        ("gradients --layer 1", 2), ("gradients --split all", 2), ("gradients /nowhere", 1),
        ("gradients --cell qrnn", 2),
        ("train --track-epochs 0,1 --output x", 2), ("train --track-epochs 1,,2 --output x", 2),
        ("train --track-epochs 5", 2),
        ("train --track-gradients 5", 2), ("train --track-gradients often --output x", 2),
    ])
    func whatIsWrongIsSaidInOneLine(line: String, status: Int32) throws {
        let tool = try Tool(line)
        #expect(tool.status == status)
        #expect(tool.errors.hasPrefix("error: ") && tool.errors.split(separator: "\n").count == 1, "\(tool.errors)")
        #expect(tool.output.isEmpty)
    }
}
