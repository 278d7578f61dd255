extension ParameterUpdater {
    /// What a weight is computed from, which all processes know.
    struct BlockLayout {
        let parameters: [ManifoldMatrix]
        let base: [ManifoldMatrix]

        init(_ workspace: any ManifoldWorkspace) { (parameters, base) = (workspace.parameters, workspace.base) }
    }

    /// An orthogonal or unitary weight with what it is computed from.
    public struct Constrained {
        /// The block of the model's parameters that holds the weight W.
        public let block: ParameterStore.OrthogonalBlock
        /// The unconstrained parameters, and the base, if the manifold update has one.
        public let point: ManifoldPoint
        let gradients: [MatrixView]
        let workspace: any ManifoldWorkspace
        /// The optimizer's state of each parameter.
        let states: [[MatrixView]]
        let kernels: OptimizerKernels
        /// The rate of the parameters relative to the learning rate.
        let rate: Double

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
