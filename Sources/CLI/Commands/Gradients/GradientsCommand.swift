import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentReproduction
import RecurrentRuns

struct GradientsCommand: FlagCommand {
    static let configuration = CommandConfiguration(
        commandName: "gradients",
        abstract: "Measure how far gradients reach: ‖∂x_t/∂x_k‖ of a saved run or a fresh model, and its bounds.",
        usage: "cli gradients [<run>] [options]",
        discussion: """
            The norms are exact, without dropout and with zoneout at its mean; they are means over the sequences of one batch, \
            whose states start from zero. The bounds are those of the Frobenius norm. For orthogonal recurrent weights, the \
            angles of the eigenvalues are shown as well. The run is a folder that `train --output` wrote; without one, a fresh \
            model is measured.
            """)
    static let scope = FlagScope(
        kinds: [.cell, .activation, .dataset, .manifold, .skewInit, .backend],
        options: ["embeddingSize", "hiddenSize", "layers", "tied", "zoneout", "recurrentInit", "tableInit", "seed"]
    ) { option in
        switch option {
        case "batchSize", "evaluationBatchSize":
            "does nothing in gradients; --samples says how many sequences are measured"
        case "dropout", "dropoutOn", "lockedDropout", "embeddingDropout", "weightDropout":
            "does nothing in gradients, which are measured without dropout; leave it out"
        default: "does nothing in gradients, where nothing is trained; leave it out"
        }
    }

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var arguments: [String] = []
    @Option(parsing: .unconditional, help: "k, the step whose state is the starting point, from 1.")
    var from = 1
    @Option(parsing: .unconditional, help: "The last t (default: the last step).")
    var to: Int?
    @Option(
        parsing: .unconditional,
        help: "The number of sequences to measure (default: 8, or the run's batch size if that is smaller).")
    var samples: Int?
    @Option(
        parsing: .unconditional,
        help: "The recurrent layer, from 0 like the names of its weights (weight_hh_l0); the last by default.")
    var layer: Int?
    @Option(help: "The split to take the batch from: train, valid or test.")
    var split = "valid"
    @Option(
        parsing: .unconditional, help: "The batch of the split, from 1; each has --samples sequences.")
    var batch = 1
    @Flag(help: "Print a JSON array with one object per step.")
    var json = false
    @Option(help: ArgumentHelp("Draw the norms into this SVG file, using gnuplot.", valueName: "file.svg"))
    var plot: String?
    @Option(
        help: ArgumentHelp(
            "Draw the distribution of the eigenvalues' angles into this SVG file, using gnuplot.",
            valueName: "file.svg"))
    var plotAngles: String?
    @Option(
        help: ArgumentHelp(
            "Write the angles into this file, as a JSON array with one object per orthogonal weight.",
            valueName: "file.json"))
    var jsonAngles: String?

