/// A constant matrix that is the right operand of many products, in the form that a backend multiplies by fastest.
///
/// It holds a copy of the matrix or refers to its memory, which must not change. Products with it may be computed by
/// several backends of ``Backend/makeConcurrent()`` at the same time.
public protocol PreparedMatrix: AnyObject, Sendable {
    /// The number of rows.
    var rows: Int { get }
    /// The number of columns.
    var columns: Int { get }
}

/// Replaces each row of a matrix by its softmax.
public protocol Softmax: AnyObject {
    /// Replaces each row of `rows` [R, V], whose elements are finite, by its softmax, which adds up to 1.
    ///
    /// - Precondition: `columnStride` is 1 and `rowStride` is V rounded up to a multiple of 16; what lies between two rows
    ///   may be overwritten.
    func run(_ rows: MatrixView)
}

extension Backend {
    public func makeConcurrent() throws -> (any Backend)? { nil }

    public func prepare(_ matrix: MatrixView) throws -> any PreparedMatrix { MatrixReference(view: matrix) }

    public func multiply(_ a: MatrixView, _ b: any PreparedMatrix, bias: MatrixView?, into c: MatrixView) {
        guard let b = b as? MatrixReference else { preconditionFailure("a matrix that another backend has prepared") }
        if let bias { copy(bias.broadcast(rows: c.rows, columns: c.columns), to: c) }
        gemm(alpha: 1, a, b.view, beta: bias == nil ? 0 : 1, c)
    }

    public func makeSoftmax(classes: Int) throws -> any Softmax { try DefaultSoftmax(classes: classes, on: self) }
}

/// A matrix that is multiplied by as it is.
private final class MatrixReference: PreparedMatrix {
    let view: MatrixView
    var rows: Int { view.rows }
    var columns: Int { view.columns }
    init(view: MatrixView) { self.view = view }
}

/// A softmax from a backend's reductions and pointwise programs.
private final class DefaultSoftmax: Softmax {
    private let backend: any Backend
    private let exponential: any Kernel, quotient: any Kernel
    private var column: Scratch

    init(classes: Int, on backend: any Backend) throws {
        self.backend = backend
        exponential = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [exp(x[0] - x[1])] })
        quotient = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [x[0] / x[1]] })
        column = Scratch(backend)
    }

    func run(_ rows: MatrixView) {
        guard let column = try? column.view(rows: rows.rows, columns: 1) else {
            preconditionFailure("no memory for one number per row")
        }
        let spread = column.broadcast(rows: rows.rows, columns: rows.columns)
        backend.reduceRows(.maximum, rows, into: column)
        backend.run(exponential, inputs: [rows, spread], outputs: [rows])
        backend.reduceRows(.sum, rows, into: column)
        backend.run(quotient, inputs: [rows, spread], outputs: [rows])
    }
}
