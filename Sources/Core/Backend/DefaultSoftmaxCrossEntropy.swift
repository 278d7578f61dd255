extension Backend {
    public func makeSoftmaxCrossEntropy(classes: Int, width: Int, excludedClass: Int?) throws -> any SoftmaxCrossEntropy
    {
        try DefaultSoftmaxCrossEntropy(classes: classes, excludedClass: excludedClass, on: self)
    }
}

/// Softmax cross-entropy computed with a backend's own functions: it defines what the
/// operation means, and backends without a faster implementation use it.
final class DefaultSoftmaxCrossEntropy: SoftmaxCrossEntropy {
    private let backend: any Backend
    private let classes: Int
    private let excludedClass: Int?
    private let logits: Scratch
    private let mask: Scratch
    private let columns: Scratch
    private let uniform: any Kernel
    private let drop: any Kernel
    private let exponentiate: any Kernel
    private let lossRow: any Kernel
    private let gradient: any Kernel
    private let pick: any Kernel

    /// The approximate number of logits that exist at once.
    private static let chunkElements = 1 << 20

    init(classes: Int, excludedClass: Int?, on backend: any Backend) throws {
        self.backend = backend
        self.classes = classes
        self.excludedClass = excludedClass
        logits = Scratch(backend)
        mask = Scratch(backend)
        columns = Scratch(backend)
        uniform = try backend.compile(PointwiseProgram(inputs: 0) { _, _ in [.uniform] })
        drop = try backend.compile(
            PointwiseProgram(inputs: 2, scalars: 2) { x, s in [select(s[0] > x[1], 0, x[0] * s[1])] })
        exponentiate = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [exp(x[0] - x[1])] })
        pick = try backend.compile(
            PointwiseProgram(inputs: 2) { x, _ in [select(.columnIndex == x[1], x[0], 0)] })
        // exponentials, their sum, target, scale → gradient
        gradient = try backend.compile(
            PointwiseProgram(inputs: 3, scalars: 1) { x, s in
                [select(x[2] < 0, 0, s[0] * (x[0] / x[1] - (.columnIndex == x[2])))]
            })
        // maximum, sum, target's logit, target → loss
        lossRow = try backend.compile(
            PointwiseProgram(inputs: 4) { x, _ in [select(x[3] < 0, 0, x[0] + log(x[1]) - x[2])] })
    }

    func callAsFunction(
        inputs: MatrixView, weight: MatrixView, bias: MatrixView, targets: [Int32],
        dropout: (rate: Double, key: RandomKey)?, gradients: ProjectionGradients?
    ) throws -> LossSums {
        let rows = inputs.rows
        precondition(targets.count == rows && weight.rows == classes && targets.allSatisfy { Int($0) < classes })
        var sums = LossSums(over: targets, excludedClass: excludedClass)
        let scale = 1 / Double(max(sums.count, 1))
        let masks = try dropout.map { dropout in
            // Drawn over all rows at once: the numbers must not depend on the chunks.
            let view = try mask.view(rows: rows, columns: classes)
            backend.run(uniform, inputs: [], outputs: [view], scalars: [], key: dropout.key)
            return view
        }
        let chunk = max(1, Self.chunkElements / classes)
        for start in stride(from: 0, to: rows, by: chunk) {
            let range = start..<min(start + chunk, rows)
            sums += try run(
                range, inputs, weight, bias, Array(targets[range]),
                dropout.map { ($0.rate, masks!.rows(range)) }, gradients, scale: scale)
        }
        return sums
    }

    private func run(
        _ range: Range<Int>, _ inputs: MatrixView, _ weight: MatrixView, _ bias: MatrixView, _ targets: [Int32],
        _ dropout: (rate: Double, mask: MatrixView)?, _ gradients: ProjectionGradients?, scale: Double
    ) throws -> LossSums {
        let n = range.count
        // The logits, followed by their exponentials.
        let both = try logits.view(rows: 2 * n, columns: classes)
        let x = both.rows(0..<n), e = both.rows(n..<2 * n)
        let input = inputs.rows(range)
        backend.copy(bias.broadcast(rows: n, columns: classes), to: x)
        backend.gemm(alpha: 1, input, weight.transposed, beta: 1, x)
        func applyDropout() {
            guard let dropout else { return }
            backend.run(
                drop, inputs: [x, dropout.mask], outputs: [x], scalars: [dropout.rate, 1 / (1 - dropout.rate)], key: nil
            )
        }
        applyDropout()

        let memory = try columns.view(rows: 6, columns: n)
        func column(_ index: Int) -> MatrixView {
            MatrixView(memory.memory, offset: memory.offset + index * n, rows: n, columns: 1)
        }
        let (maximum, sum, picked, target) = (column(0), column(1), column(2), column(3))
        let (loss, best) = (column(4), column(5))
        backend.upload(targets.map { Double($0) }, to: target)
        backend.reduceRows(.maximum, x, into: maximum)
        backend.reduceRows(.argmax, x, into: best)
        backend.run(
            exponentiate, inputs: [x, maximum.broadcast(rows: n, columns: classes)], outputs: [e])
        backend.reduceRows(.sum, e, into: sum)
        if let gradients {
            // Picking the logits needs x, which the gradient then overwrites.
            pickTargets(x, target, into: picked, using: e, sum: sum, maximum: maximum, loss: loss, restore: true)
            backend.run(
                gradient,
                inputs: [
                    e, sum.broadcast(rows: n, columns: classes), target.broadcast(rows: n, columns: classes),
                ],
                outputs: [x], scalars: [scale])
            applyDropout()
            backend.gemm(x, weight, into: gradients.inputs.rows(range))
            backend.gemm(alpha: 1, x.transposed, input, beta: 1, gradients.weight)
            backend.sumColumns(x, beta: 1, into: gradients.bias)
        } else {
            pickTargets(x, target, into: picked, using: e, sum: sum, maximum: maximum, loss: loss, restore: false)
        }
        let losses: [Double] = backend.download(loss)
        let guesses: [Double] = backend.download(best)
        return LossSums(
            totalLoss: losses.reduce(0, +),
            correct: zip(guesses, targets).count { Int($0) == Int($1) && $1 >= 0 && Int($1) != excludedClass })
    }

    /// Computes the loss per row, using the exponentials' memory on the way; with `restore`
    /// they are computed again afterwards.
    private func pickTargets(
        _ x: MatrixView, _ target: MatrixView, into picked: MatrixView, using e: MatrixView, sum: MatrixView,
        maximum: MatrixView, loss: MatrixView, restore: Bool
    ) {
        let n = x.rows
        backend.run(pick, inputs: [x, target.broadcast(rows: n, columns: classes)], outputs: [e])
        backend.reduceRows(.sum, e, into: picked)
        backend.run(lossRow, inputs: [maximum, sum, picked, target], outputs: [loss])
        if restore {
            backend.run(exponentiate, inputs: [x, maximum.broadcast(rows: n, columns: classes)], outputs: [e])
        }
    }
}
