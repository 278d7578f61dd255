extension ParameterUpdater {
    /// What a weight is computed from, which all processes know.
    struct BlockLayout {
        let parameters: [ManifoldMatrix]
        let base: [ManifoldMatrix]

        /// The number m for which singular values lie in 1 − m…1 + m.
        let margin: Double
        /// Whether the point of the best weights is kept, because it can't be found from a weight.
        let isKept: Bool

        init(_ workspace: any ManifoldWorkspace, _ update: any ManifoldUpdate) {
            (parameters, base, margin) = (workspace.parameters, workspace.base, update.traits.spectralMargin)
            isKept = update.traits.starts == .nowhere
        }
    }

    /// Returns the number m for which the singular values of a weight lie in 1 − m…1 + m; 0 if it is orthogonal, unitary or
    /// frozen.
    public func margin(of block: ParameterStore.OrthogonalBlock) -> Double {
        zip(parameters.orthogonalBlocks, blockLayouts).first { $0.0.name == block.name }?.1?.margin ?? 0
    }

    /// An orthogonal or unitary weight with what it is computed from.
    public struct Constrained {
        /// The block of the model's parameters that holds the weight W.
        public let block: ParameterStore.OrthogonalBlock
        /// The unconstrained parameters, and the base, if the manifold update has one.
        public let point: ManifoldPoint
        let gradients: [MatrixView]
        let workspace: any ManifoldWorkspace
        /// What the manifold update keeps.
        public let traits: ManifoldTraits
        /// The optimizer's state of each parameter.
        let states: [[MatrixView]]
        let kernels: OptimizerKernels
        /// The rate of the parameters relative to the learning rate.
        let rate: Double
        /// The point of the best weights so far, if it can't be found from the weights.
        let kept: ManifoldPoint?

        /// The first unconstrained parameter: for most manifold updates the only one, the skew-symmetric B [n, n].
        public var skew: MatrixView { point.parameters[0] }

        /// Lets the point move its base, and computes the gradients of its parameters.
        func computeGradients(_ store: ParameterStore, step: Int, gate: MatrixView?) throws {
            let weight = store.value(of: block)
            try workspace.beginStep(step, at: point, weight: weight, gate: gate)
            try workspace.parameterGradients(
                weightGradient: store.gradient(of: block), weight: weight, at: point, into: gradients)
        }
    }
}
