import CPUBackend
import GRUCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// Cross-entropy with smoothed targets (Szegedy et al. 2016), as a loss of whole rows.
private struct SmoothedRows: ScoreLoss {
    var smoothing = 0.1
    let name = "label smoothing by rows"

    func prepare(for data: DatasetDescription, on backend: any Backend) throws -> any PreparedScoreLoss {
        try Prepared(smoothing: smoothing, classes: data.classes, on: backend)
    }

    private final class Prepared: PreparedScoreLoss {
        private let backend: any Backend, exponential: any Kernel, term: any Kernel, slope: any Kernel
        init(smoothing: Double, classes: Int, on backend: any Backend) throws {
            self.backend = backend
            exponential = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [exp(x[0] - x[1])] })
            func share(_ target: SymbolicValue) -> SymbolicValue {
                (1 - smoothing) * (.columnIndex == target) + smoothing / Double(classes)
            }
            term = try backend.compile(
                PointwiseProgram(inputs: 4) { x, _ in [share(x[3]) * (x[1] + log(x[2]) - x[0])] })
            slope = try backend.compile(
                PointwiseProgram(inputs: 4) { x, _ in [exp(x[0] - x[1]) / x[2] - share(x[3])] })
        }

        func compute(scores: MatrixView, targets: MatrixView, losses: MatrixView, gradient: MatrixView?) throws {
            let (rows, classes) = (scores.rows, scores.columns)
            let terms = try backend.allocate(rows: rows, columns: classes)
            let maximum = try backend.allocate(rows: rows, columns: 1),
                sum = try backend.allocate(rows: rows, columns: 1)
            func wide(_ view: MatrixView) -> MatrixView { view.broadcast(rows: rows, columns: classes) }
            backend.reduceRows(.maximum, scores, into: maximum)
            backend.run(exponential, inputs: [scores, wide(maximum)], outputs: [terms])
            backend.reduceRows(.sum, terms, into: sum)
            let inputs = [scores, wide(maximum), wide(sum), wide(targets)]
            backend.run(term, inputs: inputs, outputs: [terms])
            backend.reduceRows(.sum, terms, into: losses)
            if let gradient { backend.run(slope, inputs: inputs, outputs: [gradient]) }
        }
    }
}

/// The same as an equation.
private struct LabelSmoothing: ClassLoss {
    var smoothing = 0.1
    let name = "label smoothing"
    func callAsFunction(_ term: ClassTerm) -> SymbolicValue {
        let share =
            (1 - smoothing) * term.isTarget + smoothing / Double(term.classes)
        return -share * term.logProbability
    }
}

/// Lin et al. 2017, with an exponent of 2.
private struct Focal: ClassLoss {
    let name = "focal loss"
    func callAsFunction(_ term: ClassTerm) -> SymbolicValue {
        let rest = 1 - term.probability
        return -term.isTarget * rest * rest * term.logProbability
    }
}

private struct Weighted: ClassLoss {
    let weights: [Double]
    let name = "weighted cross-entropy"
    func weights(classes: Int) -> [Double] { weights }
    func callAsFunction(_ term: ClassTerm) -> SymbolicValue { -term.weight * term.isTarget * term.logProbability }
}

/// A loss of numbers that are predicted, and that sees them as rows.
private struct Absolute: ScoreLoss {
    let name = "absolute error"
    func prepare(for data: DatasetDescription, on backend: any Backend) throws -> any PreparedScoreLoss {
        try Prepared(backend)
    }
    private final class Prepared: PreparedScoreLoss {
        private let backend: any Backend, kernel: any Kernel
        init(_ backend: any Backend) throws {
            self.backend = backend
            kernel = try backend.compile(
                PointwiseProgram(inputs: 2) { x, _ in [abs(x[0] - x[1]), sign(x[0] - x[1])] })
        }
        func compute(scores: MatrixView, targets: MatrixView, losses: MatrixView, gradient: MatrixView?) throws {
            let slopes = try gradient ?? backend.allocate(rows: scores.rows, columns: 1)
            backend.run(kernel, inputs: [scores, targets], outputs: [losses, slopes])
        }
    }
}

