import RecurrentCore

extension BackendCheck {
    /// Checks a program with steps of every kind, at sizes below, at and above those of tiles, and
    /// what happens to numbers that must be finite.
    func matrixPrograms() throws {
        let program = Self.everyStep
        for n in [1, 2, 3, 17, 33, 50, 64] {
            let executors = (
                try tested.makeMatrixProgram(program, size: n), try oracle.makeMatrixProgram(program, size: n)
            )
            func run(scale: Double, _ layout: Layout) throws -> [Double] {
                let factor = scale / Double(n).squareRoot()
                let inputs = try [(layout, 1 as UInt64), (.packed, 2)].map { layout, seed in
                    let values = contents(oracle, try matrix(n, n, layout, seed: seed).oracle)
                    return try matrix(n, n, layout) { Double(Float(factor * values[$0])) }
                }
                let outputs = try [(layout, 3 as UInt64), (.packed, 4)].map { try matrix(n, n, $0, seed: $1) }
                let before = inputs.map { contents(oracle, $0.oracle) }
                try executors.0.run(inputs: inputs.map(\.tested), outputs: outputs.map(\.tested))
                try executors.1.run(inputs: inputs.map(\.oracle), outputs: outputs.map(\.oracle))
                for (index, output) in outputs.enumerated() {
                    let largest = contents(oracle, output.oracle).reduce(0) { max($0, $1.magnitude) }
                    try agree(
                        output, .scale(max(10 * largest, 1)),
                        "a matrix program, [\(n), \(n)] \(layout), scale \(scale), output \(index)")
                }
                for (input, values) in zip(inputs, before) {
                    try agree(contents(tested, input.tested), values, .exact, "a matrix program changes its input")
                }
                return outputs.flatMap { contents(tested, $0.tested) }
            }
            let first = try run(scale: 0.4, .packed)
            _ = try run(scale: 6, .padded)
            _ = try run(scale: 6, .packed)
            let again = try run(scale: 0.4, .packed)
            try require(
                first == again, "\(tested.name): a matrix program, [\(n), \(n)]: different bits the second time")
        }
        for value in [Double.nan, .infinity, -.infinity] { try requiring(value) }
    }

    private func requiring(_ value: Double) throws {
        let program = MatrixProgramBuilder(inputs: 1, outputs: 1).program { p in
            let norm = p.scalar()
            p.run(PointwiseProgram(inputs: 1) { _, _ in [1] }, [p.inputs[0]], into: [p.outputs[0]])
            p.norm(p.inputs[0], into: norm)
            p.require(finite: norm, orElse: "not finite")
        }
        for n in [1, 40] {
            let executor = try tested.makeMatrixProgram(program, size: n)
            let output = try tested.allocate(rows: n, columns: n)
            let finite = [Double](repeating: 3, count: n * n)
            do {
                try executor.run(
                    inputs: [try tested.makeMatrix(finite.dropLast() + [value], rows: n, columns: n)], outputs: [output]
                )
                let values: [Double] = tested.download(output)
                try require(
                    values.allSatisfy(\.isNaN),
                    "\(tested.name): a matrix program that requires a finite number accepts \(value)")
            } catch RecurrentError.linearAlgebra(let message) {
                try require(
                    message == "not finite", "\(tested.name): a matrix program fails with the wrong message: \(message)"
                )
            }
            // The next run must succeed as usual.
            try executor.run(inputs: [try tested.makeMatrix(finite, rows: n, columns: n)], outputs: [output])
            try require(
                tested.download(output) == [Double](repeating: 1, count: n * n),
                "\(tested.name): after a matrix program that found \(value), the next run is wrong")
        }
    }

    /// A program with steps of every kind, with the inputs X, Y and the outputs P, Q.
    private static let everyStep = MatrixProgramBuilder(inputs: 2, outputs: 2).program { p in
        let (x, y, first, second) = (p.inputs[0], p.inputs[1], p.outputs[0], p.outputs[1])
        let a = p.matrix(), b = p.matrix(), c = p.matrix(), d = p.matrix(), e = p.matrix(), f = p.matrix()
        let norm = p.scalar(), inverse = p.scalar(), other = p.scalar(), count = p.scalar()
        p.product(x, y.transposed, into: a)
        p.norm(a, into: norm)
        p.compute([inverse], from: [norm]) { [1 / (1 + $0[0])] }
        p.product(x.transposed, y, alpha: .value(of: inverse), into: b)
        p.product(x.transposed, y.transposed, alpha: .constant(0.5), plus: 2, a, into: c)
        p.run(
            mix, identityAnd: [b.transposed, c, x, y.transposed], scalars: [.value(of: inverse), .constant(0.3)],
            into: [d, e])
        // The norm of a matrix that isn't a product.
        p.norm(d, into: other)
        p.branch(on: [other], { $0[0] > 12 }) {
            p.product(d, e, into: first)
        } otherwise: {
            p.product(e, d.transposed, plus: 1, c, into: c)
            p.run(half, [c], into: [first])
        }
        // A loop that ends when the norm is small.
        p.loop(atMost: 40, while: [other], { $0[0] > 1 }) {
            p.run(half, [d], into: [f])
            p.exchange(d, f)
            p.norm(d, into: other)
        }
        // A loop that runs to its limit, then one that ends when a count is reached.
        p.loop(atMost: 3, while: [], { _ in 1 }) {
            p.product(d, e, plus: 0.5, e, into: f)
            p.exchange(e, f)
        }
        p.loop(atMost: 100, while: [count], { 2 > $0[0] }) {
            p.product(d.transposed, e, into: f)
            p.exchange(f, e)
            p.compute([count, other], from: [count]) { [$0[0] + 1, $0[0]] }
        }
        p.product(first, d, alpha: .value(of: other), into: second)
        p.product(d, e, plus: 0.25, second, into: second)
        p.run(half, [first], into: [first])
    }

    private static let half = PointwiseProgram(inputs: 1) { x, _ in [0.5 * x[0]] }
    private static let mix = PointwiseProgram(inputs: 5, scalars: 2) { x, s in
        [x[0] + x[1] * s[0] + x[2], s[1] * x[3] - x[4] * x[2]]
    }
}
