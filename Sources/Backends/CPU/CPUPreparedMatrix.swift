import CPUKernels
import RecurrentCore

/// A matrix that is packed for the CPU's products.
final class CPUPreparedMatrix: PreparedMatrix {
    let rows: Int
    let columns: Int
    let packed: CPUMemory

    init(_ matrix: MatrixView, team: OpaquePointer) throws {
        rows = matrix.rows
        columns = matrix.columns
        let isTransposed = matrix.columnStride != 1 && matrix.columns > 1
        precondition(!isTransposed || matrix.rowStride == 1, "prepare: one stride of the matrix must be 1")
        packed = try CPUMemory(Int(ck_prepared_size(team, Int64(columns), Int64(rows))))
        ck_prepare_matrix(
            team, matrix.pointer, Int64(isTransposed ? matrix.columnStride : matrix.rowStride), isTransposed,
            Int64(columns), Int64(rows), packed.base)
    }
}

extension CPUBackend {
    public func prepare(_ matrix: MatrixView) throws -> any PreparedMatrix {
        try CPUPreparedMatrix(matrix, team: team)
    }

    public func multiply(_ a: MatrixView, _ b: any PreparedMatrix, bias: MatrixView?, into c: MatrixView) {
        let matrix = b as! CPUPreparedMatrix
        precondition(
            a.columns == matrix.rows && c.columns == matrix.columns && a.rows == c.rows, "multiply: shapes disagree")
        precondition(
            (a.columnStride == 1 || a.columns == 1) && (c.columnStride == 1 || c.columns == 1)
                && (bias.map { $0.columnStride == 1 && $0.count == c.columns } ?? true),
            "multiply: rows must be contiguous")
        ck_multiply_prepared(
            team, Int64(a.rows), Int64(c.columns), Int64(a.columns), a.pointer, Int64(a.rowStride), matrix.packed.base,
            bias?.pointer, c.pointer, Int64(c.rowStride))
    }

    public func makeSoftmax(classes: Int) throws -> any Softmax { try CPUSoftmax(classes: classes, on: self) }
}

/// The softmax of rows by vectorised exponentials.
private final class CPUSoftmax: Softmax {
    private let classes: Int
    private let backend: CPUBackend
    private let zeros: CPUMemory

    init(classes: Int, on backend: CPUBackend) throws {
        self.classes = classes
        self.backend = backend
        zeros = try CPUMemory(classes)
    }

    func run(_ rows: MatrixView) {
        precondition(
            rows.columns == classes && rows.columnStride == 1 && rows.rowStride == (classes + 15) / 16 * 16,
            "softmax: rows of another shape")
        ck_softmax_rows(
            backend.team, rows.pointer, Int64(rows.rows), Int64(classes), Int64(rows.rowStride), zeros.base)
    }
}
