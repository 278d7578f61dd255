import RecurrentCore

extension BackendCheck {
    /// Checks every operation by itself, over difficult and over random numbers.
    func operations() throws {
        let hard: [Double] = [
            0, -0.0, 1, -1, 0.5, -0.5, 2, -3, 1e-6, -1e-6, 1e-30, -1e-30, 1e30, -1e30, 1e5, -3e8, 0.999, 1.001, 10, -10,
            50, -50,
            88, -88, 104, -104, 1000, -1000, .infinity, -.infinity, .nan,
        ].map { Double(Float($0)) }
        var random = RandomStream(RandomKey(seed: 5, purpose: .test))
        for opcode in Opcode.all {
            var points: [[Double]] = [[]]
            for _ in 0..<opcode.arity { points = points.flatMap { point in hard.map { point + [$0] } } }
            for index in 0..<4000 {
                let scale = [1e-3, 1, 5, 60][index % 4]
                points.append((0..<opcode.arity).map { _ in Double(Float(random.uniform(in: -scale...scale))) })
            }
            let program = PointwiseProgram(inputs: opcode.arity) { x, _ in [opcode.apply(x)] }
            let inputs = try (0..<opcode.arity).map { operand in
                try matrix(points.map { $0[operand] }, rows: 1, columns: points.count)
            }
            let result = try matrix(1, points.count)
            try run(program, inputs, [result])
            let actual = contents(tested, result.tested), expected = contents(oracle, result.oracle)
            for (index, point) in points.enumerated() {
                try agree(
                    [actual[index]], [expected[index]], opcode.isRounded ? .elements : .exact,
                    "\(opcode) of \(point)")
            }
        }
    }

    /// Checks views, shapes, in-place runs, and long and random programs.
    func programs() throws {
        let fused = PointwiseProgram(inputs: 3, scalars: 1) { x, s in [x[0] * x[1] + s[0] * x[2], max(x[0], x[2])] }
        for (rows, columns) in [(1, 1), (5, 9), (37, 130)] {
            for a in Layout.allCases {
                for b in Layout.allCases {
                    let layout = Layout.writable[(rows + a.index + 2 * b.index) % Layout.writable.count]
                    let c = Layout.allCases[(a.index + 3 * b.index) % Layout.allCases.count]
                    let inputs = try [a, b, c].enumerated().map {
                        try matrix(rows, columns, $0.element, seed: UInt64($0.offset))
                    }
                    let results = try [layout, .packed].map { try matrix(rows, columns, $0, seed: 7) }
                    try run(fused, inputs, results, scalars: [0.75])
                    for result in results {
                        try agree(result, .scale(1), "pointwise [\(rows), \(columns)], \(a), \(b), \(c) to \(layout)")
                    }
                }
            }
        }
        for (rows, columns) in [(1, 70_000), (300, 301), (1100, 1000)] {
            let inputs = try [Layout.packed, .repeatedRow, .padded].enumerated().map {
                try matrix(rows, columns, $0.element, seed: UInt64($0.offset))
            }
            let results = try [Layout.packed, .padded].map { try matrix(rows, columns, $0, seed: 7) }
            try run(fused, inputs, results, scalars: [-3])
            for result in results { try agree(result, .scale(3), "pointwise [\(rows), \(columns)]") }
        }
        try inPlace()
        try oddOutputs()
        for seed in 1...20 as ClosedRange<UInt64> { try randomProgram(seed) }
    }

    /// Checks outputs that are the very same views as inputs; all inputs must be read first.
    private func inPlace() throws {
        let exchange = PointwiseProgram(inputs: 2) { x, _ in [x[1], x[0] + x[1]] }
        for layout in Layout.writable {
            for (rows, columns) in [(4, 6), (50, 700)] {
                let a = try matrix(rows, columns, layout, seed: 1), b = try matrix(rows, columns, layout, seed: 2)
                try run(exchange, [a, b], [a, b])
                try agree(a, .exact, "in place, \(layout)")
                try agree(b, .elements, "in place, \(layout)")
            }
        }
    }

    /// Checks copies, constants, scalars, a value output twice, and a program without inputs.
    private func oddOutputs() throws {
        let program = PointwiseProgram(inputs: 1, scalars: 2) { x, s in
            [x[0], x[0], 0.125, s[1], -x[0], -x[0], s[0] * 2]
        }
        let input = try matrix(3, 50, .padded)
        let results = try (0..<7).map { try matrix(3, 50, .padded, seed: UInt64(10 + $0)) }
        try run(program, [input], results, scalars: [1.5, -0.75])
        for (index, result) in results.enumerated() {
            try agree(result, .exact, "output \(index) of a program of copies")
        }
        let constant = try matrix(4, 4, .transposed)
        try run(PointwiseProgram(inputs: 0) { _, _ in [3] }, [], [constant])
        try agree(constant, .exact, "a program without inputs")
    }

    /// Checks a program of forty operations over four inputs, most of which stay live to the end.
    private func randomProgram(_ seed: UInt64) throws {
        let program = PointwiseProgram(inputs: 4, scalars: 1) { x, s in
            var random = RandomStream(RandomKey(seed: seed, purpose: .test, stream: 1))
            var pool = x + [s[0]]
            for _ in 0..<40 {
                // Comparisons are of inputs only, as rounding must not flip them.
                let (p, q) = (x[random.integer(below: 4)], x[random.integer(below: 4)])
                let (a, b) = (pool[random.integer(below: pool.count)], pool[random.integer(below: pool.count)])
                let results: [SymbolicValue] = [
                    tanh(a + b), sigmoid(a - b), tanh(a) * b, select(p > q, a, b), max(a, b), min(a, -b),
                    abs(a) / (1 + abs(b)), exp(-abs(a)), log(1 + abs(a * b)), sqrt(0.5 + abs(a)), sign(p) * a,
                    select(p == q, b, tanh(a)), sin(a), cos(a - b), erf(a + b),
                ]
                pool.append(tanh(results[random.integer(below: results.count)]))
            }
            let half = pool.count / 2
            return [pool[half...].reduce(0, +), pool[..<half].reduce(0) { $0 * 0.5 + $1 }, pool.last!]
        }
        let layouts = Layout.allCases
        let inputs = try (0..<4).map {
            try matrix(11, 70, layouts[(Int(seed) + 3 * $0) % layouts.count], seed: seed + UInt64($0))
        }
        let results = try (0..<3).map { try matrix(11, 70, Layout.writable[(Int(seed) + $0) % 5], seed: 99) }
        try run(program, inputs, results, scalars: [0.5])
        for (index, result) in results.enumerated() {
            try agree(result, .scale(20), "output \(index) of random program \(seed)")
        }
    }

    func run(
        _ program: PointwiseProgram, _ inputs: [Pair], _ outputs: [Pair], scalars: [Double] = [], key: RandomKey? = nil
    ) throws {
        try both(inputs + outputs) { backend, views in
            let kernel = try backend.compile(program)
            try require(
                kernel.program == program, "\(backend.name): a kernel's program isn't the one that was compiled")
            backend.run(
                kernel, inputs: Array(views[..<inputs.count]), outputs: Array(views[inputs.count...]),
                scalars: scalars, key: key)
        }
    }
}

extension BackendCheck.Layout {
    var index: Int { Self.allCases.firstIndex(of: self)! }
}

extension Opcode {
    /// Whether a correct result may differ by rounding.
    var isRounded: Bool {
        ["exp", "log", "sqrt", "tanh", "sigmoid", "sin", "cos", "erf", "divide"].contains(description)
    }
}
