/// The sum of squared errors of one number per sequence, and its gradient.
final class SquaredError {
    private let backend: any Backend
    private let error: any Kernel
    private let memory: Scratch
    private let targets: Scratch

    init(on backend: any Backend) throws {
        self.backend = backend
        // prediction, target, scale → error squared, gradient
        error = try backend.compile(
            PointwiseProgram(inputs: 2, scalars: 1) { x, s in [(x[0] - x[1]) * (x[0] - x[1]), s[0] * (x[0] - x[1])] })
        memory = Scratch(backend)
        targets = Scratch(backend)
    }

    /// - Parameters:
    ///   - predictions: [B, 1].
    ///   - values: B.
    /// - Returns: the sums, and the mean's gradient [B, 1].
    func callAsFunction(_ predictions: MatrixView, values: [Float]) throws -> (sums: LossSums, gradient: MatrixView) {
        let rows = predictions.rows
        precondition(values.count == rows)
        let target = try targets.view(rows: rows, columns: 1)
        backend.upload(values, to: target)
        let both = try memory.view(rows: 2 * rows + 1, columns: 1)
        let squares = both.rows(0..<rows), gradient = both.rows(rows..<2 * rows), sum = both.rows(2 * rows..<2 * rows + 1)
        backend.run(error, inputs: [predictions, target], outputs: [squares, gradient], scalars: [2 / Double(rows)])
        backend.reduceRows(.sum, squares.reshaped(rows: 1, columns: rows), into: sum)
        return (LossSums(loss: backend.download(sum, as: Double.self)[0], correct: 0, count: rows), gradient)
    }
}