/// Losses of whole rows, which somebody else writes.
struct ScoreLossTests {
    private static let losses: [any Loss] = [
        SmoothedRows(), LabelSmoothing(), Focal(), Weighted(weights: [0.5, 2, 1, 3]), CrossEntropy(),
    ]

    private static func model(
        _ loss: any Loss, on backend: any Backend, classes: Int = 4, perPosition: Bool = true, dropout: Double = 0,
        excluding: Int? = nil
    ) throws -> SequenceModel {
        try SequenceModel(
            cell: GRU(),
            configuration: ModelConfiguration(
                embeddingSize: 3, hiddenSize: 4, dropout: dropout, dropoutPlaces: [.output, .logits]),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: 5),
                targets: perPosition ? .positionClass(classes: classes) : .sequenceClass(classes: classes),
                isContinuous: false, metric: .accuracy, classExcludedFromAccuracy: excluding, loss: loss),
            on: backend)
    }

    private static let batch = Batch(
        steps: 3, size: 2, inputs: .tokens([0, 1, 2, 3, 4, 0]), targets: [1, -1, 0, 2, 3, 1])

    @Test(arguments: losses.indices, [0, 0.4])
    func gradientsAgreeWithCentralDifferences(index: Int, dropout: Double) throws {
        let loss = Self.losses[index]
        let error = try gradientError(Self.model(loss, on: ReferenceBackend(), dropout: dropout), Self.batch)
        #expect(error <= 1e-6, "\(loss.name)")
        let last = Batch(steps: 3, size: 2, inputs: .tokens([0, 1, 2, 3, 4, 0]), targets: [3, 1])
        #expect(
            try gradientError(
                Self.model(loss, on: ReferenceBackend(), perPosition: false, dropout: dropout), last) <= 1e-6)
    }

    @Test(arguments: losses.indices) func cpuAgreesWithReference(index: Int) throws {
        let results = try [CPUBackend(), ReferenceBackend()].map { (backend: any Backend) -> [Double] in
            let model = try Self.model(Self.losses[index], on: backend, dropout: 0.4)
            let sums = try model.computeGradients(Self.batch, step: 2)
            #expect(sums.count == 5)
            return backend.download(model.parameters.allGradients) + [
                sums.totalLoss, try model.evaluate(Self.batch).totalLoss,
            ]
        }
        #expect(relativeError(results[0], results[1]) <= 1e-5)
    }

    /// The numbers are those of torch.nn.functional.cross_entropy with `label_smoothing` 0.1, with `weight`, and times
    /// (1 − p)², without a reduction.
    @Test(arguments: [
        (0, [0.5032486126036626, 1.820466557608849, 1.625958538695602], -0.2093031622176157, 0.7380234168971097),
        (1, [0.5032486126036626, 1.820466557608849, 1.625958538695602], -0.2093031622176157, 0.7380234168971097),
        (2, [0.02703695021082925, 1.2189293859551469, 1.0238595068498462], -0.06168025742672069, 0.9070037594724207),
        (3, [0.33449861260366254, 0.8852332788044244, 3.2081670773912037], -0.28430316221761565, 0.38151170844855486),
    ]) func lossesAreTorchs(index: Int, expected: [Double], first: Double, second: Double) throws {
        let backend = ReferenceBackend(), loss = try #require(Self.losses[index] as? any ScoreLoss)
        let prepared = try loss.prepare(for: Self.model(loss, on: backend).data, on: backend)
        let scores = try backend.makeMatrix(
            [0.5, -1.25, 2, 0, 1.5, 0.25, -0.75, 3, -2, 0.125, 0.5, 1], rows: 3, columns: 4)
        let targets = try backend.makeMatrix([2.0, 0, 1], rows: 3, columns: 1)
        let losses = try backend.allocate(rows: 3, columns: 1), gradient = try backend.allocate(rows: 3, columns: 4)
        try prepared.compute(scores: scores, targets: targets, losses: losses, gradient: gradient)
        #expect(relativeError(backend.download(losses), expected) < 1e-14)
        let slopes: [Double] = backend.download(gradient)
        #expect(abs(slopes[2] - first) < 1e-14 && abs(slopes[7] - second) < 1e-14)
        try prepared.compute(scores: scores, targets: targets, losses: losses, gradient: nil)
        #expect(relativeError(backend.download(losses), expected) < 1e-14)
    }

    /// Without smoothing, it is cross-entropy: the loss, its gradients, and what counts as correct.
    @Test(arguments: [0, 0.4], [nil, 2]) func withoutSmoothingItIsCrossEntropy(dropout: Double, excluding: Int?) throws
    {
        var results: [(sums: LossSums, evaluated: LossSums, gradient: [Double])] = []
        for loss in [CrossEntropy(), SmoothedRows(smoothing: 0), LabelSmoothing(smoothing: 0)] as [any Loss] {
            let model = try Self.model(loss, on: ReferenceBackend(), dropout: dropout, excluding: excluding)
            let sums = try model.computeGradients(Self.batch, step: 1)
            results.append(
                (sums, try model.evaluate(Self.batch), model.backend.download(model.parameters.allGradients)))
        }
        for result in results[1...] {
            #expect(relativeError(result.gradient, results[0].gradient) < 1e-13)
            for (own, others) in [(result.sums, results[0].sums), (result.evaluated, results[0].evaluated)] {
                #expect(abs(own.totalLoss - others.totalLoss) < 1e-13)
                #expect(own.correct == others.correct && own.count == others.count)
                #expect(own.accuracyCount == others.accuracyCount)
            }
        }
        #expect(results[0].sums.accuracyCount == (excluding == nil ? 5 : 4))
    }

    /// More scores than exist at once.
    @Test func chunksOfRowsAddUp() throws {
        let classes = 300_000
        let results = try [CrossEntropy(), LabelSmoothing(smoothing: 0)].map { (loss: any Loss) -> [Float] in
            let model = try Self.model(loss, on: CPUBackend(), classes: classes)
            let sums = try model.computeGradients(Self.batch, step: 1)
            let small = model.parameters.named.filter { !$0.name.hasPrefix("decoder.") }
            return small.flatMap { model.backend.download($0.gradient) as [Float] } + [Float(sums.totalLoss)]
        }
        #expect(relativeError(results[1].map(Double.init), results[0].map(Double.init)) < 1e-4)
    }

    /// Rows without a target count for nothing, even if the loss makes nothing of them.
    @Test func rowsWithoutATargetDoNotCount() throws {
        let model = try Self.model(LabelSmoothing(), on: ReferenceBackend())
        let none = Batch(
            steps: 3, size: 2, inputs: Self.batch.inputs, targets: [Int32](repeating: -1, count: 6))
        #expect(try model.computeGradients(none, step: 0) == LossSums())
        #expect(model.backend.download(model.parameters.allGradients, as: Double.self).allSatisfy { $0 == 0 })
    }

    /// Dropout of logits doesn't act on numbers, and NaN means no target.
    @Test func numbersMayBeJudgedByRows() throws {
        let data = DatasetDescription(
            inputs: .vectors(width: 1), targets: .positionValue, isContinuous: false, metric: .loss, loss: Absolute())
        let batch = Batch(
            steps: 2, size: 2, inputs: .vectors([1, 2, 3, 4], width: 1), values: [0.5, .nan, -3, 1])
        let model = try SequenceModel(
            cell: GRU(), configuration: ModelConfiguration(hiddenSize: 3, dropout: 0.9), data: data,
            on: ReferenceBackend())
        #expect(try gradientError(model, batch) <= 1e-6)
        let sums = try model.computeGradients(batch, step: 0)
        let evaluated = try model.evaluate(batch)
        #expect(sums.count == 3 && sums.correct == 0 && sums == evaluated)
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let numbers = DatasetDescription(
            inputs: .vectors(width: 1), targets: .sequenceValue, isContinuous: false, metric: .loss, loss: Focal())
        let error = #expect(throws: RecurrentError.self) {
            try SequenceModel(
                cell: GRU(), configuration: ModelConfiguration(hiddenSize: 3), data: numbers, on: ReferenceBackend())
        }
        #expect(error?.description.contains("the loss 'focal loss' needs targets that are classes") == true)
        for weights in [[1.0, 2], [1, 2, 3, .nan]] {
            let error = #expect(throws: RecurrentError.self) {
                try Self.model(Weighted(weights: weights), on: ReferenceBackend())
            }
            #expect(error?.description.contains("\(weights.count) weights for 4 classes") == true)
        }
    }
}
