import RecurrentCore

/// Checks every function of a backend against an oracle and, where the right result is known
/// independently (residuals, Philox's bits, cross-entropy), against that result.
///
/// Views of all kinds are used (strided, transposed, broadcast), and the memory around each
/// result is compared as well, so that a write outside the result is found.
///
/// - Parameters:
///   - backend: the backend to check.
///   - oracle: the backend to compare with, `ReferenceBackend`.
///   - parts: the parts to check; some only while a backend is being written.
///   - tolerance: the largest relative error of sums and transcendental functions; if nil,
///     1e-5 for Float32 and 1e-11 for Double. Copies, comparisons, random numbers and single
///     arithmetic operations must agree exactly.
/// - Throws: ``ConformanceFailure`` for the first property that doesn't hold.
public func checkBackend(
    _ backend: any Backend, against oracle: any Backend, parts: [BackendPart] = BackendPart.allCases,
    tolerance: Double? = nil
) throws {
    let check = BackendCheck(
        tested: backend, oracle: oracle,
        tolerance: tolerance ?? (backend.scalarType == .float64 ? 1e-11 : 1e-5))
    try require(!backend.name.isEmpty && !backend.summary.isEmpty, "a backend needs a name and a summary")
    for part in parts {
        switch part {
        case .memory: try check.memory()
        case .products: try check.products()
        case .operations: try check.operations()
        case .programs: try check.programs()
        case .places: try check.places()
        case .reductions: try check.reductions()
        case .indexedRows: try check.indexedRows()
        case .solve: try check.solving()
        case .eigendecomposition: try check.eigendecomposition()
        case .crossEntropy: try check.crossEntropy()
        case .matrixPrograms: try check.matrixPrograms()
        case .inference: try check.inference()
        case .recurrence:
            for (cell, units) in [(TwoStageCell(), 19), (ComplexCell(), 19), (StructuredCell(blocks: 3), 18)]
                as [(any RecurrentCell, Int)]
            {
                try checkCell(
                    cell, on: backend, against: oracle, hiddenWidth: units, steps: 25,
                    tolerance: max(10 * check.tolerance, 1e-9))
            }
        }
    }
}

/// A part of a backend that ``checkBackend(_:against:parts:tolerance:)`` can check.
public enum BackendPart: Sendable, CaseIterable {
    /// Allocation, upload, download, fill and copy.
    case memory
    /// Matrix products, `gemm`.
    case products
    /// Each operation of pointwise programs, over difficult values.
    case operations
    /// Pointwise programs over views of all kinds, in place, and long ones.
    case programs
    /// Random numbers and column indices.
    case places
    /// Reductions, `reduceRows` and `sumColumns`.
    case reductions
    /// Rows chosen by indices, `gatherRows` and `scatterAddRows`.
    case indexedRows
    /// Linear systems, `solve`.
    case solve
    /// Hermitian eigendecomposition, `hermitianEigen`.
    case eigendecomposition
    /// Softmax cross-entropy, `makeSoftmaxCrossEntropy`.
    case crossEntropy
    /// Matrix programs, `makeMatrixProgram`: products, norms, branches and loops.
    case matrixPrograms
    /// A cell with two states and two stages, forward and backward.
    case recurrence
    /// Prepared matrices, softmax, and a backend for concurrent calls.
    case inference
}

/// A backend, its oracle, and the tolerance of their comparison.
struct BackendCheck {
    let tested: any Backend
    let oracle: any Backend
    let tolerance: Double

    /// The same matrix on both backends.
    struct Pair {
        var tested: MatrixView
        var oracle: MatrixView

        func map(_ change: (MatrixView) -> MatrixView) -> Pair { Pair(tested: change(tested), oracle: change(oracle)) }
    }

    /// The layout of a matrix in its memory.
    enum Layout: CaseIterable {
        case packed, padded, transposed, paddedTransposed
        /// Every second column, a repeated row, a repeated column, and one repeated number: layouts
        /// that only pointwise programs take.
        case everySecondColumn, repeatedRow, repeatedColumn, repeatedNumber

        /// The layouts that a product takes.
        static let dense: [Layout] = [.packed, .padded, .transposed, .paddedTransposed]
        /// The layouts in which the elements of a row are adjacent.
        static let byRows: [Layout] = [.packed, .padded]
        /// The layouts in which no two elements share a place.
        static let writable: [Layout] = dense + [.everySecondColumn]
    }

