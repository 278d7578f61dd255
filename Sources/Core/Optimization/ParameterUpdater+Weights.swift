extension ParameterUpdater {
    /// Sets each B, and what else an orthogonal weight is computed from, to what gives the weight that the model holds, so
    /// that training can start from a trained model; otherwise ``update(learningRate:gate:)`` would
    /// continue from the initial B.
    ///
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` naming the weight if nothing in reach of the manifold
    ///   update gives it; that weight and its B are then as before.
    public func adoptWeights() throws {
        for item in constrained {
            let (rows, columns) = (item.block.rows.count, item.block.size), weight = parameters.value(of: item.block)
            let given: [Double] = backend.download(weight)
            let before: [[Double]] = item.point.matrices.map { backend.download($0) }
            func fail(_ reason: String) throws -> Never {
                for (matrix, values) in zip(item.point.matrices, before) { backend.upload(values, to: matrix) }
                // The workspace sees its point again.
                try? item.workspace.computeWeight(at: item.point, into: weight)
                backend.upload(given, to: weight)
                throw RecurrentError.linearAlgebra("\(item.block.name): \(reason)")
            }
            do {
                try item.workspace.adopt(weight, into: item.point)
                try item.workspace.computeWeight(at: item.point, into: weight)
            } catch RecurrentError.linearAlgebra(let reason) {
                try fail(reason)
            }
            let found: [Double] = backend.download(weight)
            let error = zip(given, found).reduce(0.0) { largest, pair in
                let difference = (pair.0 - pair.1).magnitude
                return difference.isFinite ? max(largest, difference) : .infinity
            }
            // Near the eigenvalue −1 the inverse may exist but be useless.
            guard error <= 1e-3 else {
                try fail(
                    "the parameter found for this \(rows) × \(columns) matrix gives one that is \(Float(error)) off; this `manifold` can't reach it: choose another one, such as dynamic-trivialization"
                )
            }
        }
    }

    /// Sets B, and with it W, for tests.
    ///
    /// - Parameters:
    ///   - values: the skew-symmetric matrix [n, n], row by row, or what else the first unconstrained parameter is.
    ///   - index: the position of the weight in ``constrained``.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if W can't be computed.
    public func setSkew(_ values: [Double], of index: Int) throws {
        backend.upload(values, to: constrained[index].skew)
        try constrained[index].workspace.computeWeight(
            at: constrained[index].point, into: parameters.value(of: constrained[index].block))
    }
}
