import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentReproduction

struct GradientsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gradients", abstract: "How far gradients reach: ‖∂x_t/∂x_k‖ of a saved run or a fresh model, with the theory's bounds.",
        discussion: "Exact, without dropout. Norms are means over the sequences of one batch; bounds are of the Frobenius norm.")

    @Argument(help: ArgumentHelp("The folder that `train --output` wrote; without, a fresh model of these options.", valueName: "run"))
    var runFolder: String?
    @Option(help: "Cell of a fresh model (default: urnn).")
    var cell: String?
    @OptionGroup var options: TrainOptions
    @Option(help: "k, the step whose state is the starting point, from 1.")
    var from = 1
    @Option(help: "The last t (default: the last step).")
    var to: Int?
    @Option(help: "How many sequences are measured.")
    var samples = 8
    @Option(help: "The recurrent layer, from 0 (default: the last).")
    var layer: Int?
    @Option(help: "Whose first batch: train, valid or test.")
    var split = "valid"
    @Flag(help: "Print a JSON array with one object per step.")
    var json = false
    @Option(help: ArgumentHelp("Draw the norms into this SVG file, by gnuplot.", valueName: "file.svg"))
    var plot: String?

    func run() throws {
        guard samples >= 1 else { throw RecurrentError.invalidOption("--samples must be at least 1, not \(samples)") }
        guard let part = Split(rawValue: split) else {
            throw RecurrentError.unknownName(kind: "split", name: split, known: Split.allCases.map(\.rawValue))
        }
        if plot != nil { try Gnuplot.check() }
        let made = try model()
        let model = made.model
        if let layer, !model.recurrentLayers.indices.contains(layer) {
            throw RecurrentError.invalidOption("--layer must be in 0...\(model.recurrentLayers.count - 1), not \(layer)")
        }
        let size = min(samples, made.options.batchSize)
        guard made.dataset.batchCount(part, batchSize: size) > 0 else {
            throw RecurrentError.dataset("its \(split) split is too small for \(size) sequences; choose fewer --samples")
        }
        let batch = try made.dataset.batch(part, epoch: 0, index: 0, batchSize: size)
        let norms = try GradientFlow(model, layer: layer, samples: samples).measure(batch, from: from, to: to)
        let points = norms.points(bounds: try model.gradientBounds(layer: layer))
        if let plot { try draw(points, made.options, into: plot) }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            encoder.nonConformingFloatEncodingStrategy = .infinityAsText
            Terminal.print(String(decoding: try encoder.encode(points), as: UTF8.self))
        } else {
            Terminal.print(GradientTable.text(points))
            Terminal.print("")
            Terminal.print(GradientTable.chart(points, width: min(Terminal.width, 100)))
            Terminal.print(try description(of: model))
            if let plot { Terminal.print("drawn into \(plot)") }
        }
    }

    private func model() throws -> TrainingRun {
        guard let runFolder else {
            var configuration = try options.resolve(cell: cell)
            if configuration.threads == nil { configuration.threads = options.threads }
            return try TrainingRun(configuration)
        }
        let directory = RunDirectory(opening: runFolder)
        let saved = try directory.configuration()
        let wanted = try options.applied(to: saved, cell: cell)
        try saved.checkResumable(as: wanted)
        let made = try TrainingRun(wanted, vocabulary: directory.vocabulary())
        try directory.loadModel(into: made.model)
        return made
    }

    /// What is known of the recurrent weight itself.
    private func description(of model: SequenceModel) throws -> String {
        let number = layer ?? model.recurrentLayers.count - 1
        var lines: [String] = []
        for block in model.parameters.orthogonalBlocks where block.name.contains("_l\(number).") {
            let weight = model.parameters.value(of: block)
            let angles = try OrthogonalSpectrum(size: weight.rows, on: model.backend).angles(of: weight).map(abs).sorted()
            let error = try OrthogonalSpectrum.orthogonalityError(of: weight, on: model.backend)
            lines.append(
                "\(block.name): ‖WᵀW − I‖max \(GradientTable.number(error)); angles of its eigenvalues "
                    + "\(Terminal.number(angles.first!, digits: 3)) to \(Terminal.number(angles.last!, digits: 3)), "
                    + "median \(Terminal.number(angles[angles.count / 2], digits: 3))")
        }
        if let bounds = try model.gradientBounds(layer: number) {
            let gain = [bounds.gain.lowerBound, bounds.gain.upperBound].map(GradientTable.number).joined(separator: " to ")
            lines.append("each step multiplies the norm by \(gain); for t → ∞: \(bounds.limit.rawValue)")
        } else {
            lines.append("the theorem gives no bounds for this cell")
        }
        return lines.joined(separator: "\n")
    }

    private func draw(_ points: [GradientPoint], _ options: RunConfiguration, into path: String) throws {
        var figure = Figure(
            title: "‖∂x_t/∂x_\(from)‖, \(options.cell)\(options.activation.map { " " + $0 } ?? "")", xLabel: "step t",
            yLabel: "norm", isLogarithmic: true)
        figure.curves = [
            .init("Frobenius norm", points.map { .init(Double($0.step), $0.frobeniusNorm) }),
            .init("operator norm", points.map { .init(Double($0.step), $0.operatorNorm) }),
        ]
        figure.band = points.compactMap { point in
            point.lowerBound.map { .init(x: Double(point.step), low: $0, high: point.upperBound!) }
        }
        try AtomicFile.write(Array(try Gnuplot.svg(figure).utf8), to: path)
    }
}
