/// The norm `‖M‖₁` of a matrix: the largest sum of the magnitudes in a column.
package final class ColumnNorm {
    private let backend: any Backend
    private let absolute: any Kernel
    private let magnitudes: MatrixView
    private let sums: MatrixView

    package init(size: Int, on backend: any Backend) throws {
        self.backend = backend
        absolute = try backend.compile(PointwiseProgram(inputs: 1) { x, _ in [abs(x[0])] })
        magnitudes = try backend.allocate(rows: size, columns: size)
        sums = try backend.allocate(rows: 1, columns: size)
    }

    /// Returns the norm, which is infinite if an element isn't finite; waits for the backend.
    package func callAsFunction(_ matrix: MatrixView) -> Double {
        backend.run(absolute, inputs: [matrix], outputs: [magnitudes])
        backend.sumColumns(magnitudes, beta: 0, into: sums)
        let values: [Double] = backend.download(sums)
        return values.reduce(0) { $1.isFinite ? max($0, $1) : .infinity }
    }
}