    /// Returns a matrix with the same numbers, exact in Float, on both backends.
    ///
    /// - Parameters:
    ///   - rows: the number of rows.
    ///   - columns: the number of columns.
    ///   - layout: the layout in memory.
    ///   - seed: the seed of the random numbers.
    ///   - value: a function from the index of an element in memory to its value; if nil, values
    ///     are random in ±1.
    func matrix(
        _ rows: Int, _ columns: Int, _ layout: Layout = .packed, seed: UInt64 = 1, value: ((Int) -> Double)? = nil
    ) throws -> Pair {
        let (offset, rowStride, columnStride) =
            switch layout {
            case .packed: (0, columns, 1)
            case .padded: (3, columns + 5, 1)
            case .transposed: (0, 1, rows)
            case .paddedTransposed: (2, 1, rows + 3)
            case .everySecondColumn: (1, 2 * columns + 1, 2)
            case .repeatedRow: (2, 0, 1)
            case .repeatedColumn: (1, 1, 0)
            case .repeatedNumber: (1, 0, 0)
            }
        let count = offset + (rows - 1) * rowStride + (columns - 1) * columnStride + 1 + (layout == .packed ? 0 : 2)
        // A linear congruential generator (Knuth's): millions of numbers are made here.
        var state = seed
        let values = (0..<count).map { index in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return value?(index) ?? Double(Int32(truncatingIfNeeded: state >> 32) >> 8) * 0x1p-23
        }
        func view(_ backend: any Backend) throws -> MatrixView {
            let memory = try backend.makeMatrix(values, rows: 1, columns: count).memory
            return MatrixView(
                memory, offset: offset, rows: rows, columns: columns, rowStride: rowStride, columnStride: columnStride)
        }
        return Pair(tested: try view(tested), oracle: try view(oracle))
    }

    /// Returns a packed matrix with the given numbers on both backends.
    func matrix(_ values: [Double], rows: Int, columns: Int) throws -> Pair {
        try matrix(rows, columns) { values[$0] }
    }

    /// Returns the whole memory that a view belongs to.
    func contents(_ backend: any Backend, _ view: MatrixView) -> [Double] {
        backend.download(MatrixView(view.memory, rows: 1, columns: view.memory.count))
    }

    /// The way in which two results are compared.
    enum Agreement {
        /// Equal, with NaN equal to NaN.
        case exact
        /// Equal up to the tolerance, relative to each element.
        case elements
        /// Equal up to the tolerance, relative to the given magnitude.
        case scale(Double)
    }

    /// Compares the whole memory of a result on both backends.
    func agree(_ pair: Pair, _ agreement: Agreement, _ what: @autoclosure () -> String) throws {
        try agree(contents(tested, pair.tested), contents(oracle, pair.oracle), agreement, what())
    }

    func agree(
        _ actual: [Double], _ expected: [Double], _ agreement: Agreement, _ what: @autoclosure () -> String
    ) throws {
        try require(
            actual.count == expected.count,
            "\(tested.name): \(what()): \(actual.count) scalars where \(expected.count) are expected")
        for (index, (a, exact)) in zip(actual, expected).enumerated() {
            let e = tested.scalarType == .float32 ? Double(Float(exact)) : exact
            if a == e || (a.isNaN && e.isNaN) { continue }
            // Numbers below the least normal number may be flushed to 0.
            let least =
                tested.scalarType == .float32
                ? Double(Float.leastNormalMagnitude) : Double.leastNormalMagnitude
            let allowed =
                switch agreement {
                case .exact: 0.0
                case .elements: max(tolerance * e.magnitude, least)
                case .scale(let scale): max(tolerance * scale, least)
                }
            try require(
                a.isFinite && e.isFinite && (a - e).magnitude <= allowed,
                "\(tested.name): \(what()): scalar \(index) of its memory is \(a), but should be \(e)")
        }
    }

    /// Makes the same calls on both backends.
    func both(_ pairs: [Pair], _ body: (any Backend, [MatrixView]) throws -> Void) rethrows {
        try body(tested, pairs.map(\.tested))
        try body(oracle, pairs.map(\.oracle))
    }
}

/// A cell with two states, a gate and a nested product, which exercises what a recurrence can hold.
struct TwoStageCell: RecurrentCell {
    var name: String { "conformance-cell" }
    var summary: String { "two states, two stages" }
    var stateNames: [String] { ["h", "c"] }
    var parameters: [CellParameter] {
        [
            .inputWeight("U_f"), .inputWeight("U_g"), .recurrentWeight("W_f"), .recurrentWeight("W_g"),
            .inputBias("b_f"), .recurrentBias("b_g"),
        ]
    }
    func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        let (h, c) = (states[0], states[1])
        let f = sigmoid(p.U_f • x + p.W_f • h + p.b_f)
        let g = tanh(p.U_g • x + p.W_g • (f * h) + p.b_g)
        let next = f * c + (1 - f) * g
        return [g * tanh(next), next]
    }
}
