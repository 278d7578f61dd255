import RecurrentCore

extension ManifoldCheck {
    /// Returns whether the determinant of a real W is positive; true for a complex one.
    func isRotation(_ w: [Double]) throws -> Bool {
        guard field == .real else { return true }
        return try OrthogonalSpectrum.isRotation(backend.makeMatrix(w, rows: n, columns: n), on: backend)
    }

    /// Checks that training starts from those given weights that the traits name, and refuses the others.
    func starts() throws {
        for isReflection in [false, true] {
            for halfTurns in [0, 2] where halfTurns < n || !isReflection {
                guard halfTurns <= n, halfTurns == 0 || traits.reachesHalfTurns else { continue }
                let w = given(isReflection: isReflection, halfTurns: halfTurns)
                let what =
                    "\(what), from a \(isReflection ? "reflection" : "rotation") with \(halfTurns) more eigenvalues −1"
                let isAllowed =
                    switch traits.starts {
                    case .nowhere: false
                    case .rotations: field == .complex || !isReflection
                    case .reflections: field == .complex || isReflection
                    case .anywhere: true
                    }
                // A unitary matrix with the eigenvalue −1 is beyond reach, too, if half turns are.
                if field == .complex, isReflection, !traits.reachesHalfTurns { continue }
                try isAllowed ? adopt(w, what) : refuse(w, what)
            }
        }
    }

    private func adopt(_ w: [Double], _ what: String) throws {
        let point = try ManifoldPoint(for: workspace, on: backend)
        let weight = try backend.makeMatrix(w, rows: rows, columns: n)
        do { try workspace.adopt(weight, into: point) } catch let error as RecurrentError {
            throw ConformanceFailure(
                "\(what): training doesn't start there, though the traits say that it can: \(error)")
        }
        try require(backend.download(weight) == w, "\(what): adopt changes the weight")
        let values = values(point)
        for (matrix, values) in zip(workspace.parameters, values) {
            try requireStructure(matrix, values, "\(what): the parameter '\(matrix.name)'")
        }
        let found = try self.weight(values)
        let error = zip(found, w).reduce(0) { max($0, ($1.0 - $1.1).magnitude) }
        try require(error <= 100 * tolerance, "\(what): the weight becomes another one, by \(error)")
        try requireOnManifold(found, what)
    }

    private func refuse(_ w: [Double], _ what: String) throws {
        let point = try ManifoldPoint(for: workspace, on: backend)
        let weight = try backend.makeMatrix(w, rows: rows, columns: n)
        // A nearly singular matrix may be inverted to something useless, which is found later.
        try requireThrow("\(what): training starts there, though the traits say that it can't") {
            try workspace.adopt(weight, into: point)
            let found = try self.weight(values(point))
            let error = zip(found, w).reduce(0) { $1.0.isFinite ? max($0, ($1.0 - $1.1).magnitude) : .infinity }
            if error > 1e-3 { throw RecurrentError.linearAlgebra("another weight") }
        }
    }

    /// Returns an orthogonal or unitary matrix: `Q D Qᵀ` for a random Q, where D has angles below 1.2, an eigenvalue −1 if
    /// it is a reflection, and a number of further ones.
    private func given(isReflection: Bool, halfTurns: Int) -> [Double] {
        var random = RandomStream(RandomKey(seed: 8, purpose: .test, stream: n))
        let reversed = halfTurns + (isReflection ? 1 : 0)
        // Rows are complex vectors, real ones if the weight is.
        var d = [(Double, Double)](repeating: (1, 0), count: n * n)
        for i in 0..<n { for j in 0..<n where i != j { d[i * n + j] = (0, 0) } }
        for i in 0..<reversed { d[i * n + i] = (-1, 0) }
        if field == .real {
            for i in stride(from: reversed, to: n - 1, by: 2) {
                let angle = random.uniform(in: 0.1...1.2)
                let (c, s) = (RealFunctions.cos(angle), RealFunctions.sin(angle))
                d[i * n + i] = (c, 0)
                d[i * n + i + 1] = (-s, 0)
                d[(i + 1) * n + i] = (s, 0)
                d[(i + 1) * n + i + 1] = (c, 0)
            }
        } else {
            for i in reversed..<max(n, reversed) {
                let angle = random.uniform(in: -1.2...1.2)
                d[i * n + i] = (RealFunctions.cos(angle), RealFunctions.sin(angle))
            }
        }
        // D is turned by reflections on both sides.
        for _ in 0..<3 {
            var v = (0..<n).map { _ in (random.normal(), field == .real ? 0 : random.normal()) }
            let length = v.reduce(0) { $0 + $1.0 * $1.0 + $1.1 * $1.1 }.squareRoot()
            v = v.map { ($0.0 / length, $0.1 / length) }
            reflect(&d, v, left: true)
            reflect(&d, v, left: false)
        }
        return (d.map(\.0) + (field == .real ? [] : d.map(\.1))).map(rounded)
    }

    /// Multiplies a complex matrix by `I − 2vvᴴ` from the left or the right.
    private func reflect(_ d: inout [(Double, Double)], _ v: [(Double, Double)], left: Bool) {
        for a in 0..<n {
            var sum = (0.0, 0.0)
            for b in 0..<n {
                let x = d[left ? b * n + a : a * n + b], y = (v[b].0, left ? -v[b].1 : v[b].1)
                sum = (sum.0 + x.0 * y.0 - x.1 * y.1, sum.1 + x.0 * y.1 + x.1 * y.0)
            }
            for b in 0..<n {
                let y = (v[b].0, left ? v[b].1 : -v[b].1), place = left ? b * n + a : a * n + b
                d[place].0 -= 2 * (sum.0 * y.0 - sum.1 * y.1)
                d[place].1 -= 2 * (sum.0 * y.1 + sum.1 * y.0)
            }
        }
    }
}
