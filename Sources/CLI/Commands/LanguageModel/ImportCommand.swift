import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentRuns

struct ImportCommand: FlagCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make a run from a language model that PyTorch trained.",
        usage: "cli import <file> --output <folder> [options]",
        discussion: """
            Takes the state dict of an nn.Embedding (encoder), nn.RNN, nn.GRU or nn.LSTM (rnn) and nn.Linear (decoder), saved \
            as safetensors. Sizes come from the shapes. The run can be evaluated, generated from, and trained on with \
            `train --from`. An nn.RNN's state dict doesn't say what its activation is. An orthogonal cell takes \
            matrices that its manifold update can hold, such as a reflection with scaled-cayley.
            """)
    static let scope = FlagScope(
        kinds: [.cell, .activation, .dataset, .manifold, .backend],
        defaults: [.cell: "rnn, gru or lstm, as the file has", .activation: "none; an nn.RNN needs one"],
        needsVocabulary: true
    ) { _ in "does nothing in import, which takes the model as it is; leave it out" }

    static let standardDataset: String? = "ptb"

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var arguments: [String] = []
    @Option(help: "Write the run into this folder.")
    var output: String
    @Flag(help: "Replace a run that the output folder already holds.")
    var overwrite = false
    @Option(
        help:
            "File of the tokens, one per line in the order of their ids (default: those of the corpus, in order of appearance)."
    )
    var vocabulary: String?

    func run() throws {
        try RunFolder.check(output, overwrite: overwrite)
        let (flags, file) = try separated("a state dict, as safetensors.save_file wrote it")
        let weights = try StateDict(path: file)
        let registry = Registry.current
        var base = try registry.standard(dataset: Self.dataset(flags))
        base.cell = PluginChoice(weights.cell)
        base.model.tiesEmbedding = weights.isTied
        (base.model.embeddingSize, base.model.hiddenSize, base.model.layers) = (
            weights.embeddingSize, weights.hiddenSize, weights.layers
        )
        // The weights are given, so what says how weights begin does nothing.
        base.from = file
        let parsed = try Self.parser.parse(flags, onto: base, locatesData: false)
        if let idle = parsed.idle.first { throw RecurrentError.invalidOption(idle.reason) }
        var configuration = parsed.configuration
        configuration.from = nil
        guard registry.hasVocabulary(configuration.dataset.name) else {
            throw RecurrentError.invalidOption(
                "--dataset \(configuration.dataset.name) has no words; a language model needs a corpus: \(registry.names(.dataset).filter(registry.hasVocabulary).joined(separator: ", "))"
            )
        }

        let made = try registry.makeCell(configuration)
        let gates = made.parameters.count { $0.kind == .recurrentWeight && $0.shape == .full }
        guard gates == weights.gates else {
            throw RecurrentError.checkpoint(
                path: file,
                reason:
                    "has \(weights.gates == 1 ? "one gate" : "\(weights.gates) gates"), but the cell '\(made.name)' has \(gates)"
            )
        }
        guard weights.gates > 1 || parsed.given.contains("activation") else {
            throw RecurrentError.invalidOption(
                "\(file): an nn.RNN's weights don't say its nonlinearity; add --activation tanh (torch's default) or --activation relu"
            )
        }
        let model = try SequenceModel(
            cell: made, configuration: configuration.model, data: .languageModel(vocabulary: weights.vocabulary),
            on: try registry.makeBackend(configuration), seed: configuration.seed)
        try Self.restore(weights.values(for: model), into: model, configuration, path: file)
        let tokens = try tokens(
            count: weights.vocabulary, configuration, file: file, hasCorpus: parsed.given.contains("data"))

        _ = try RunFolder(creating: output, configuration, overwrite: overwrite) { folder in
            if let tokens { try folder.write(vocabulary: tokens) }
            try model.save(
                to: folder.file("model.safetensors"), metadata: RunFolder.metadata(vocabulary: tokens))
        }
        let layers = (weights.layers == 1 ? "" : ", \(weights.layers) layers") + (weights.isTied ? ", tied" : "")
        Terminal.print(
            "\(output): \(configuration.cell.name) (\(configuration.activation?.name ?? "its own activation")), E \(weights.embeddingSize) H \(weights.hiddenSize) V \(weights.vocabulary)\(layers)"
                + (tokens == nil ? "; no --vocabulary and no --data, so its words are unknown" : ""))
    }

    /// Puts weights into a model, if its manifold update can hold those that the cell keeps orthogonal.
    private static func restore(
        _ values: [Float], into model: SequenceModel, _ configuration: RunConfiguration, path: String
    ) throws {
        let registry = Registry.current, manifold = try registry.makeManifold(configuration)
        guard model.cell.hasOrthogonalWeight else { return model.restore(values) }
        let updater = try ParameterUpdater(
            model: model, optimizer: registry.makeOptimizer(configuration), manifold: manifold,
            skewInitialization: registry.makeSkewInitialization(configuration))
        model.restore(values)
        try model.checkStarts(of: manifold, path: path, registry)
        do { try updater.adoptWeights() } catch RecurrentError.linearAlgebra(let reason) {
            throw RecurrentError.checkpoint(path: path, reason: reason)
        }
        // What the update computes is rounded.
        model.restore(values)
    }

    /// Returns the data set that the flags name, or ptb.
    private static func dataset(_ flags: [String]) -> String {
        flags.last { $0.hasPrefix("--dataset=") }.map { String($0.dropFirst("--dataset=".count)) } ?? "ptb"
    }

    /// Returns the tokens from a file or else from the corpus; nil if neither is given.
    private func tokens(count: Int, _ configuration: RunConfiguration, file: String, hasCorpus: Bool) throws
        -> [String]?
    {
        let own = try vocabulary.map { path in
            let tokens = try VocabularyFile.read(path, count: count)
            try VocabularyFile.check(tokens, Registry.current.tokenForm(of: configuration.dataset.name), path: path)
            if !Vocabulary(tokens).contains(TextMarkup.endOfLine) {
                Terminal.complain(
                    "warning: \(path) has no \(TextMarkup.endOfLine); line ends are read as \(TextMarkup.unknownWord)")
            }
            return tokens
        }
        guard hasCorpus else { return own }
        let corpus: any Dataset
        do {
            // With the model's vocabulary, words that it has no token for are reported now rather than when the run is used.
            corpus = try Registry.current.makeDataset(configuration, vocabulary: own)
        } catch RecurrentError.dataset(let reason)
            where own != nil && (try? Registry.current.makeDataset(configuration)) != nil
        {
            // The corpus is fine by itself, and so is the model: the list of its words is the one that may be wrong.
            throw RecurrentError.checkpoint(path: vocabulary!, reason: "doesn't fit the corpus in `data`: \(reason)")
        }
        if let own {
            if let line = (corpus as? any VocabularyProviding)?.unknownTokensLine { Terminal.print(line) }
            return own
        }
        let words = (corpus as! any VocabularyProviding).vocabulary
        guard words.count == count else {
            throw RecurrentError.checkpoint(
                path: file,
                reason:
                    "knows \(count) tokens, but the corpus has \(words.count); pass the model's own with --vocabulary")
        }
        return words
    }
}
