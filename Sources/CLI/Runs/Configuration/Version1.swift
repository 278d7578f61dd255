import RecurrentCore

/// The first version of `config.json`: one flat object with every option of every plug-in, most of which did nothing in
/// a given run.
struct Version1 {
    let configuration: RunConfiguration

    /// The options of the plug-ins in that version, by kind and name.
    private static let owned: [PluginKind: [String: [String]]] = [
        .cell: ["gru": ["resetGate"], "ugru": ["resetGate"]],
        .activation: ["leaky-relu": ["slope"]],
        .dataset: [
            "recall": generated + ["symbols"], "kth-largest": generated + ["k"], "copying": generated,
            "adding": generated,
            "digits": ["data", "classes"], "permuted-digits": ["data", "classes", "permutationSeed"],
            "ptb": ["data", "bptt"], "ptb-char": ["data", "bptt"],
        ],
        .optimizer: [
            "sgd": ["momentum", "nesterov", "weightDecay"], "rmsprop": ["weightDecay"], "adam": ["weightDecay"],
            "adamw": ["weightDecay"],
        ],
        .schedule: [
            "step": ["scheduleEpochs", "scheduleFactor", "minimumLearningRate"],
            "plateau": ["schedulePatience", "scheduleFactor", "minimumLearningRate"], "cosine": ["minimumLearningRate"],
        ],
        .backend: ["cpu": ["threads"], "cuda": ["device", "precision"]],
    ]
    private static let generated = ["length", "trainSize", "validSize", "testSize", "freshData"]

    /// The values of options that a file may lack, where they differ from today's defaults.
    private static let standard: [String: OptionValue] = [
        "dropout": 0.2, "dropoutOn": ["logits"], "length": 100, "freshData": false, "bptt": 35,
    ]

    /// The keys that a file of that version may have.
    private static let keys: Set<String> = Set(
        ["version", "from"] + PluginKind.allCases.map(\.rawValue) + SectionAccess.all.flatMap(\.options).map(\.name)
            + owned.values.flatMap { $0.values.joined() })

    /// Decodes a file of that version.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for an unknown key, or a value that has the wrong type or is out of range.
    init(from decoder: any Decoder) throws {
        let given = try [String: OptionValue](from: decoder)
        if let stranger = given.keys.filter({ !Self.keys.contains($0) }).min() {
            throw RecurrentError.invalidOption(
                "has an unknown option \"\(stranger.excerpt)\"" + Suggestion.text(stranger, in: Self.keys))
        }
        let flat = Self.standard.merging(given) { $1 }
        func text(_ name: String, _ standard: String) throws -> String {
            switch flat[name] {
            case nil, .null: return standard
            case .text(let value)?: return value
            case .some: throw RecurrentError.invalidOption("`\(name)` must be a name, not \(flat[name]!.described)")
            }
        }
        var result = RunConfiguration()
        result.general = try Self.section(flat)
        result.model = try Self.section(Self.renamed(flat))
        result.training = try Self.section(flat)
        result.tracking = try Self.section(flat)
        for kind in PluginKind.allCases where kind != .activation && kind != .manifold {
            let name = try text(kind.rawValue, kind.standardName!)
            result[kind] = PluginChoice(name, Self.values(flat, of: kind, name))
        }
        if flat["activation"] ?? .null != .null {
            let name = try text("activation", "")
            result.activation = PluginChoice(name, Self.values(flat, of: .activation, name))
        }
        let manifold = try text("manifold", "exponential")
        result.manifold =
            manifold == "exponential-eigen"
            ? PluginChoice("exponential", ["exponentialMethod": "eigendecomposition"]) : PluginChoice(manifold)
        if result.dataset.name == "permuted-digits", result.dataset["permutationSeed"] == nil {
            // The permutation used to have no separate seed.
            result.dataset["permutationSeed"] = OptionValue(seed: result.seed)
        }
        if case .text(let from)? = flat["from"] { result.from = from }
        configuration = result
    }

    private static func values(_ flat: [String: OptionValue], of kind: PluginKind, _ name: String) -> [String:
        OptionValue]
    {
        let names = owned[kind]?[name] ?? []
        return flat.filter { names.contains($0.key) && $0.value != .null }
    }

    /// Returns a section with the values that the file has for its options.
    private static func section<Section: OptionSection>(_ flat: [String: OptionValue]) throws -> Section {
        let names = Set(Section.options.map(\.name))
        return try Section(optionValues: flat.filter { names.contains($0.key) && $0.value != .null })
    }

    /// Replaces a value that has since been renamed.
    private static func renamed(_ flat: [String: OptionValue]) -> [String: OptionValue] {
        flat.merging(flat["tableInit"] == "languageModel" ? ["tableInit": "language-model"] : [:]) { $1 }
    }
}
