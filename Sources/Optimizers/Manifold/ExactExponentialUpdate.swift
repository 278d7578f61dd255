import RecurrentCore

/// The update `W = exp(B)` with its exact gradient, the adjoint of the Fréchet derivative
/// of exp (Lezcano-Casado & Martínez-Rubio 2019, "expRNN").
///
/// With `A = G Wᵀ − W Gᵀ` the gradient is `∫₀¹ exp(−sB) A exp(sB) ds`. For
/// `h = 2^-k` the integral from 0 to h is a short series of commutators, each of
/// which takes one product (`[B, T] = BT − (BT)ᵀ` for skew B, T); then
/// `I(2h) = I(h) + exp(hB)ᵀ I(h) exp(hB)` doubles it k times.
public struct ExactExponentialUpdate: ManifoldUpdate, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "exact-exponential"
    public static let summary = "W = exp(B) with the exact gradient (expRNN)"

    public func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        try Workspace(size: size, on: backend)
    }
    public func makeUnitaryWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        try UnitaryEmbedding(makeWorkspace(size: 2 * size, on: backend), size: size, on: backend) {
            try UnitaryLogarithm(size: size, on: backend)($0, into: $1.parameters[0])
        }
    }

    final class Workspace: SkewWorkspace {
        let size: Int
        let backend: any Backend
        let exponential: any MatrixProgramExecutor
        let smallExponential: any MatrixProgramExecutor
        let norm: ColumnNorm
        let polish: NewtonSchulz
        let skewProduct: SkewProduct
        let terms: [MatrixView]
        let rotations: [MatrixView]
        let scratch: [MatrixView]
        let accumulate: any Kernel
        let scaled: any Kernel
        let termCount: Int

        init(size: Int, on backend: any Backend) throws {
            self.size = size
            self.backend = backend
            let type = backend.scalarType
            exponential = try backend.makeMatrixProgram(TaylorExponential.program(type), size: size)
            smallExponential = try backend.makeMatrixProgram(TaylorExponential.smallProgram(type), size: size)
            norm = try ColumnNorm(size: size, on: backend)
            polish = try NewtonSchulz(size: size, on: backend)
            skewProduct = try SkewProduct(size: size, on: backend)
            func matrices(_ count: Int) throws -> [MatrixView] {
                try (0..<count).map { _ in try backend.allocate(rows: size, columns: size) }
            }
            terms = try matrices(2)
            rotations = try matrices(2)
            scratch = try matrices(2)
            accumulate = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [x[0] + x[1]] })
            scaled = try backend.compile(PointwiseProgram(inputs: 1, scalars: 1) { x, s in [x[0] * s[0]] })
            // The k-th term is at most 2^-k / (k + 1)! times the first.
            termCount = backend.scalarType == .float64 ? 13 : 7
        }

        func computeWeight(from parameter: MatrixView, into weight: MatrixView) throws {
            try exponential.run(inputs: [parameter], outputs: [weight])
        }

        func computeParameter(from weight: MatrixView, into parameter: MatrixView) throws {
            try SkewLogarithm(size: weight.rows, on: backend)(weight, into: parameter)
        }

        func parameterGradient(
            weightGradient gradient: MatrixView, weight: MatrixView, parameter: MatrixView, into result: MatrixView
        ) throws {
            // ‖h ad_B‖ ≤ 2 h ‖B‖ ≤ 1/2, with ‖B‖₂² ≤ ‖B²‖₁
            backend.gemm(parameter, parameter, into: scratch[0])
            let bound = norm(scratch[0]).squareRoot()
            guard bound.isFinite else { throw RecurrentError.skewNotFinite }
            var doublings = 0, h = 1.0
            while bound * h > 0.25 { (doublings, h) = (doublings + 1, h / 2) }

            skewProduct(gradient, weight.transposed, into: terms[0])
            backend.run(scaled, inputs: [terms[0]], outputs: [result], scalars: [h])
            backend.copy(result, to: terms[0])
            var current = 0
            for k in 1..<termCount where bound > 0 {
                // next term: −h / (k + 1) · [B, term]
                skewProduct(parameter, terms[current], into: terms[1 - current], scale: -h / Double(k + 1))
                current = 1 - current
                backend.run(accumulate, inputs: [result, terms[current]], outputs: [result])
            }
            guard doublings > 0 else { return }
            backend.run(scaled, inputs: [parameter], outputs: [scratch[0]], scalars: [h])
            try smallExponential.run(inputs: [scratch[0]], outputs: [rotations[0]])
            for index in 0..<doublings {
                let rotation = rotations[index & 1]
                // M = Eᵀ I E is made exactly skew again, as half of M − Mᵀ.
                backend.gemm(result, rotation, into: scratch[0])
                skewProduct(rotation.transposed, scratch[0], into: scratch[1], scale: 0.5)
                backend.run(accumulate, inputs: [result, scratch[1]], outputs: [result])
                guard index < doublings - 1 else { break }
                let next = rotations[1 - (index & 1)]
                // Squaring doubles the deviation from orthogonality.
                let polishes = index % 6 == 5
                backend.gemm(rotation, rotation, into: polishes ? scratch[0] : next)
                if polishes { polish(scratch[0], into: next) }
            }
        }
    }
}
