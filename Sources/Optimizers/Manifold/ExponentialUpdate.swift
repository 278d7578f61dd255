import RecurrentCore

/// The paper's update (Section 3): gradient `G Wᵀ − W Gᵀ`, weight `W = exp(B)`.
///
/// The gradient is exact where B commutes with its change, in particular at `B = 0`;
/// ``ExactExponentialUpdate`` is exact everywhere.
public struct ExponentialUpdate: ManifoldUpdate, Plugin {
    public static let name = "exponential"
    public static let summary = "W = exp(B), gradient G Wᵀ − W Gᵀ (the paper's)"
    /// The choice of how exp(B) is computed.
    public struct Options: OptionSection {
        /// The method: products, or the Hermitian eigendecomposition of iB, as in the paper.
        public var method = SkewExponential.Method.scalingAndSquaring
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .choice("exponentialMethod", \.method, "How exp(B) is computed.")
        ]
    }
    /// The method by which exp(B) is computed.
    public let method: SkewExponential.Method

    public var traits: ManifoldTraits { ManifoldTraits(isExact: false) }

    public init(options: Options) { method = options.method }
    /// Creates the update.
    ///
    /// - Parameter method: the method by which exp(B) is computed.
    public init(method: SkewExponential.Method = .scalingAndSquaring) { self.method = method }

    public func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        try Workspace(size: size, on: backend, method: method)
    }
    public func makeUnitaryWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
        try UnitaryEmbedding(makeWorkspace(size: 2 * size, on: backend), size: size, on: backend) {
            try UnitaryLogarithm(size: size, on: backend)($0, into: $1.parameters[0])
        }
    }

    private final class Workspace: SkewWorkspace {
        let size: Int
        let backend: any Backend
        let exponential: SkewExponential
        let skewProduct: SkewProduct

        init(size: Int, on backend: any Backend, method: SkewExponential.Method) throws {
            self.size = size
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
