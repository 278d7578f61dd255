import Foundation
import RecurrentCore

/// A finished run, read from its folder.
public struct RunRecord: Sendable {
    /// Metrics of one epoch and split.
    public struct Line: Sendable {
        public let epoch: Int
        public let step: Int
        public let loss: Double
        /// Accuracy in 0...1, perplexity, bits per character; the loss where there is none of them.
        public let metric: Double
    }
    /// `‖∂x_T/∂x_1‖_F` at a step of training.
    public struct Norm: Sendable {
        public let epoch: Int
        public let step: Int
        public let mean: Double
        public let minimum: Double
        public let maximum: Double
        public let bounds: ClosedRange<Double>?
    }
    /// What the runner writes when a run has ended.
    public struct Completion: Codable, Sendable {
        public var command: [String]
        public var status: Int32
        public var message: String
        /// Of the run; of its training alone, if it was resumed.
        public var seconds: Double
        public var machine: String
        public var date: String
        /// ``Corpus/recorded``, of a language model.
        public var corpus: String?
    }

    public let experiment: Experiment
    public let seed: UInt64
    /// The run's folder.
    public let folder: String
    public let completion: Completion
    public private(set) var train: [Line] = []
    public private(set) var valid: [Line] = []
    /// Of the best weights.
    public private(set) var test: Line?
    /// After each epoch, where the run was told to.
    public private(set) var tests: [Line] = []
    public private(set) var norms: [Norm] = []

    public static let completionFile = "reproduction.json"

    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if the folder is damaged.
    init(_ experiment: Experiment, seed: UInt64, folder: String) throws {
        (self.experiment, self.seed, self.folder) = (experiment, seed, folder)
        let file = folder + "/" + Self.completionFile
        guard let data = FileManager.default.contents(atPath: file),
            let completion = try? JSONDecoder().decode(Completion.self, from: data)
        else { throw RecurrentError.checkpoint(path: file, reason: "isn't readable; remove the run's folder to run it again") }
        self.completion = completion
        for object in try Self.metrics(folder) { add(object) }
    }

    private static func metrics(_ folder: String) throws -> [[String: Any]] {
        let path = folder + "/metrics.jsonl"
        let text = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        // What a run that was killed didn't write to its end is none.
        return try text.split(separator: "\n").dropLast(text.hasSuffix("\n") || text.isEmpty ? 0 : 1).map { line in
            guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
                throw RecurrentError.checkpoint(path: path, reason: "has a line that is no JSON object; remove the run's folder to run it again")
            }
            return object
        }
    }

    /// Of all epochs in a run's metrics, without validation.
    static func trainSeconds(_ folder: String) throws -> Double {
        try metrics(folder).reduce(0) { $0 + (($1["seconds"] as? NSNumber)?.doubleValue ?? 0) }
    }

    /// How many have ended.
    static func epochs(_ folder: String) throws -> Int {
        try metrics(folder).filter { $0["split"] as? String == "valid" }.compactMap { ($0["epoch"] as? NSNumber)?.intValue }.max() ?? 0
    }

    private mutating func add(_ object: [String: Any]) {
        func number(_ key: String) -> Double? {
            (object[key] as? NSNumber)?.doubleValue ?? (object[key] as? String).flatMap(Double.init)
        }
        let step = Int(number("step") ?? 0), epoch = Int(number("epoch") ?? 0)
        if let mean = number("frobeniusNorm") {
            let bounds = number("lowerBound").flatMap { low in number("upperBound").map { low...max(low, $0) } }
            norms.append(
                Norm(
                    epoch: epoch, step: step, mean: mean, minimum: number("frobeniusNormMinimum") ?? mean,
                    maximum: number("frobeniusNormMaximum") ?? mean, bounds: bounds))
        }
        guard let split = object["split"] as? String, let loss = number("loss") else { return }
        let line = Line(
            epoch: epoch, step: step, loss: loss,
            metric: number("accuracy") ?? number("perplexity") ?? number("bitsPerCharacter") ?? loss)
        switch split {
        case "train": train.append(line)
        case "valid": valid.append(line)
        // An epoch's says whether it was the best so far; the one of the end doesn't.
        default: if object["isBest"] != nil { tests.append(line) } else { test = line }
        }
    }

    /// The validation of the epoch whose weights were tested.
    var bestValid: Line? { valid.min { $0.loss < $1.loss } }

    var hasDiverged: Bool { completion.status != 0 }

    /// Whether there is no more to train: as many epochs as asked for, or the run ended by itself.
    public var isComplete: Bool {
        guard let asked = Experiment.epochs(completion.command), let wanted = experiment.epochs else { return true }
        let done = valid.last?.epoch ?? 0
        return hasDiverged || done >= wanted || done < asked
    }
}

extension [RunRecord] {
    /// Of the runs that didn't diverge; the others have no result to average.
    var epochs: String { Format.mean(filter { !$0.hasDiverged }.map { Double($0.valid.count) }, digits: 0) }
    /// How many results a row has: `3`, or `2 of 3, 1 diverged`.
    var seeds: String {
        let diverged = count(where: \.hasDiverged)
        return diverged == 0 ? "\(count)" : "\(count - diverged) of \(count), \(diverged) diverged"
    }
}
