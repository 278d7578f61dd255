import Foundation
import RecurrentCore

/// A line of `metrics.jsonl`: the metrics of one split after an epoch, or additional measurements after a batch.
public struct MetricsRecord: Sendable, Equatable {
    /// The number of updates made so far.
    public var step: Int
    /// The epoch, counted from 1.
    public var epoch: Int
    /// The split whose metrics these are; nil for measurements during an epoch.
    public var split: Split?
    /// The mean loss over the split's targets.
    public var loss: Double?
    /// The proportion of targets that were predicted correctly, in 0...1; nil for other metrics.
    public var accuracy: Double?
    /// The exponential of the loss, for word-level language models.
    public var perplexity: Double?
    /// The loss divided by ln 2, for character-level language models.
    public var bitsPerCharacter: Double?
    /// The duration of the epoch's training in seconds, without validation.
    public var seconds: Double?
    /// The number of training sequences per second.
    public var sequencesPerSecond: Double?
    /// The learning rate of the epoch's last update.
    public var learningRate: Double?
    /// Whether the validation loss was the lowest so far; nil for the training split, the final test, and measurements
    /// during an epoch.
    public var isBest: Bool?
    /// The additional measurements by name, such as `frobeniusNorm`.
    public var measured: [String: Double] = [:]

    /// The accuracy, perplexity or bits per character; the loss if there are none of these.
    public var metric: Double? { figure?.value ?? loss }

    /// The metric besides the loss, and its kind; nil if there is none.
    package var figure: (kind: DatasetDescription.Metric, value: Double)? {
        accuracy.map { (.accuracy, $0) } ?? perplexity.map { (.perplexity, $0) }
            ?? bitsPerCharacter.map { (.bitsPerCharacter, $0) }
    }

    /// Creates a record of measurements during an epoch.
    ///
    /// - Parameters:
    ///   - step: the number of updates made so far.
    ///   - epoch: the epoch, counted from 1.
    ///   - measured: the measurements by name.
    init(step: Int, epoch: Int, measured: [String: Double] = [:]) {
        self.step = step
        self.epoch = epoch
        self.measured = measured
    }

    /// Creates a record of the metrics of a split.
    init(_ split: Split, _ sums: LossSums, _ metric: DatasetDescription.Metric, epoch: Int, step: Int) {
        self.init(step: step, epoch: epoch)
        self.split = split
        loss = sums.meanLoss
        switch metric {
        case .accuracy: accuracy = sums.accuracy
        case .perplexity: perplexity = sums.perplexity
        case .bitsPerCharacter: bitsPerCharacter = metric.value(of: sums)
        case .squaredError, .loss: break
        }
    }

    /// Returns all records of a run; none if it has no metrics. An unfinished last line is ignored.
    ///
    /// - Parameter folder: the folder of the run.
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if a line isn't a valid record, and
    ///   ``RecurrentCore/RecurrentError/file(path:reason:)`` if the file can't be read.
    public static func read(_ folder: String) throws -> [MetricsRecord] {
        let path = folder + "/metrics.jsonl"
        let text = String(decoding: try FileReader.contents(ifThere: path) ?? [], as: UTF8.self)
        return try text.split(separator: "\n").dropLast(text.hasSuffix("\n") || text.isEmpty ? 0 : 1).enumerated().map {
            number, line in
            do { return try decoder.decode(MetricsRecord.self, from: Data(line.utf8)) } catch {
                throw RecurrentError.checkpoint(path: path, reason: "line \(number + 1) isn't a record of metrics")
            }
        }
    }

    /// Returns the last records of a run, which may still be training, without reading the whole file.
    ///
    /// - Parameter folder: the folder of the run.
    public static func last(_ folder: String) -> [MetricsRecord] {
        guard let file = FileHandle(forReadingAtPath: folder + "/metrics.jsonl"), let size = try? file.seekToEnd(),
            (try? file.seek(toOffset: size - min(size, 4096))) != nil, let end = try? file.readToEnd()
        else { return [] }
        // The first of these lines may be cut off, and the last may not be written completely.
        return String(decoding: end, as: UTF8.self).split(separator: "\n").compactMap {
            try? decoder.decode(MetricsRecord.self, from: Data($0.utf8))
        }
    }

    /// Returns the record as a line of the file, with its newline character.
    func line() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .infinityAsText
        return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return decoder
    }
}

extension MetricsRecord: Codable {
    private static let known: Set = [
        "step", "epoch", "split", "loss", "accuracy", "perplexity", "bitsPerCharacter", "seconds", "sequencesPerSecond",
        "learningRate",
        "isBest",
    ]

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: ConfigurationKey.self)
        func number(_ name: String) throws -> Double? {
            try container.decodeIfPresent(Double.self, forKey: ConfigurationKey(name))
        }
        func integer(_ name: String) throws -> Int {
            try container.decodeIfPresent(Int.self, forKey: ConfigurationKey(name)) ?? 0
        }
        self.init(step: try integer("step"), epoch: try integer("epoch"))
        split = try container.decodeIfPresent(Split.self, forKey: ConfigurationKey("split"))
        loss = try number("loss")
        accuracy = try number("accuracy")
        perplexity = try number("perplexity")
        bitsPerCharacter = try number("bitsPerCharacter")
        seconds = try number("seconds")
        sequencesPerSecond = try number("sequencesPerSecond")
        learningRate = try number("learningRate")
        isBest = try container.decodeIfPresent(Bool.self, forKey: ConfigurationKey("isBest"))
        for key in container.allKeys where !Self.known.contains(key.stringValue) {
            measured[key.stringValue] = try? container.decode(Double.self, forKey: key)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: ConfigurationKey.self)
        func key(_ name: String) -> ConfigurationKey { ConfigurationKey(name) }
        try container.encode(step, forKey: key("step"))
        try container.encode(epoch, forKey: key("epoch"))
        try container.encodeIfPresent(split, forKey: key("split"))
        for (name, value) in [
            ("loss", loss), ("accuracy", accuracy), ("perplexity", perplexity), ("bitsPerCharacter", bitsPerCharacter),
            ("seconds", seconds), ("sequencesPerSecond", sequencesPerSecond), ("learningRate", learningRate),
        ] { try container.encodeIfPresent(value, forKey: key(name)) }
        try container.encodeIfPresent(isBest, forKey: key("isBest"))
        for (name, value) in measured { try container.encode(value, forKey: key(name)) }
    }
}
