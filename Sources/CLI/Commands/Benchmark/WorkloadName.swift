import RecurrentCore
import RecurrentRuns

/// The name of a workload: what is timed, then of which plug-in, then sizes, each a letter and a number.
///
/// It is `toy-CELL[-hH]-nN`, `lm-CELL[-ACTIVATION][-hH]-tT`, `evaluate-CELL-bN`, `generate-CELL`, `serve-CELL-bN`,
/// `exp-nN`, or `update-MANIFOLD[-complex]-nN`. Names of plug-ins may have hyphens.
enum WorkloadName: Equatable {
    /// A training step on N tokens of 10 kinds, by default with H = 50.
    case toy(cell: String, hidden: Int, steps: Int)
    /// A training step of a language model on T words, by default with H = 200.
    case languageModel(cell: String, activation: String?, hidden: Int, steps: Int)
    /// The loss of a language model on 35 words of each of several streams.
    case evaluate(cell: String, streams: Int)
    /// A token of a text.
    case generate(cell: String)
    /// The next tokens of several streams.
    case serve(cell: String, streams: Int)
    /// The exponential of a skew-symmetric matrix.
    case exponential(size: Int)
    /// What a training step does to a constrained weight [n, n].
    case update(manifold: String, field: WeightField, size: Int)

    static let forms =
        "toy-CELL-nN, toy-CELL-hH-nN, lm-CELL-tT, lm-CELL-ACTIVATION-tT, lm-CELL-hH-tT, evaluate-CELL-bN, generate-CELL, serve-CELL-bN, exp-nN, update-MANIFOLD-nN, update-MANIFOLD-complex-nN"

    /// Reads a name in lower-case letters.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` for any other text, naming the nearest workloads.
    init(_ name: String, _ registry: Registry) throws {
        var parts = name.split(separator: "-").map(String.init)
        /// Removes the last part, if it is a letter and a number up to `most`, and returns the number.
        func size(_ letter: Character, upTo most: Int) -> Int? {
            guard parts.count > 1, let last = parts.last, last.first == letter, let size = Int(last.dropFirst()),
                (1...most).contains(size)
            else { return nil }
            parts.removeLast()
            return size
        }
        let kind = parts.first ?? ""
        let count: Int? =
            switch kind {
            case "toy": size("n", upTo: 100_000)
            case "lm": size("t", upTo: 10_000)
            case "serve", "evaluate": size("b", upTo: 100_000)
            case "exp", "update": size("n", upTo: 20_000)
            default: nil
            }
        let hidden = ["toy", "lm"].contains(kind) ? size("h", upTo: 10_000) : nil
        let rest = parts.dropFirst().joined(separator: "-")
        if let found = Self.find(kind, count, hidden, rest, registry) {
            self = found
        } else {
            let all =
                Workload.defaultNames(registry) + Workload.languageModelNames(registry)
                + Workload.generationNames(registry) + Workload.evaluationNames + Workload.servingNames
                + Workload.updateNames(registry)
            let alike = all.filter { $0.hasPrefix(kind + "-") }
            let near = Suggestion.ranked(name, in: alike.isEmpty ? all : alike).prefix(3)
            throw RecurrentError.invalidOption(
                "unknown workload '\(name.excerpt)'; the nearest are \(near.joined(separator: ", ")); names have the forms \(Self.forms)"
            )
        }
    }

    private static func find(
        _ kind: String, _ count: Int?, _ hidden: Int?, _ rest: String, _ registry: Registry
    ) -> WorkloadName? {
        // A name that isn't registered is refused by its kind when the plug-in is made.
        switch (kind, count, rest.isEmpty) {
        case ("toy", let steps?, false): return .toy(cell: rest, hidden: hidden ?? 50, steps: steps)
        case ("lm", let steps?, false):
            let cell = registry.names(.cell).filter { rest == $0 || rest.hasPrefix($0 + "-") }.max {
                $0.count < $1.count
            }
            let activation = cell.map { String(rest.dropFirst($0.count + 1)) } ?? ""
            return .languageModel(
                cell: cell ?? rest, activation: activation.isEmpty ? nil : activation, hidden: hidden ?? 200,
                steps: steps)
        case ("generate", nil, false): return .generate(cell: rest)
        case ("evaluate", let streams?, false): return .evaluate(cell: rest, streams: streams)
        case ("serve", let streams?, false): return .serve(cell: rest, streams: streams)
        case ("exp", let size?, true): return .exponential(size: size)
        case ("update", let size?, false):
            let isComplex = rest.hasSuffix("-complex")
            return .update(
                manifold: isComplex ? String(rest.dropLast("-complex".count)) : rest,
                field: isComplex ? .complex : .real, size: size)
        default: return nil
        }
    }
}
