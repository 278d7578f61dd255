import ArgumentParser
import Foundation
import RecurrentCore

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make a run of a language model that PyTorch trained.",
        discussion: """
            Takes the state dict of an nn.Embedding (encoder), nn.RNN or nn.GRU (rnn) and nn.Linear (decoder), saved as \
            safetensors. Sizes come from the shapes. The run can be evaluated, generated from, and trained on with \
            `train --from`.
            """)

    @Argument(help: ArgumentHelp("The state dict, as safetensors.save_file wrote it.", valueName: "file"))
    var file: String
    @Option(help: "Make this folder.")
    var output: String
    @Flag(help: "Replace a run that the output folder already holds.")
    var overwrite = false
    @Option(help: "The tokens, one a line in the order of their ids (default: those of the corpus, in order of appearance).")
    var vocabulary: String?
    @Option(help: "Folder of the corpus that the run is for.")
    var data: String?
    @Option(help: "Data set.")
    var dataset = "ptb"
    @Option(help: "Cell (default: gru for three gates, rnn for one).")
    var cell: String?
    @Option(help: "Activation (default: tanh for a GRU; a state dict doesn't say what an nn.RNN's is).")
    var activation: String?
    @Option(help: "Where a GRU's reset gate acts: after or before the product.")
    var resetGate = ResetGate.after.rawValue
    @Option(help: "Backend of the run.")
    var backend = "cpu"

    func run() throws {
        try RunDirectory.check(output, overwrite: overwrite)
        let weights = try StateDict(path: file)
        let registry = Registry.current
        var options = try registry.dataset(dataset).standard
        options.cell = cell ?? (weights.gates == 1 ? "rnn" : "gru")
        options.activation = activation ?? (weights.gates == 1 ? nil : "tanh")
        options.resetGate = resetGate
        options.backend = backend
        options.data = data.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        options.tied = weights.isTied
        (options.embeddingSize, options.hiddenSize, options.layers) = (weights.embeddingSize, weights.hiddenSize, weights.layers)
        try options.validate()

        let context = registry.context(options)
        let made = try registry.cells.find("cell", options.cell).make(context)
        let gates = made.parameters.count { $0.kind == .recurrentWeight }
        guard gates == weights.gates else {
            throw RecurrentError.checkpoint(
                path: file, reason: "has \(weights.gates == 1 ? "one gate" : "\(weights.gates) gates"), but the cell '\(made.name)' has \(gates)")
        }
        guard options.activation != nil else {
            throw RecurrentError.invalidOption(
                "\(file): an nn.RNN's weights don't say its nonlinearity; add --activation tanh (torch's default) or --activation relu")
        }
        let model = try SequenceModel(
            cell: made, configuration: options.model, data: .languageModel(vocabulary: weights.vocabulary),
            backend: try registry.backends.find("backend", options.backend).make(context), seed: options.seed)
        model.restore(try weights.values(for: model))
        try model.checkOrthogonality(path: file)
        let tokens = try tokens(count: weights.vocabulary, options, registry)

        let directory = try RunDirectory(creating: output, options, overwrite: overwrite)
        if let tokens { try VocabularyFile.write(tokens, to: directory.file(VocabularyFile.name)) }
        try model.save(to: directory.file("model.safetensors"))
        let layers = (weights.layers == 1 ? "" : ", \(weights.layers) layers") + (weights.isTied ? ", tied" : "")
        Terminal.print(
            "\(output): \(options.cell) (\(options.activation!)), E \(weights.embeddingSize) H \(weights.hiddenSize) V \(weights.vocabulary)\(layers)"
                + (tokens == nil ? "; no --vocabulary and no --data, so its words are unknown" : ""))
    }

    /// The words, from a file or else from the corpus; nil if neither is named.
    private func tokens(count: Int, _ options: RunConfiguration, _ registry: Registry) throws -> [String]? {
        let own = try vocabulary.map { try VocabularyFile.read($0, count: count) }
        guard data != nil else { return own }
        let corpus = try registry.dataset(options.dataset).plugin.make(registry.context(options))
        if let own {
            // So that a corpus with other words is told here and not after hours.
            _ = try RenumberedCorpus.fitting(corpus, to: own)
            return own
        }
        guard let words = (corpus as? any VocabularyProviding)?.vocabulary else {
            throw RecurrentError.invalidOption("--dataset \(options.dataset) has no words; a language model needs a corpus, as ptb")
        }
        guard words.count == count else {
            throw RecurrentError.checkpoint(
                path: file, reason: "knows \(count) tokens, but the corpus has \(words.count); give the model's own with --vocabulary")
        }
        return words
    }
}

extension SequenceModel {
    /// How far an orthogonal weight may be from WᵀW = I, element by element; that of
    /// weights kept by a manifold update stays below a tenth of it.
    static var orthogonalityTolerance: Double { 1e-4 }

    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if a weight that the cell
    ///   keeps orthogonal isn't.
    func checkOrthogonality(path: String) throws {
        for block in parameters.orthogonalBlocks {
            let error = try OrthogonalSpectrum.orthogonalityError(of: parameters.value(of: block), on: backend)
            guard error <= Self.orthogonalityTolerance else {
                throw RecurrentError.checkpoint(
                    path: path,
                    reason: "\(block.name) isn't orthogonal: ‖WᵀW − I‖ is \(String(format: "%.2g", error)) (largest element), more than \(Self.orthogonalityTolerance); import it into the free cell ('\(cell.name.hasPrefix("u") ? String(cell.name.dropFirst()) : "rnn")')")
            }
        }
    }
}
