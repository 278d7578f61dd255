import RecurrentCore

/// The paper's update (Section 3): gradient `G Wᵀ − W Gᵀ`, weight `W = exp(B)`.
///
/// The gradient is exact where B commutes with its own change, at `B = 0` above
/// all; ``ExactExponentialUpdate`` is exact everywhere.
public struct ExponentialUpdate: ManifoldUpdate {
    public let method: SkewExponential.Method

    public init(method: SkewExponential.Method = .scalingAndSquaring) { self.method = method }

    public var name: String { method == .scalingAndSquaring ? "exponential" : "exponential-eigen" }
    public var summary: String {
        method == .scalingAndSquaring
            ? "W = exp(B) by products, gradient G Wᵀ − W Gᵀ (the paper's)"
            : "the same, with exp by Hermitian eigendecomposition of iB (as the paper computes it)"
    }

    public func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        try Workspace(size: size, on: backend, method: method)
    }

    private final class Workspace: ManifoldWorkspace {
        let backend: any Backend
        let exponential: SkewExponential
        let skewProduct: SkewProduct

        init(size: Int, on backend: any Backend, method: SkewExponential.Method) throws {
            self.backend = backend
            exponential = try SkewExponential(size: size, on: backend, method: method)
            skewProduct = try SkewProduct(size: size, on: backend)
        }

        func computeWeight(from parameter: MatrixView, into weight: MatrixView) throws {
            try exponential(parameter, into: weight)
        }

        func computeParameter(from weight: MatrixView, into parameter: MatrixView) throws {
            try SkewLogarithm(size: weight.rows, on: backend)(weight, into: parameter)
        }

        func parameterGradient(
            weightGradient gradient: MatrixView, weight: MatrixView, parameter: MatrixView, into result: MatrixView
        ) throws {
            skewProduct(gradient, weight.transposed, into: result)
        }
    }
}
