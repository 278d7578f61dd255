import BuiltInPlugins
import Foundation
import RecurrentCore
import RecurrentReproduction
import RecurrentRuns

let optionWords = [
    "recall", "ptb", "digits", "urnn", "gru", "adam", "sgd", "cosine", "exponential", "cayley", "modrelu", "reference",
    "output", "embedding,output", "henaff",
]

/// The configuration of a run.
struct ConfigurationReader: FuzzedReader {
    static let name = "config"
    static let words =
        optionWords + [
            "\"version\":1", "\"cell\":{", "\"name\":", "\"activation\":", "\"training\":{", "\"epochs\":", "\"seed\":",
            "\"start\":{", "\"dropout\":", "\"dropoutOn\":[", "\"stopLoss\":", "\"manifold\":{",
        ]
    private let registry = Registry.builtIn
    init(_ folder: ScratchFolder) {}

    var seeds: [[UInt8]] {
        get throws {
            let given = try FlagParser(registry: registry).configuration([
                "--dataset", "copying", "--cell", "gru", "--layers", "2", "--dropout", "0.1", "--dropout-on", "output",
            ])
            return try [given, registry.resolve(registry.standard(), locatesData: false)].map { try $0.json() } + [
                Array(#"{"version":2,"cell":{"name":"urnn","activation":{"name":"modrelu"}},"seed":3}"#.utf8),
                Array(#"{"version":2,"manifold":{"start":{"name":"henaff"}},"training":{"clipNorm":null}}"#.utf8),
                Array(#"{"version":1,"cell":"gru","dataset":"ptb","data":"/x","epochs":3,"dropout":0.5}"#.utf8),
                Array(#"{"version":1,"cell":"urnn","manifold":"exponential-eigen","tableInit":"languageModel"}"#.utf8),
            ]
        }
    }

    func read(_ input: [UInt8]) throws {
        let read = try RunConfiguration(json: Data(input), path: "input", registry: registry)
        try require(try RunConfiguration(json: Data(read.json()), path: "output") == read, "what was read changed")
        let resolved = try registry.resolve(read, locatesData: false)
        let again = try registry.resolve(
            RunConfiguration(json: Data(resolved.json()), path: "output"), locatesData: false)
        try require(again == resolved, "the resolved configuration changed: \(resolved.changes(to: again))")
        try require(try registry.resolve(resolved, locatesData: false) == resolved, "it isn't resolved at once")
        try checkParts(resolved, registry)
    }
}

/// Creates all parts of a run that need neither data nor much memory.
func checkParts(_ configuration: RunConfiguration, _ registry: Registry) throws {
    let cell = try registry.makeCell(configuration)
    _ = try registry.makeOptimizer(configuration)
    _ = try registry.makeSchedule(configuration)
    if cell.hasOrthogonalWeight {
        _ = try registry.makeManifold(configuration)
        _ = try registry.makeSkewInitialization(configuration)
    }
}

/// An axis of a search.
struct AxisReader: FuzzedReader {
    static let name = "axis"
    static let words = ["..", ",", "|", "=", "learning-rate", "lr", "tied", "1e-3", "-1", "inf", "nan", "0x1p9", "_"]
    init(_ folder: ScratchFolder) {}

    var seeds: [[UInt8]] {
        ["learning-rate=0.001,0.003", "lr=1e-4..1e-2", "dropout-on=embedding,output|logits", "hidden_size=4..1000"]
            .map { Array($0.utf8) }
    }

    func read(_ input: [UInt8]) throws {
        let axis = try SearchAxis(text: String(decoding: input, as: UTF8.self))
        let search = try SettingsSearch(axes: [axis], trials: 3) { _ in RunConfiguration() }
        for point in search.points {
            try require(point.count == 1 && !point[0].isEmpty, "an axis draws \(point)")
            guard axis.values.isEmpty else { continue }
            try require(Double(point[0])?.isFinite == true, "a range draws \(point[0])")
        }
    }
}

/// The metrics of a run.
struct MetricsReader: FuzzedReader {
    static let name = "metrics"
    static let words = [
        "\"step\":", "\"epoch\":", "\"split\":\"valid\"", "\"loss\":\"NaN\"", "\"isBest\":true", "\"accuracy\":",
        "\"frobeniusNorm\":", "\"Infinity\"", "}\n{", "1e300",
    ]
    private let folder: ScratchFolder
    init(_ folder: ScratchFolder) { self.folder = folder }

    var seeds: [[UInt8]] {
        [
            """
            {"accuracy":0.5,"epoch":1,"learningRate":0.001,"loss":0.7,"seconds":1.5,"split":"train","step":3}
            {"accuracy":0.5,"epoch":1,"isBest":true,"loss":"Infinity","split":"valid","step":3}

            """, "{\"epoch\":2,\"frobeniusNorm\":1.25,\"step\":40,\"theirs\":\"NaN\"}\n",
        ].map { Array($0.utf8) }
    }

    func read(_ input: [UInt8]) throws {
        try folder.write(input, to: "metrics.jsonl")
        _ = MetricsRecord.last(folder.path)
        let first = try lines(MetricsRecord.read(folder.path))
        try folder.write(first, to: "metrics.jsonl")
        try require(try lines(MetricsRecord.read(folder.path)) == first, "the records changed")
    }

    private func lines(_ records: [MetricsRecord]) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .infinityAsText
        return try records.flatMap { try Array(encoder.encode($0)) + [UInt8(ascii: "\n")] }
    }
}

/// How a run ended.
struct EndReader: FuzzedReader {
    static let name = "end"
    static let words = ["\"reason\":", "\"step\":", "\"epochs\":", "diverged", "patience"]
    private let folder: ScratchFolder
    init(_ folder: ScratchFolder) { self.folder = folder }

    var seeds: [[UInt8]] {
        [
            #"{"epochs":4,"reason":"epochs","seconds":1.5}"#,
            #"{"epochs":4,"reason":"diverged","seconds":1.5,"step":70}"#,
        ].map { Array($0.utf8) }
    }

    func read(_ input: [UInt8]) throws {
        try folder.write(input, to: "end.json")
        guard let end = try RunEnd(in: folder.path) else { throw Finding(description: "the file isn't seen") }
        try folder.write(Array(try JSONEncoder().encode(end)), to: "end.json")
        try require(try RunEnd(in: folder.path) == end, "the end changed")
    }
}
