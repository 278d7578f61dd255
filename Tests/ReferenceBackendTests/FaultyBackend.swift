import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend

/// A mistake that a new backend might make.
enum Fault: String, CaseIterable, Sendable {
    case uncleanMemory, uploadIgnoresOffset, fillIgnoresStrides, copyIgnoresColumnStride, lowPrecisionMemory
    case gemmIgnoresAlpha, gemmIgnoresBeta, gemmReadsResultAtBetaZero, gemmSwapsStrides, gemmDropsLastOfLongSums
    case gemmWritesPadding
    case impreciseExp, greaterOrEqual, signOfZero, maximumHidesNaN, sineReducesByFloat, erfEndsEarly
    case outputsOneByOne, ignoresScalars, rowBroadcastRepeatsFirst, longRowsStopEarly
    case keyIgnoresStep, piecesStartAnew, columnsStartAnew
    case lastArgmax, maximumAboveZero, sumOmitsLastColumn, sumColumnsIgnoresBeta
    case updateIgnored, scatterOverwrites, scatterBackwards, gatherOffByOne
    case solveTransposed, solveHidesSingular
    case eigenvaluesDescend, eigenvectorsConjugated, eigenvectorsUnscaled
    case lossCountsIgnored, lossOverwritesGradients, lossGradientUnscaled, lossHidesNaN, lossForgetsDropout,
        lossExcludesNone
    case matrixAddendForgotten, matrixTransposesIgnored, matrixBranchesSwapped, matrixLoopsOnceMore,
        matrixExchangesNothing
    case matrixNormOfZero, matrixHidesNaN, matrixForgetsItsMessage, matrixKeepsScalars
    case recurrenceRepeatsEpilogue, recurrenceForgetsInitialState
    case preparedForgetsBias, softmaxOverflows, softmaxUnscaled, concurrentComputesOtherwise

    /// The part in which `checkBackend` must find the mistake.
    var part: BackendPart {
        switch self {
        case .uncleanMemory, .uploadIgnoresOffset, .fillIgnoresStrides, .copyIgnoresColumnStride, .lowPrecisionMemory:
            .memory
        case .gemmIgnoresAlpha, .gemmIgnoresBeta, .gemmReadsResultAtBetaZero, .gemmSwapsStrides,
            .gemmDropsLastOfLongSums, .gemmWritesPadding:
            .products
        case .impreciseExp, .greaterOrEqual, .signOfZero, .maximumHidesNaN, .sineReducesByFloat, .erfEndsEarly:
            .operations
        case .outputsOneByOne, .ignoresScalars, .rowBroadcastRepeatsFirst, .longRowsStopEarly: .programs
        case .keyIgnoresStep, .piecesStartAnew, .columnsStartAnew: .places
        case .lastArgmax, .maximumAboveZero, .sumOmitsLastColumn, .sumColumnsIgnoresBeta: .reductions
        case .updateIgnored, .scatterOverwrites, .scatterBackwards, .gatherOffByOne: .indexedRows
        case .solveTransposed, .solveHidesSingular: .solve
        case .eigenvaluesDescend, .eigenvectorsConjugated, .eigenvectorsUnscaled: .eigendecomposition
        case .lossCountsIgnored, .lossOverwritesGradients, .lossGradientUnscaled, .lossHidesNaN, .lossForgetsDropout,
            .lossExcludesNone:
            .crossEntropy
        case .matrixAddendForgotten, .matrixTransposesIgnored, .matrixBranchesSwapped, .matrixLoopsOnceMore,
            .matrixExchangesNothing, .matrixNormOfZero, .matrixHidesNaN, .matrixForgetsItsMessage, .matrixKeepsScalars:
            .matrixPrograms
        case .recurrenceRepeatsEpilogue, .recurrenceForgetsInitialState: .recurrence
        case .preparedForgetsBias, .softmaxOverflows, .softmaxUnscaled,
            .concurrentComputesOtherwise:
            .inference
        }
    }
}

/// The reference backend with one mistake.
final class FaultyBackend: Backend {
    let base = ReferenceBackend()
    let fault: Fault?
    init(_ fault: Fault?) { self.fault = fault }

    var name: String { fault?.rawValue ?? "faultless" }
    var summary: String { "the reference backend with one mistake" }
    var scalarType: ScalarType { .float64 }

