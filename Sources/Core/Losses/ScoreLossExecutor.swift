/// Computes a loss of whole rows of scores behind a projection, in chunks of rows.
final class ScoreLossExecutor: LossExecutor {
    private let backend: any Backend
    private let loss: any PreparedScoreLoss
    private let hasClasses: Bool
    private let excludedClass: Int?
    private let scores: Scratch, gradients: Scratch, columns: Scratch, targets: Scratch
    private let scale: any Kernel, keep: any Kernel, drop: any Kernel

    /// The approximate number of scores that exist at once, unless they are masked.
    private static let chunkElements = 1 << 20

    init(_ loss: any PreparedScoreLoss, for data: DatasetDescription, on backend: any Backend) throws {
        self.backend = backend
        self.loss = loss
        hasClasses = !data.targets.areValues
        excludedClass = data.classExcludedFromAccuracy
        (scores, gradients, columns, targets) = (Scratch(backend), Scratch(backend), Scratch(backend), Scratch(backend))
        // A row without a target has a factor of 0, whatever its loss is.
        scale = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [select(x[1] > 0, x[0] * x[1], 0)] })
        keep = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [select(x[1] > 0, x[0], 0)] })
        drop = try backend.compile(
            PointwiseProgram(inputs: 1, scalars: 2) { x, s in [select(s[0] > .uniform, 0, x[0] * s[1])] })
    }

    func start(
        inputs: MatrixView, projection: LinearLayer, batch: Batch, dropout: (rate: Double, key: RandomKey)?,
        gradient: MatrixView?
    ) throws -> PendingLoss {
        let rows = inputs.rows, hasTargets = batch.hasTargets, width = batch.valueWidth
        precondition(hasTargets.count == rows, "\(hasTargets.count) targets for \(rows) rows of scores")
        let targets = hasClasses ? batch.targets.map { Float($0) } : batch.values
        let count = hasTargets.count { $0 }
        var sums =
            hasClasses ? LossSums(over: batch.targets, excludedClass: excludedClass) : LossSums(count: count)
        let dropout = hasClasses ? dropout : nil
        // A mask is drawn by the place of an element in the whole matrix.
        let chunk = dropout == nil ? max(1, Self.chunkElements / projection.outputWidth) : max(rows, 1)
        for start in stride(from: 0, to: rows, by: chunk) {
            let range = start..<min(start + chunk, rows)
            let (losses, guesses) = try compute(
                inputs.rows(range), projection, targets[range.lowerBound * width..<range.upperBound * width],
                hasTargets[range], factor: 1 / Double(max(count, 1)), dropout,
                gradient?.rows(range))
            sums.totalLoss += losses.reduce(0, +)
            if hasClasses {
                sums.correct += zip(guesses, batch.targets[range]).count {
                    Int($0) == Int($1) && $1 >= 0 && Int($1) != excludedClass
                }
            }
        }
        return PendingLoss(sums)
    }

    /// Computes the losses of some rows, and the classes with the largest scores.
    private func compute(
        _ inputs: MatrixView, _ projection: LinearLayer, _ targets: ArraySlice<Float>, _ hasTargets: ArraySlice<Bool>,
        factor: Double, _ dropout: (rate: Double, key: RandomKey)?, _ inputGradient: MatrixView?
    ) throws -> (losses: [Double], guesses: [Double]) {
        let rows = inputs.rows, classes = projection.outputWidth
        let x = try scores.view(rows: rows, columns: classes), memory = try columns.view(rows: 3, columns: rows)
        func column(_ index: Int) -> MatrixView {
            MatrixView(memory.memory, offset: memory.offset + index * rows, rows: rows, columns: 1)
        }
        let (factors, losses, guesses) = (column(0), column(1), column(2))
        let width = targets.count / rows, target = try self.targets.view(rows: rows, columns: width)
        backend.upload(
            zip(targets.indices, targets).map {
                hasTargets[hasTargets.startIndex + ($0 - targets.startIndex) / width] ? $1 : 0
            },
            to: target)
        backend.upload(hasTargets.map { $0 ? factor : 0 }, to: factors)
        func mask(_ view: MatrixView) {
            guard let dropout else { return }
            let scalars = [dropout.rate, 1 / (1 - dropout.rate)]
            backend.run(drop, inputs: [view], outputs: [view], scalars: scalars, key: dropout.key)
        }
        projection.forward(inputs, into: x)
        mask(x)
        if hasClasses { backend.reduceRows(.argmax, x, into: guesses) }
        let gradient = try inputGradient.map { _ in try gradients.view(rows: rows, columns: classes) }
        try loss.compute(scores: x, targets: target, losses: losses, gradient: gradient)
        backend.run(keep, inputs: [losses, factors], outputs: [losses])
        if let gradient, let inputGradient {
            backend.run(
                scale, inputs: [gradient, factors.broadcast(rows: rows, columns: classes)], outputs: [gradient])
            mask(gradient)
            projection.backward(input: inputs, gradient: gradient, into: inputGradient)
        }
        return (backend.download(losses), hasClasses ? backend.download(guesses) : [])
    }
}
