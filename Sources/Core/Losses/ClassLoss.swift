/// A loss of classes that is a sum over the classes, given as an equation of their probabilities
/// `p = softmax(scores)`, from which the gradient is derived.
///
///     /// Cross-entropy with smoothed targets (Szegedy et al. 2016).
///     struct LabelSmoothing: ClassLoss {
///         let smoothing: Double
///         let name = "label smoothing"
///         func callAsFunction(_ term: ClassTerm) -> SymbolicValue {
///             let share =
///                 (1 - smoothing) * term.isTarget + smoothing / Double(term.classes)
///             return -share * term.logProbability
///         }
///     }
///
/// Training minimizes its mean over the rows that have a target. Dropout of logits acts on the scores.
public protocol ClassLoss: ScoreLoss {
    /// Returns the term of one class in the loss of a row.
    ///
    /// - Parameter term: the class: its log-probability, and whether it is the target.
    /// - Returns: an expression, finite and without random numbers.
    func callAsFunction(_ term: ClassTerm) -> SymbolicValue
    /// Returns a number for each class, which ``ClassTerm/weight`` is in its term; by default 1.
    ///
    /// - Parameter classes: the number V of classes, and of numbers to return.
    func weights(classes: Int) -> [Double]
}

/// What the term of a class in a ``ClassLoss`` may depend on.
public struct ClassTerm {
    /// The logarithm of the probability `p` that the model gives the class.
    public let logProbability: SymbolicValue
    /// 1 if the class is the target of the row, otherwise 0.
    public let isTarget: SymbolicValue
    /// The number that ``ClassLoss/weights(classes:)`` gives the class.
    public let weight: SymbolicValue
    /// The number V of classes.
    public let classes: Int
    /// The probability `p` that the model gives the class.
    public var probability: SymbolicValue { exp(logProbability) }
}

extension ClassLoss {
    public func weights(classes: Int) -> [Double] { [Double](repeating: 1, count: classes) }

    /// Compiles the equation and its derivative.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the targets are numbers, or there are not as many weights as
    ///   classes, and what the backend throws.
    public func prepare(for data: DatasetDescription, on backend: any Backend) throws -> any PreparedScoreLoss {
        guard !data.targets.areValues else {
            throw RecurrentError.invalidOption(
                "the loss '\(name)' needs targets that are classes; this data set's are numbers")
        }
        let weights = weights(classes: data.classes)
        guard weights.count == data.classes, weights.allSatisfy(\.isFinite) else {
            throw RecurrentError.invalidOption(
                "the loss '\(name)' has \(weights.count) weights for \(data.classes) classes; it needs a finite one for each"
            )
        }
        return try PreparedClassLoss(self, weights: weights, on: backend)
    }
}

/// A loss of classes by its equation: `L = Σ_j f(log p_j)`, so `∂L/∂s_k = f'_k − p_k Σ_j f'_j` for the scores `s`.
private final class PreparedClassLoss: PreparedScoreLoss {
    private let backend: any Backend
    private let weights: MatrixView
    private let exponential: any Kernel, logarithm: any Kernel
    private let term: any Kernel, slope: any Kernel, gradient: any Kernel
    private let logProbabilities: Scratch, columns: Scratch

    init(_ loss: some ClassLoss, weights: [Double], on backend: any Backend) throws {
        self.backend = backend
        self.weights = try backend.makeMatrix(weights, rows: 1, columns: weights.count)
        (logProbabilities, columns) = (Scratch(backend), Scratch(backend))
        exponential = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [exp(x[0] - x[1])] })
        logarithm = try backend.compile(PointwiseProgram(inputs: 3) { x, _ in [x[0] - x[1] - log(x[2])] })
        let programs = PointwiseProgram.term(of: loss, classes: weights.count)
        (term, slope) = (try backend.compile(programs.term), try backend.compile(programs.slope))
        // log-probability, slope, sum of the slopes → gradient
        gradient = try backend.compile(PointwiseProgram(inputs: 3) { x, _ in [x[1] - exp(x[0]) * x[2]] })
    }

    func compute(scores: MatrixView, targets: MatrixView, losses: MatrixView, gradient result: MatrixView?) throws {
        let rows = scores.rows, classes = scores.columns
        let p = try logProbabilities.view(rows: rows, columns: classes),
            memory = try columns.view(rows: 3, columns: rows)
        func column(_ index: Int) -> MatrixView {
            MatrixView(memory.memory, offset: memory.offset + index * rows, rows: rows, columns: 1)
        }
        func wide(_ view: MatrixView) -> MatrixView { view.broadcast(rows: rows, columns: classes) }
        let (maximum, sum, slopes) = (column(0), column(1), column(2))
        backend.reduceRows(.maximum, scores, into: maximum)
        backend.run(exponential, inputs: [scores, wide(maximum)], outputs: [p])
        backend.reduceRows(.sum, p, into: sum)
        backend.run(logarithm, inputs: [scores, wide(maximum), wide(sum)], outputs: [p])
        let inputs = [p, wide(targets), wide(weights)], terms = result ?? p
        backend.run(term, inputs: inputs, outputs: [terms])
        backend.reduceRows(.sum, terms, into: losses)
        guard let result else { return }
        backend.run(slope, inputs: inputs, outputs: [result])
        backend.reduceRows(.sum, result, into: slopes)
        backend.run(gradient, inputs: [p, result, wide(slopes)], outputs: [result])
    }
}

extension PointwiseProgram {
    /// Returns programs with the inputs log-probability, target and weight: the term, and its derivative with respect to
    /// the log-probability.
    fileprivate static func term(
        of loss: some ClassLoss, classes: Int
    ) -> (term: PointwiseProgram, slope: PointwiseProgram) {
        let inputs = (0..<3).map { SymbolicValue(.input($0)) }
        let term = ClassTerm(
            logProbability: inputs[0], isTarget: .columnIndex == inputs[1], weight: inputs[2], classes: classes)
        var graph = ExpressionGraph()
        let value = graph.add(loss(term)), one = graph.constant(1)
        let slope = graph.gradients(seeds: [(value, one)], leaves: [graph.add(inputs[0])])[0]
        func program(_ output: ExpressionGraph.Value) -> PointwiseProgram {
            PointwiseProgram(graph: graph, outputs: [output], inputCount: 3) { value in
                if case .input(let index) = graph.nodes[value].operation { index } else { nil }
            }
        }
        return (program(value), program(slope))
    }
}
