extension ParameterUpdater {
    /// Sets each B to one that gives the orthogonal weight that the model holds, so that
    /// training can start from a trained model; otherwise ``update(learningRate:gate:)`` would
    /// continue from the initial B.
    ///
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` naming the weight if no B of the manifold
    ///   update gives it; that weight and its B are then as before.
    public func adoptWeights() throws {
        for item in constrained {
            let size = item.block.rows.count, weight = parameters.value(of: item.block)
            let given: [Float] = backend.download(weight)
            let skew: [Float] = backend.download(item.skew)
            func fail(_ reason: String) throws -> Never {
                backend.upload(skew, to: item.skew)
                backend.upload(given, to: weight)
                throw RecurrentError.linearAlgebra("\(item.block.name): \(reason)")
            }
            do {
                try item.workspace.computeParameter(from: weight, into: item.skew)
                try item.workspace.computeWeight(from: item.skew, into: weight)
            } catch RecurrentError.linearAlgebra(let reason) {
                try fail(reason)
            }
            let found: [Float] = backend.download(weight)
            let error = zip(given, found).reduce(0 as Float) { largest, pair in
                let difference = (pair.0 - pair.1).magnitude
                return difference.isFinite ? max(largest, difference) : .infinity
            }
            // Near the eigenvalue −1 the inverse may exist but be useless.
            guard error <= 1e-3 else {
                try fail(
                    "the skew parameter found for this \(size) × \(size) matrix gives one that is \(error) off; it is no rotation, or choose another `manifold`, such as exponential"
                )
            }
        }
    }

    /// Sets B, and with it W, for tests.
    ///
    /// - Parameters:
    ///   - values: the skew-symmetric matrix [n, n], row by row.
    ///   - index: the position of the weight in ``constrained``.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if W can't be computed.
    public func setSkew(_ values: [Double], of index: Int) throws {
        backend.upload(values, to: constrained[index].skew)
        try constrained[index].workspace.computeWeight(
            from: constrained[index].skew, into: parameters.value(of: constrained[index].block))
    }
}
