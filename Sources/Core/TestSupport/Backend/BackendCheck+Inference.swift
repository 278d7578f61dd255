import RecurrentCore

extension BackendCheck {
    /// Checks prepared matrices, softmax, and backends for concurrent calls.
    func inference() throws {
        for (m, n, k) in [
            (1, 1, 1), (1, 33, 17), (7, 150, 50), (3, 17, 1), (300, 70, 20), (5, 1030, 260), (2, 65, 1500),
        ] {
            for layout in [Layout.packed, .padded, .transposed, .paddedTransposed] {
                for hasBias in [false, true] { try prepared(m, n, k, layout, hasBias: hasBias) }
            }
        }
        for (rows, columns) in [(1, 1), (3, 16), (5, 13), (40, 1000)] { try softmax(rows, columns) }
        try concurrentCalls()
    }

    private func prepared(_ m: Int, _ n: Int, _ k: Int, _ layout: Layout, hasBias: Bool) throws {
        let left = try matrix(m, k, .padded, seed: 1), right = try matrix(k, n, layout, seed: 2)
        let bias = try matrix(1, n, seed: 4), result = try matrix(m, n, .padded, seed: 3, value: { _ in .nan })
        let weight = try tested.prepare(right.tested), own = try oracle.prepare(right.oracle)
        try require(
            weight.rows == k && weight.columns == n,
            "\(tested.name): a prepared matrix [\(k), \(n)] has the shape [\(weight.rows), \(weight.columns)]")
        let what = "product [\(m), \(k)] with a prepared \(layout) [\(k), \(n)]\(hasBias ? " and a bias" : "")"
        tested.multiply(left.tested, weight, bias: hasBias ? bias.tested : nil, into: result.tested)
        oracle.multiply(left.oracle, own, bias: hasBias ? bias.oracle : nil, into: result.oracle)
        try agree(result, .scale(Double(k).squareRoot() + 1), what)
    }

    private func softmax(_ rows: Int, _ columns: Int) throws {
        func view(_ backend: any Backend) throws -> MatrixView {
            let stride = (columns + 15) / 16 * 16, memory = try backend.allocate(rows * stride)
            // Some rows are far from 0, where an exponential overflows.
            for row in 0..<rows {
                let numbers = (0..<columns).map { column in
                    Double(Float((row % 3 - 1) * 1000) + Float((column * 37 + row * 11) % 101) / 16)
                }
                numbers.withUnsafeBufferPointer { backend.upload($0, to: memory, offset: row * stride) }
            }
            return MatrixView(memory, rows: rows, columns: columns, rowStride: stride)
        }
        let views = (try view(tested), try view(oracle))
        try tested.makeSoftmax(classes: columns).run(views.0)
        try oracle.makeSoftmax(classes: columns).run(views.1)
        for row in 0..<rows {
            let numbers: [Double] = tested.download(views.0.rows(row..<row + 1))
            try agree(
                numbers, oracle.download(views.1.rows(row..<row + 1)), .scale(1), "softmax of row \(row) of \(rows)")
            try require(
                (numbers.reduce(0, +) - 1).magnitude < 1e-4, "\(tested.name): softmax: row \(row) doesn't add up to 1")
        }
    }

    /// A backend for concurrent calls reads what the first one has prepared.
    private func concurrentCalls() throws {
        guard let other = try tested.makeConcurrent() else { return }
        try require(other.scalarType == tested.scalarType, "\(tested.name): makeConcurrent changes the type of numbers")
        let left = try matrix(4, 30, seed: 5), right = try matrix(30, 40, seed: 6)
        let weight = try tested.prepare(right.tested)
        let first = try tested.allocate(rows: 4, columns: 40), second = try other.allocate(rows: 4, columns: 40)
        tested.multiply(left.tested, weight, bias: nil, into: first)
        other.multiply(left.tested, weight, bias: nil, into: second)
        let kernel = try tested.compile(PointwiseProgram(inputs: 1) { x, _ in [exp(x[0])] })
        tested.run(kernel, inputs: [first], outputs: [first])
        other.run(kernel, inputs: [second], outputs: [second])
        try agree(
            other.download(second), tested.download(first), .exact, "the same calls on the backend of makeConcurrent")
    }
}
