import RecurrentCore

extension ManifoldCheck {
    /// Checks what a step consists of: the base moves, the gradients are computed, the parameters are stepped.
    func steps() throws {
        for norm in [0, 0.1, 0.5, 3, 12] {
            var values = try start(skew(norm: norm, seed: 5))
            var random = RandomStream(RandomKey(seed: 6, purpose: .test))
            let sign = try isRotation(weight(values))
            for step in 1...3 {
                let what = "\(what), ‖B₀‖ about \(norm), step \(step)"
                let w = try weight(values)
                try require(try isRotation(w) == sign, "\(what): the determinant of W changes its sign")
                try requireOnManifold(w, what)
                values = try beginStep(step, values, w, what)
                try gradients(values, w, step: step, what)
                for (number, matrix) in workspace.parameters.enumerated() {
                    let change = self.random(matrix, scale: 0.1, &random)
                    for i in change.indices { values[number][i] = rounded(values[number][i] + change[i]) }
                }
            }
        }
    }

    /// Returns the point after the base has moved, if it does.
    private func beginStep(_ step: Int, _ values: Values, _ w: [Double], _ what: String) throws -> Values {
        func moved(gate: Double?) throws -> Values {
            let point = try point(values), weight = try backend.makeMatrix(w, rows: rows, columns: n)
            // The workspace has seen the point, as in training.
            let own = try backend.allocate(rows: rows, columns: n)
            try workspace.computeWeight(at: point, into: own)
            try workspace.beginStep(
                step, at: point, weight: weight, gate: gate.map { try backend.makeMatrix([$0], rows: 1, columns: 1) })
            try require(backend.download(weight) == w, "\(what): beginStep changes the weight")
            return self.values(point)
        }
        for gate in [Double.infinity, .nan] {
            try require(try moved(gate: gate) == values, "\(what): beginStep moves the point behind a gate of \(gate)")
        }
        let after = try moved(gate: nil)
        try require(try moved(gate: 1) == after, "\(what): a finite gate changes what beginStep does")
        for (matrix, values) in zip(workspace.parameters, after) {
            try requireStructure(matrix, values, "\(what): the parameter '\(matrix.name)' after beginStep")
        }
        let error = zip(try weight(after), w).reduce(0) { max($0, ($1.0 - $1.1).magnitude) }
        try require(error <= tolerance, "\(what): beginStep moves W by \(error)")
        return after
    }

    private func gradients(_ values: Values, _ w: [Double], step: Int, _ what: String) throws {
        var random = RandomStream(RandomKey(seed: 4, purpose: .test))
        // J = Σ G · W
        let g = (0..<rows * n).map { _ in Double(Float(random.uniform(in: -1...1))) }
        let actual = try gradients(g, at: values, workspace)
        for (matrix, gradient) in zip(workspace.parameters, actual) {
            try requireStructure(matrix, gradient, "\(what): the gradient of '\(matrix.name)'")
        }
        let other = try update.makeWorkspace(field, size: n, on: backend)
        try require(
            try gradients(g, at: values, other) == actual,
            "\(what): a new workspace, as of a resumed run, gives another gradient")
        guard isDouble else { return }
        let size = zip(workspace.parameters, values).reduce(0) { largest, item in
            item.0.structure == .free ? largest : item.1.reduce(largest) { max($0, $1.magnitude) }
        }
        guard isExact || size <= 0.1 else { return }
        var compared: [Double] = [], expected: [Double] = []
        for number in workspace.parameters.indices {
            for move in moves(of: number) {
                compared.append(actual[number][move.places[0].element] * move.share)
                expected.append(
                    try centralDifferences([0]) { offset in
                        var moved = values
                        for place in move.places { moved[number][place.element] += place.sign * offset[0] }
                        return zip(try weight(moved), g).reduce(0) { $0 + $1.0 * $1.1 }
                    }[0])
            }
        }
        guard !compared.isEmpty else { return }
        if isExact || size == 0 {
            let error = relativeError(compared, expected)
            let bound = max(tolerance, 1e-9)
            let isSmall = (compared + expected).allSatisfy { $0.magnitude <= bound }
            try require(
                error <= bound || isSmall, "\(what): the gradient differs from central differences by \(error)")
        } else {
            let product = zip(compared, expected).reduce(0) { $0 + $1.0 * $1.1 }
            try require(product > 0, "\(what): the gradient does not point uphill")
        }
    }

    /// Elements that move together, and the share of the gradient's element that is their derivative.
    private struct Move {
        let places: [(element: Int, sign: Double)]
        var share = 1.0
    }

    /// Returns about 20 moves of a parameter that keep its structure.
    private func moves(of number: Int) -> [Move] {
        let matrix = workspace.parameters[number], size = matrix.columns
        func pairs(_ first: Int, _ sign: Double) -> [Move] {
            (0..<size).flatMap { i in
                (0..<i).map { j in Move(places: [(first + i * size + j, 1), (first + j * size + i, sign)]) }
            }
        }
        var all: [Move]
        switch matrix.structure {
        case .free: all = (0..<matrix.count).map { Move(places: [($0, 1)]) }
        case .skew: all = pairs(0, -1)
        case .skewHermitian:
            all = pairs(0, -1) + pairs(size * size, 1)
            all += (0..<size).map { Move(places: [((size + $0) * size + $0, 1)], share: 0.5) }
        }
        let every = max(1, all.count / 20)
        return all.enumerated().filter { $0.offset % every == 0 }.map(\.element)
    }

    private func gradients(_ g: [Double], at values: Values, _ workspace: any ManifoldWorkspace) throws -> Values {
        let point = try point(values)
        // Weight and gradient are rows of larger matrices, as for a gate of stacked weights.
        let nines = [Double](repeating: 9, count: rows * n)
        let weights = try backend.makeMatrix(nines + nines, rows: 2 * rows, columns: n)
        let all = try backend.makeMatrix(nines + g, rows: 2 * rows, columns: n)
        let (weight, gradient) = (weights.rows(rows..<2 * rows), all.rows(rows..<2 * rows))
        try workspace.computeWeight(at: point, into: weight)
        let results = try workspace.parameters.map {
            try backend.makeMatrix([Double](repeating: .nan, count: $0.count), rows: $0.rows, columns: $0.columns)
        }
        let before: [Double] = backend.download(weights)
        try workspace.parameterGradients(weightGradient: gradient, weight: weight, at: point, into: results)
        try require(
            backend.download(weights) == before && backend.download(all) == nines + g && self.values(point) == values,
            "\(what): parameterGradients changes its inputs")
        return results.map { backend.download($0) }
    }
}
