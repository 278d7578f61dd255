import RecurrentCore

/// The Cayley transform `W = (I − B/2)⁻¹ (I + B/2)` with its exact gradient
/// (Helfrich, Willmott & Ye 2018, "scoRNN").
///
/// It reaches every rotation that doesn't have the eigenvalue −1. The gradient is
/// `M − Mᵀ` with `M = (I + B/2)⁻¹ G (I + Wᵀ) / 2`.
public struct CayleyUpdate: ManifoldUpdate, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "cayley"
    public var traits: ManifoldTraits { ManifoldTraits(reachesHalfTurns: false) }
    public static let summary = "W = (I − B/2)⁻¹ (I + B/2) with its exact gradient (scoRNN)"

    public func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        try Workspace(size: size, on: backend)
    }

    final class Workspace: SkewWorkspace {
        let size: Int
        let backend: any Backend
        let identity: MatrixView
        let matrix: MatrixView
        let right: MatrixView
        let norm: ColumnNorm
        let polish: NewtonSchulz
        let shift: any Kernel
        let subtract: any Kernel

        init(size: Int, on backend: any Backend) throws {
            self.size = size
            self.backend = backend
            identity = try backend.makeMatrix(
                (0..<size * size).map { $0 / size == $0 % size ? Float(1) : 0 }, rows: size, columns: size)
            matrix = try backend.allocate(rows: size, columns: size)
            right = try backend.allocate(rows: size, columns: size)
            norm = try ColumnNorm(size: size, on: backend)
            polish = try NewtonSchulz(size: size, on: backend)
            // I, B → I + s B
            shift = try backend.compile(PointwiseProgram(inputs: 2, scalars: 1) { x, s in [x[0] + s[0] * x[1]] })
            subtract = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [x[0] - x[1]] })
        }

        func computeWeight(from parameter: MatrixView, into weight: MatrixView) throws {
            backend.run(shift, inputs: [identity, parameter], outputs: [matrix], scalars: [-0.5])
            backend.run(shift, inputs: [identity, parameter], outputs: [right], scalars: [0.5])
            let bound = norm(parameter)
            guard bound.isFinite else { throw RecurrentError.skewNotFinite }
            try backend.solve(matrix, right)
            if bound <= 100 { return backend.copy(right, to: weight) }
            // A large B makes I − B/2 ill-conditioned, and the solution inaccurate.
            polish(right, into: matrix)
            polish(matrix, into: weight)
        }

        /// Computes `B = 2 (W + I)⁻¹ (W − I)`.
        func computeParameter(from weight: MatrixView, into parameter: MatrixView) throws {
            backend.run(shift, inputs: [weight, identity], outputs: [matrix], scalars: [1])
            backend.run(shift, inputs: [weight, identity], outputs: [right], scalars: [-1])
            do { try backend.solve(matrix, right) } catch RecurrentError.linearAlgebra {
                throw RecurrentError.linearAlgebra(
                    "it has the eigenvalue −1, which the Cayley transform doesn't reach; choose another `manifold`, such as scaled-cayley or exponential"
                )
            }
            // M is skew up to rounding: 2 M is computed as M − Mᵀ, which is exactly skew.
            backend.run(subtract, inputs: [right, right.transposed], outputs: [parameter])
        }

        func parameterGradient(
            weightGradient gradient: MatrixView, weight: MatrixView, parameter: MatrixView, into result: MatrixView
        ) throws {
            backend.run(shift, inputs: [identity, weight.transposed], outputs: [matrix], scalars: [1])
            backend.gemm(alpha: 0.5, gradient, matrix, beta: 0, right)
            backend.run(shift, inputs: [identity, parameter], outputs: [matrix], scalars: [0.5])
            try backend.solve(matrix, right)
            backend.run(subtract, inputs: [right, right.transposed], outputs: [result])
        }
    }
}
