extension ParameterUpdater {
    /// Sets each B, and what else an orthogonal weight is computed from, to what gives the weight that the model holds, so
    /// that training can start from a trained model; otherwise ``update(learningRate:gate:)`` would
    /// continue from the initial B.
    ///
    /// Where a manifold update can't find its parameters from a weight (``ManifoldTraits/Starts/nowhere``), they are taken
    /// from the saved state of the run that the weights are from.
    ///
    /// - Parameter state: the saved state of the run that the weights are from, as ``TrainingCheckpoint/save(to:metadata:)``
    ///   wrote it; nil if there is none.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` naming the weight if nothing in reach of the manifold
    ///   update gives it; that weight and its B are then as before.
    public func adoptWeights(savedIn state: SafeTensors? = nil) throws {
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
            let isSaved = try item.traits.starts == .nowhere && (state.map { try restore(item, from: $0) } ?? false)
            do {
                if !isSaved { try item.workspace.adopt(weight, into: item.point) }
                try item.workspace.computeWeight(at: item.point, into: weight)
            } catch RecurrentError.linearAlgebra(let reason) {
                try fail(reason)
            }
            let found: [Double] = backend.download(weight)
            let error = zip(given, found).reduce(0.0) { largest, pair in
                let difference = (pair.0 - pair.1).magnitude
                return difference.isFinite ? max(largest, difference) : .infinity
            }
            guard !isSaved || error <= 1e-5 else {
                try fail(
                    "its parameters can't be computed from it, and those in the saved state are of other weights; choose another `manifold`, such as dynamic-trivialization"
                )
            }
            // Near the eigenvalue −1 the inverse may exist but be useless.
            guard error <= 1e-3 else {
                try fail(
                    "the parameter found for this \(rows) × \(columns) matrix gives one that is \(Float(error)) off; this `manifold` can't reach it: choose another one, such as dynamic-trivialization"
                )
            }
        }
    }

    /// Sets the parameters and the base of a weight to those of a saved state.
    ///
    /// - Returns: whether the state has them all.
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` or ``RecurrentError/file(path:reason:)`` if it can't be read.
    private func restore(_ item: Constrained, from state: SafeTensors) throws -> Bool {
        let matrices = Array(zip(item.workspace.parameters + item.workspace.base, item.point.matrices))
        // The present point is that of the best weights if no other one is saved.
        let names = [Self.keptName, Self.stateName].map { name in matrices.map { name($0.0, item.block) } }
        let found = names.first { names in
            zip(names, matrices).allSatisfy { state[$0]?.shape == [$1.0.rows, $1.0.columns] }
        }
        guard let found else { return false }
        for (name, matrix) in zip(found, matrices) {
            switch backend.scalarType {
            case .float32: backend.upload(try state.floats(name), to: matrix.1)
            case .float64: backend.upload(try state.doubles(name), to: matrix.1)
            }
        }
        return true
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
