import RecurrentCore

/// Products with a complex reflection, `Y = (I − 2 v vᴴ / N) X` with `N = vᴴv`, and the gradient of v.
final class ComplexReflection {
    private let size: Int
    private let backend: any Backend
    /// `vᴴX` as a row, [2, n], and N, [1, 1].
    private let row: MatrixView, length: MatrixView
    /// Columns of the gradient, [2n, 1] each, and a number [2, 1].
    private let columns: [MatrixView], number: MatrixView
    private let subtract: any Kernel, combine: any Kernel

    init(size n: Int, on backend: any Backend) throws {
        (size, self.backend) = (n, backend)
        row = try backend.allocate(rows: 2, columns: n)
        length = try backend.allocate(rows: 1, columns: 1)
        columns = try (0..<3).map { _ in try backend.allocate(rows: 2 * n, columns: 1) }
        number = try backend.allocate(rows: 2, columns: 1)
        // X, v, h = vᴴX, N → X − 2 v h / N
        subtract = try backend.compile(
            PointwiseProgram(inputs: 7) { x, _ in
                let scale = 2 / x[6]
                return [
                    x[0] - scale * (x[2] * x[4] - x[3] * x[5]), x[1] - scale * (x[2] * x[5] + x[3] * x[4]),
                ]
            })
        // r, t, v, c, N → −2 (r + t) / N + 4 c v / N²
        combine = try backend.compile(
            PointwiseProgram(inputs: 5) { x, _ in
                [(4 * x[3] / x[4] * x[2] - 2 * (x[0] + x[1])) / x[4]]
            })
    }

    /// The vector [2, n] as a complex column [n, 1].
    private func column(_ vector: MatrixView) -> ComplexView {
        let parts = (0..<2).map { vector.rows($0..<$0 + 1).reshaped(rows: size, columns: 1) }
        return ComplexView(real: parts[0], imaginary: parts[1])
    }

    private func measure(_ vector: MatrixView) {
        let all = vector.reshaped(rows: 1, columns: 2 * size)
        backend.gemm(all, all.transposed, into: length)
    }

    /// Computes Y.
    ///
    /// - Parameters:
    ///   - vector: the real and the imaginary part of v, [2, n], packed.
    ///   - matrix: X of [2n, n].
    ///   - result: where Y is written, [2n, n]; another matrix.
    func callAsFunction(_ vector: MatrixView, _ matrix: MatrixView, into result: MatrixView) {
        let n = size, (v, x, y) = (column(vector), ComplexView(matrix), ComplexView(result))
        measure(vector)
        ComplexView.multiply(v.adjoint, x, into: ComplexView(row), on: backend)
        func all(_ view: MatrixView) -> MatrixView { view.broadcast(rows: n, columns: n) }
        backend.run(
            subtract,
            inputs: [
                x.real, x.imaginary, all(v.real), all(v.imaginary), all(row.rows(0..<1)), all(row.rows(1..<2)),
                all(length),
            ], outputs: [y.real, y.imaginary])
    }

    /// Computes the gradient of v: `−2 (G hᴴ + X (Gᴴ v)) / N + 4 Re(h Gᴴ v) v / N²` with `h = vᴴX`.
    ///
    /// - Parameters:
    ///   - vector: v, [2, n], packed.
    ///   - matrix: X of [2n, n].
    ///   - gradient: the gradient G of Y, [2n, n].
    ///   - result: where the gradient is written, [2, n], packed.
    func gradient(_ vector: MatrixView, _ matrix: MatrixView, _ gradient: MatrixView, into result: MatrixView) throws {
        let (v, x, g, h) = (column(vector), ComplexView(matrix), ComplexView(gradient), ComplexView(row))
        let parts = columns.map { ComplexView($0) }
        measure(vector)
        ComplexView.multiply(v.adjoint, x, into: h, on: backend)
        ComplexView.multiply(g, h.adjoint, into: parts[0], on: backend)
        ComplexView.multiply(g.adjoint, v, into: parts[1], on: backend)
        ComplexView.multiply(x, parts[1], into: parts[2], on: backend)
        ComplexView.multiply(h, parts[1], into: ComplexView(number), on: backend)
        func all(_ view: MatrixView) -> MatrixView { view.broadcast(rows: size, columns: 1) }
        for (r, t, part, target) in [
            (parts[0].real, parts[2].real, v.real, column(result).real),
            (parts[0].imaginary, parts[2].imaginary, v.imaginary, column(result).imaginary),
        ] {
            backend.run(combine, inputs: [r, t, part, all(number.rows(0..<1)), all(length)], outputs: [target])
        }
    }
}
