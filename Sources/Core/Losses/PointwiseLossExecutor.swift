/// Computes a pointwise loss of a projection to one or more numbers, and its gradients.
final class PointwiseLossExecutor: LossExecutor {
    private let backend: any Backend
    private let kernel: any Kernel
    private let mayLackTargets: Bool
    private let memory: Scratch
    private let targets: Scratch

    /// Compiles the loss.
    ///
    /// - Parameter mayLackTargets: whether NaN as a target means that there is none.
    init(_ loss: some PointwiseLoss, mayLackTargets: Bool, on backend: any Backend) throws {
        self.backend = backend
        self.mayLackTargets = mayLackTargets
        kernel = try backend.compile(.lossAndSlope(loss, mayLackTargets: mayLackTargets))
        memory = Scratch(backend)
        targets = Scratch(backend)
    }

    func start(
        inputs: MatrixView, projection: LinearLayer, batch: Batch, dropout: (rate: Double, key: RandomKey)?,
        gradient: MatrixView?
    ) throws -> PendingLoss {
        let predictions = try projection.forward(inputs), rows = predictions.rows, width = predictions.columns
        precondition(
            batch.values.count == rows * width && batch.valueWidth == width,
            "\(batch.values.count) target numbers for \(rows) rows of \(width) predictions")
        let target = try targets.view(rows: rows, columns: width)
        let hasTargets = mayLackTargets ? batch.hasTargets : []
        let complete =
            width == 1 || hasTargets.allSatisfy { $0 }
            ? batch.values : batch.values.enumerated().map { hasTargets[$0 / width] ? $1 : .nan }
        backend.upload(complete, to: target)
        let both = try memory.view(rows: 2 * rows * width + 1, columns: 1), all = rows * width
        func matrix(_ first: Int) -> MatrixView {
            both.rows(first..<first + all).reshaped(rows: rows, columns: width)
        }
        let losses = matrix(0), slopes = matrix(all), sum = both.rows(2 * all..<2 * all + 1)
        let count = mayLackTargets ? hasTargets.count { $0 } * width : all
        backend.run(
            kernel, inputs: [predictions, target], outputs: [losses, slopes], scalars: [1 / Double(max(count, 1))])
        if let gradient { projection.backward(input: inputs, gradient: slopes, into: gradient) }
        backend.reduceRows(.sum, losses.reshaped(rows: 1, columns: all), into: sum)
        return PendingLoss(LossSums(totalLoss: backend.download(sum, as: Double.self)[0], correct: 0, count: count))
    }
}

extension PointwiseProgram {
    /// Returns a program with the inputs prediction and target, the scalar scale, and two
    /// outputs: the loss, and scale times its derivative with respect to the prediction. With
    /// `mayLackTargets` both are 0 where the target is NaN.
    fileprivate static func lossAndSlope(_ loss: some PointwiseLoss, mayLackTargets: Bool) -> PointwiseProgram {
        let prediction = SymbolicValue(.input(0)), target = SymbolicValue(.input(1))
        var graph = ExpressionGraph()
        let value = graph.add(loss(prediction: prediction, target: target)), one = graph.constant(1)
        let slope = graph.gradients(seeds: [(value, one)], leaves: [graph.add(prediction)])[0]
        var outputs = [value, graph.add(.multiply, [slope, graph.add(SymbolicValue(.scalar(0)))])]
        if mayLackTargets {
            let isThere = graph.add(target == target), zero = graph.constant(0)
            outputs = outputs.map { graph.add(.select, [isThere, $0, zero]) }
        }
        return PointwiseProgram(graph: graph, outputs: outputs, inputCount: 2, scalarCount: 1) { value in
            if case .input(let index) = graph.nodes[value].operation { index } else { nil }
        }
    }
}