    func allocate(_ count: Int) throws -> any Memory {
        let memory = try base.allocate(count)
        if fault == .uncleanMemory, count > 5 { base.fill(MatrixView(memory, offset: 5, rows: 1, columns: 1), with: 1) }
        return memory
    }
    func makeIndices(_ indices: [Int32]) throws -> any IndexMemory { try base.makeIndices(indices) }
    func update(_ memory: any IndexMemory, with indices: [Int32]) {
        if fault != .updateIgnored { base.update(memory, with: indices) }
    }
    func upload<S: HostScalar>(_ values: UnsafeBufferPointer<S>, to memory: any Memory, offset: Int) {
        if fault == .lowPrecisionMemory {
            base.upload(
                values.map { Float($0) }, to: MatrixView(memory, offset: offset, rows: 1, columns: values.count))
        } else {
            base.upload(values, to: memory, offset: fault == .uploadIgnoresOffset ? 0 : offset)
        }
    }
    func download<S: HostScalar>(_ memory: any Memory, offset: Int, into values: UnsafeMutableBufferPointer<S>) {
        base.download(memory, offset: offset, into: values)
    }
    func fill(_ view: MatrixView, with value: Double) {
        let all = MatrixView(view.memory, offset: view.offset, rows: 1, columns: view.count)
        base.fill(fault == .fillIgnoresStrides ? all : view, with: value)
    }
    func copy(_ source: MatrixView, to destination: MatrixView) {
        var source = source
        if fault == .copyIgnoresColumnStride { source.columnStride = min(source.columnStride, 1) }
        base.copy(source, to: destination)
    }
    func synchronize() {}

    func gemm(alpha: Double, _ a: MatrixView, _ b: MatrixView, beta: Double, _ c: MatrixView) {
        var (alpha, beta, a, b) = (alpha, beta, a, b)
        switch fault {
        case .gemmIgnoresAlpha: alpha = 1
        case .gemmIgnoresBeta: beta = beta == 0 ? 0 : 1
        case .gemmReadsResultAtBetaZero: beta = beta == 0 ? .leastNonzeroMagnitude : beta
        case .gemmSwapsStrides where a.rows == a.columns: a = a.transposed
        case .gemmDropsLastOfLongSums where a.columns > 1000:
            a = a.columns(0..<a.columns - 1)
            b = b.rows(0..<b.rows - 1)
        default: break
        }
        base.gemm(alpha: alpha, a, b, beta: beta, c)
        let end = c.offset + (c.rows - 1) * c.rowStride + c.columns
        if fault == .gemmWritesPadding, end < c.memory.count {
            base.fill(MatrixView(c.memory, offset: end, rows: 1, columns: 1), with: 0)
        }
    }

    func compile(_ program: PointwiseProgram) throws -> any Kernel { try base.compile(program) }

    func run(_ kernel: any Kernel, inputs: [MatrixView], outputs: [MatrixView], scalars: [Double], key: RandomKey?) {
        func run(_ inputs: [MatrixView], _ outputs: [MatrixView], _ scalars: [Double]? = nil, _ other: RandomKey? = nil)
        {
            base.run(kernel, inputs: inputs, outputs: outputs, scalars: scalars ?? kernelScalars, key: other ?? key)
        }
        let kernelScalars = scalars
        guard let first = outputs.first else { return }
        let half = first.rows / 2, middle = first.columns / 2
        func uses(_ operation: PointwiseOperation) -> Bool {
            kernel.program.instructions.contains { $0.operation == operation }
        }
        switch fault {
        case .outputsOneByOne:
            for chosen in outputs.indices {
                let spare = outputs.indices.map { $0 == chosen ? outputs[$0] : temporary(outputs[$0]) }
                run(inputs, spare)
            }
        case .ignoresScalars: run(inputs, outputs, scalars.map { _ in 1 })
        case .rowBroadcastRepeatsFirst:
            run(
                inputs.map { view in
                    var view = view
                    if view.rowStride == 0 { view.columnStride = 0 }
                    return view
                }, outputs)
        case .sineReducesByFloat where uses(.sin) && inputs[0].isPacked:
            let turn = 2 * Double(Float.pi)
            run(
                inputs.map { view in
                    let angles: [Double] = base.download(view)
                    let rests = angles.map { $0.isFinite ? $0.remainder(dividingBy: turn) : $0 }
                    return try! base.makeMatrix(rests, rows: view.rows, columns: view.columns)
                }, outputs)
        case .longRowsStopEarly where first.columns > 65_536:
            let range = 0..<65_536
            run(inputs.map { $0.columns(range) }, outputs.map { $0.columns(range) })
        case .keyIgnoresStep where key != nil:
            run(inputs, outputs, nil, RandomKey(seed: UInt64(key!.key.1) << 32 | UInt64(key!.key.0), purpose: .dropout))
        case .piecesStartAnew where half > 0:
            for rows in [0..<half, half..<first.rows] {
                run(inputs.map { $0.rows(rows) }, outputs.map { $0.rows(rows) })
            }
        case .columnsStartAnew where middle > 0 && uses(.columnIndex):
            for range in [0..<middle, middle..<first.columns] {
                run(inputs.map { $0.columns(range) }, outputs.map { $0.columns(range) })
            }
        default: run(inputs, outputs)
        }
        spoil(first, where: uses)
    }

    private func temporary(_ view: MatrixView) -> MatrixView {
        try! base.allocate(rows: view.rows, columns: view.columns)
    }

