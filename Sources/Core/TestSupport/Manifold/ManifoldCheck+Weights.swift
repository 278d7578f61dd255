import RecurrentCore

extension ManifoldCheck {
    /// Checks the names and shapes of the matrices.
    func layout() throws {
        let all = workspace.parameters + workspace.base
        try require(!workspace.parameters.isEmpty, "\(what): there is no parameter to step")
        try require(
            Set(all.map(\.name)).count == all.count, "\(what): two matrices are named alike: \(all.map(\.name))")
        for matrix in all where matrix.structure != .free {
            try require(
                matrix.rows == matrix.columns * (matrix.structure == .skew ? 1 : 2),
                "\(what): the matrix '\(matrix.name)' has \(matrix.rows) rows and \(matrix.columns) columns")
        }
    }

    /// Checks W at the start, for small and large B₀.
    func weights() throws {
        let zero = try weight(start([Double](repeating: 0, count: rows * n)))
        try requireOnManifold(zero, "\(what), B₀ = 0")
        // A function of B without a base is I at 0; a base may be a diagonal of signs.
        let isFunction = !workspace.parameters.contains { $0.structure == .free }
        for place in zero.indices where isFunction {
            let expected = place / n == place % n ? 1.0 : 0
            let value = workspace.base.isEmpty ? zero[place] : zero[place].magnitude
            try require(
                (value - expected).magnitude <= tolerance / 10,
                "\(what): W[\(place / n), \(place % n)] = \(zero[place]) at B = 0")
        }
        for norm in [0.01, 0.5, 3, 40] {
            let start = try start(skew(norm: norm, seed: 1)), what = "\(what), ‖B₀‖ about \(norm)"
            for (matrix, values) in zip(workspace.parameters, start) {
                try requireStructure(matrix, values, "\(what): the parameter '\(matrix.name)'")
            }
            let w = try weight(start)
            try requireOnManifold(w, what)
            _ = try weight(self.start(skew(norm: 1, seed: 2)))
            try require(try weight(start) == w, "\(what): the same point gives a different W the second time")
            let other = try update.makeWorkspace(field, size: n, on: backend)
            try require(try weight(start, in: other) == w, "\(what): a new workspace gives a different W")
            try rowStride(start, w)
        }
    }

    /// Checks the weight as a block of columns in a wider matrix.
    private func rowStride(_ values: Values, _ expected: [Double]) throws {
        let width = n + 3
        let memory = try backend.makeMatrix([Double](repeating: 7, count: rows * width), rows: rows, columns: width)
        try workspace.computeWeight(at: point(values), into: memory.columns(1..<1 + n))
        let all: [Double] = backend.download(memory)
        for i in 0..<rows {
            for j in 0..<width {
                let inside = (1...n).contains(j)
                let difference = (all[i * width + j] - (inside ? expected[i * n + j - 1] : 7)).magnitude
                try require(
                    difference <= (inside ? tolerance : 0),
                    "\(what): into a weight with a row stride, element (\(i), \(j - 1)) is \(all[i * width + j])")
            }
        }
    }

    /// Checks that `W` moves no faster than the parameters along a ray, where a method may switch branches.
    func continuity() throws {
        let start = try start([Double](repeating: 0, count: rows * n))
        var random = RandomStream(RandomKey(seed: 3, purpose: .test))
        let directions = workspace.parameters.map { matrix in
            // The spectral norm is about 1; other parameters move by less than their size at the start.
            self.random(
                matrix,
                scale: matrix.structure == .free ? 0.1 / Double(n).squareRoot() : 0.5 / (Double(n) / 3).squareRoot(),
                &random)
        }
        let length = directions.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
        let step = 0.02
        var before = try weight(start)
        for index in 1...150 {
            var values = start
            for (number, direction) in directions.enumerated() {
                for i in direction.indices {
                    values[number][i] = Double(Float(start[number][i] + direction[i] * Double(index) * step))
                }
            }
            let now = try weight(values)
            let moved = zip(now, before).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
            try require(
                moved <= 6 * step * length + 100 * tolerance,
                "\(what): W jumps by \(moved) where the parameters move by \(step * length)")
            before = now
        }
    }
}