    func run() throws {
        if let samples, !(1...TrainingConfiguration.largestSize).contains(samples) {
            throw RecurrentError.invalidOption(
                "--samples must be in 1...\(TrainingConfiguration.largestSize), not \(samples)")
        }
        let part = try Split(named: split)
        for (option, file) in [("--plot", plot), ("--plot-angles", plotAngles)] {
            let ending = file.map { URL(fileURLWithPath: $0).pathExtension } ?? ""
            guard ending.isEmpty || ending.lowercased() == "svg" else {
                throw RecurrentError.invalidOption(
                    "\(option) writes SVG; name a file that ends in .svg, not .\(ending)")
            }
        }
        let files = [plot, plotAngles, jsonAngles].compactMap {
            $0.map { URL(fileURLWithPath: $0).standardizedFileURL }
        }
        guard Set(files).count == files.count else {
            throw RecurrentError.invalidOption(
                "--plot, --plot-angles and --json-angles write a file each; give them different names")
        }
        if plot != nil || plotAngles != nil { try Gnuplot.check() }
        let made = try measuredRun(part)
        let model = made.model
        if let layer, !model.recurrentLayers.indices.contains(layer) {
            throw RecurrentError.invalidOption(
                "--layer must be in 0...\(model.recurrentLayers.count - 1), not \(layer)")
        }
        let batch = try chosenBatch(
            part, of: made.dataset, size: samples ?? min(8, made.configuration.training.batchSize))
        let norms = try GradientFlow(model, layer: layer, samples: batch.size).measure(batch, from: from, to: to)
        let points = norms.points(bounds: try model.gradientBounds(layer: layer))
        let title = made.configuration.cell.name + (made.configuration.activation.map { " \($0.name)" } ?? "")
        if let plot { try AtomicFile.write(Gnuplot.svg(GradientTable.figure(points, title)), to: plot) }
        try writeAngles(of: model, title)
        if json {
            Terminal.print(try Self.text(points))
        } else {
            Terminal.print(GradientTable.text(points))
            Terminal.print("")
            Terminal.print(GradientTable.chart(points, width: min(Terminal.width, 100)))
            for spectrum in try spectra(of: model) { Terminal.print(spectrum.text) }
            Terminal.print(try theory(of: model, zoneout: made.configuration.model.zoneout))
            for file in [plot, plotAngles].compactMap(\.self) { Terminal.print("drawn into \(file)") }
            if let jsonAngles { Terminal.print("written into \(jsonAngles)") }
        }
    }

    /// Returns the chosen batch, with as many sequences as are measured.
    private func chosenBatch(_ part: Split, of dataset: any Dataset, size: Int) throws -> Batch {
        let count = dataset.batchCount(part, batchSize: size)
        guard count > 0 else {
            throw RecurrentError.dataset(
                "its \(part) split is too small for \(size) sequences; choose fewer --samples")
        }
        guard (1...count).contains(batch) else {
            throw RecurrentError.invalidOption(
                "--batch must be in 1...\(count) (batches of \(size) sequences in \(part)), not \(batch)")
        }
        let chosen = try dataset.batch(part, epoch: 0, index: batch - 1, batchSize: size)
        guard samples == nil || count > 1 || chosen.size == size else {
            throw RecurrentError.invalidOption(
                "--samples must be at most \(chosen.size), the number of sequences in \(part), not \(size)")
        }
        return chosen
    }

    private static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        encoder.nonConformingFloatEncodingStrategy = .infinityAsText
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private func spectra(of model: SequenceModel) throws -> [WeightSpectrum] {
        let suffix = "_l\(layer ?? model.recurrentLayers.count - 1)."
        return try model.parameters.orthogonalBlocks.filter { $0.name.contains(suffix) }.map {
            try WeightSpectrum($0, of: model)
        }
    }

    private func writeAngles(of model: SequenceModel, _ title: String) throws {
        guard let option = plotAngles != nil ? "--plot-angles" : jsonAngles != nil ? "--json-angles" : nil else {
            return
        }
        let spectra = try spectra(of: model)
        guard !spectra.isEmpty else {
            throw RecurrentError.invalidOption(
                "\(option) needs a cell with an orthogonal recurrent weight, such as urnn or ugru; \(model.recurrentLayers[0].cell.name) has none"
            )
        }
        if let plotAngles {
            try AtomicFile.write(Gnuplot.svg(WeightSpectrum.figure(spectra, title)), to: plotAngles)
        }
        if let jsonAngles { try AtomicFile.write(Self.text(spectra) + "\n", to: jsonAngles) }
    }

    private func theory(of model: SequenceModel, zoneout: Double) throws -> String {
        guard let bounds = try model.gradientBounds(layer: layer) else {
            return "the theorem gives no bounds for this cell, or none at its present parameters"
        }
        let gain = [bounds.gain.lowerBound, bounds.gain.upperBound].map(Format.significant).joined(separator: " to ")
        let step = zoneout > 0 ? "each mean step with zoneout \(zoneout)" : "each step"
        return "\(step) multiplies the norm by \(gain); for t → ∞: \(bounds.limit.rawValue)"
    }
}