    /// Spoils the results of programs with certain operations.
    private func spoil(_ view: MatrixView, where uses: (PointwiseOperation) -> Bool) {
        let change: ((Double) -> Double)? =
            switch fault {
            case .impreciseExp where uses(.exp): { $0 * (1 + 1e-9) }
            case .greaterOrEqual where uses(.greater): { $0 == 0 ? 1 : $0 }
            case .signOfZero where uses(.sign): { $0 == 0 ? 1 : $0 }
            case .erfEndsEarly where uses(.erf): { $0.magnitude > 1 - 1e-6 ? $0.rounded() : $0 }
            case .maximumHidesNaN where uses(.maximum): { $0.isNaN ? 0 : $0 }
            default: nil
            }
        guard let change, view.isPacked else { return }
        base.upload(base.download(view, as: Double.self).map(change), to: view)
    }

    func reduceRows(_ reduction: Reduction, _ source: MatrixView, into destination: MatrixView) {
        var source = source
        if fault == .sumOmitsLastColumn, reduction == .sum, source.columns > 4 {
            source = source.columns(0..<source.columns - 1)
        }
        base.reduceRows(reduction, source, into: destination)
        guard fault == .lastArgmax || fault == .maximumAboveZero else { return }
        for r in 0..<source.rows {
            let row = try! base.allocate(rows: 1, columns: source.columns)
            base.copy(source.rows(r..<r + 1), to: row)
            let values: [Double] = base.download(row)
            let place = destination.rows(r..<r + 1)
            if fault == .lastArgmax, reduction == .argmax {
                base.fill(place, with: Double(values.lastIndex(of: values.max()!)!))
            } else if fault == .maximumAboveZero, reduction == .maximum {
                base.fill(place, with: max(0, values.max()!))
            }
        }
    }
    func sumColumns(_ source: MatrixView, beta: Double, into destination: MatrixView) {
        base.sumColumns(source, beta: fault == .sumColumnsIgnoresBeta ? (beta == 0 ? 0 : 1) : beta, into: destination)
    }

    func gatherRows(_ table: MatrixView, _ indices: any IndexMemory, into destination: MatrixView) {
        base.gatherRows(table, indices, into: destination)
        if fault == .gatherOffByOne, destination.rows > 1 {
            base.copy(destination.rows(0..<1), to: destination.rows(1..<2))
        }
    }
    func scatterAddRows(_ source: MatrixView, _ indices: any IndexMemory, into table: MatrixView) {
        var source = source
        if fault == .scatterOverwrites { base.fill(table, with: 0) }
        if fault == .scatterBackwards, source.columns == 1, source.isPacked {
            source = try! base.makeMatrix(
                base.download(source, as: Double.self).reversed(), rows: source.rows, columns: 1)
        }
        base.scatterAddRows(source, indices, into: table)
    }

    func solve(_ a: MatrixView, _ b: MatrixView) throws {
        do {
            try base.solve(fault == .solveTransposed ? a.transposed : a, b)
        } catch  where fault == .solveHidesSingular {}
    }
    func hermitianEigen(real: MatrixView, imaginary: MatrixView, eigenvalues: MatrixView) throws {
        try base.hermitianEigen(real: real, imaginary: imaginary, eigenvalues: eigenvalues)
        func scale(_ view: MatrixView, _ factor: Double) {
            base.upload(base.download(view, as: Double.self).map { factor * $0 }, to: view)
        }
        switch fault {
        case .eigenvaluesDescend: base.upload(base.download(eigenvalues, as: Double.self).reversed(), to: eigenvalues)
        case .eigenvectorsConjugated: scale(imaginary, -1)
        case .eigenvectorsUnscaled:
            scale(real, 2)
            scale(imaginary, 2)
        default: break
        }
    }

    func makeSoftmaxCrossEntropy(classes: Int, width: Int, excludedClass: Int?) throws -> any SoftmaxCrossEntropy {
        FaultyCrossEntropy(
            try base.makeSoftmaxCrossEntropy(
                classes: classes, width: width, excludedClass: fault == .lossExcludesNone ? nil : excludedClass), fault,
            base)
    }
    func makeConcurrent() throws -> (any Backend)? {
        fault == .concurrentComputesOtherwise ? FaultyBackend(.impreciseExp) : nil
    }
    func multiply(_ a: MatrixView, _ b: any PreparedMatrix, bias: MatrixView?, into c: MatrixView) {
        base.multiply(a, b, bias: fault == .preparedForgetsBias ? nil : bias, into: c)
    }
    func makeSoftmax(classes: Int) throws -> any Softmax {
        FaultySoftmax(try base.makeSoftmax(classes: classes), fault, base)
    }
    func makeRecurrence(_ plan: RecurrencePlan, _ binding: RecurrenceBinding) throws -> any RecurrenceExecutor {
        FaultyRecurrence(try DefaultRecurrence(plan, binding, on: base), fault, base)
    }
}
