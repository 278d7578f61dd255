/// A parameter of a cell: its role in the equations and its initial values.
///
/// Parameters of the same kind are stored one after another in the order of their
/// declaration, under PyTorch's names: input weights as `weight_ih` [G·H, E],
/// recurrent weights as `weight_hh` [G·H, H], biases as `bias_ih` and `bias_hh`
/// [G·H]. A cell that declares its gates in torch's order is therefore saved in
/// torch's format. Products with the same operand are merged into one GEMM if
/// their weights are adjacent.
public struct CellParameter: Sendable {
    /// The role of a parameter, which decides its shape and where it is stored.
    public enum Kind: Hashable, Sendable {
        /// A weight [H, E] that multiplies the input, with torch's initial values; stored in `weight_ih`.
        case inputWeight
        /// A weight [H, H] that multiplies a state or any other value of width H; stored in
        /// `weight_hh`, or under its own name if its ``Shape`` isn't full.
        case recurrentWeight
        /// A bias [H] with torch's initial values; stored in `bias_ih`.
        case inputBias
        /// A bias [H] with torch's initial values; stored in `bias_hh`.
        case recurrentBias
        /// A vector [H] that starts at zero; stored under its own name.
        case perUnit
    }

    /// Whether `•` multiplies the parameter by a value.
    var isWeight: Bool { kind == .inputWeight || kind == .recurrentWeight }
    /// Whether the parameter is stored as a vector.
    package var isVector: Bool { !isWeight || shape == .diagonal }
    /// Whether the parameter is stored under its own name.
    var hasOwnName: Bool { kind == .perUnit || shape != .full }
    /// The number of blocks along the diagonal of a matrix.
    package var blocks: Int { if case .blockDiagonal(let blocks) = shape { blocks } else { 1 } }

    /// Which elements of a recurrent weight [H, H] there are.
    public enum Shape: Hashable, Sendable {
        /// All of them.
        case full
        /// Those on the diagonal, stored as a vector [H] under the parameter's own name; the product is taken element by
        /// element.
        case diagonal
        /// Square blocks along the diagonal, of the same size, stored as [H, H / blocks] under the parameter's own name:
        /// block i is rows i · H / blocks ..< (i + 1) · H / blocks. H must be a multiple of `blocks`.
        case blockDiagonal(blocks: Int)
        /// Those below square blocks along the diagonal and in these blocks, with `blockSize` rows each (the last has what is
        /// left), stored as [H, H] under the parameter's own name. The others are 0 and stay so.
        case lowerTriangular(blockSize: Int)

        /// Returns a mask [n, n], row by row, that is 1 where there is an element and 0 where there is none; nil if there is
        /// nothing to mask.
        func mask(size: Int) -> [Double]? {
            guard case .lowerTriangular(let blockSize) = self else { return nil }
            return (0..<size * size).map { $0 % size / blockSize <= $0 / size / blockSize ? 1 : 0 }
        }
    }

    /// A condition that a weight satisfies throughout training.
    public enum Constraint: Hashable, Sendable {
        /// No condition.
        case free
        /// The condition `Wᵀ W = I`, which a ``ManifoldUpdate`` maintains.
        case orthogonal
        /// The condition `Wᴴ W = I` for `W = A + iS`, where this is A and the next recurrent weight is S.
        case unitaryReal
        /// The condition `Wᴴ W = I` for `W = A + iS`, where this is S and the recurrent weight before it is A.
        case unitaryImaginary

        /// Whether a ``ManifoldUpdate`` computes the weight, so that no optimizer steps it directly.
        public var isOnManifold: Bool { self != .free }
    }

    /// The values with which a parameter starts.
    public enum Initialization: Sendable {
        /// The same number everywhere.
        case constant(Double)
        /// Uniform random numbers in a range.
        case uniform(ClosedRange<Double>)
        /// What a function returns: the elements row by row.
        ///
        /// It is given the shape of the parameter, [rows, columns] with one row for a vector, and a random stream, from
        /// which it may draw; runs with the same seed then start with the same numbers.
        case computed(@Sendable (_ rows: Int, _ columns: Int, _ random: inout RandomStream) -> [Double])
    }

    /// The name by which the cell's equations refer to the parameter.
    public let name: String
    /// The role of the parameter.
    public let kind: Kind
    /// The elements that the parameter has, if it is a recurrent weight; otherwise ``Shape/full``.
    public let shape: Shape
    /// The condition that the parameter satisfies throughout training.
    public let constraint: Constraint
    /// The values with which the parameter starts; nil for those that its ``kind`` has by default, which for a recurrent
    /// weight a run may choose (``RecurrentInitialization``).
    public let initialization: Initialization?

    /// Creates a parameter; only a recurrent weight can have a constraint or a shape that isn't full, and what is constrained has no
    /// initialization of its own.
    public init(
        _ name: String, _ kind: Kind, shape: Shape = .full, constraint: Constraint = .free,
        initialization: Initialization? = nil
    ) {
        self.name = name
        self.kind = kind
        self.shape = shape
        self.constraint = constraint
        self.initialization = initialization
    }

    /// Creates a weight [H, E] that multiplies the input.
    public static func inputWeight(_ name: String, initialization: Initialization? = nil) -> CellParameter {
        CellParameter(name, .inputWeight, initialization: initialization)
    }
    /// Creates a weight [H, H] that multiplies a state or any other value of width H. Each block of a block-diagonal
    /// weight satisfies the constraint.
    public static func recurrentWeight(
        _ name: String, shape: Shape = .full, constraint: Constraint = .free, initialization: Initialization? = nil
    ) -> CellParameter {
        CellParameter(name, .recurrentWeight, shape: shape, constraint: constraint, initialization: initialization)
    }
    /// Creates the weights A and S, [H, H] each, of a unitary matrix `W = A + iS`: `WᴴW = I`. List them side by side, as
    /// they are returned.
    public static func unitaryWeight(real: String, imaginary: String) -> [CellParameter] {
        [
            CellParameter(real, .recurrentWeight, constraint: .unitaryReal),
            CellParameter(imaginary, .recurrentWeight, constraint: .unitaryImaginary),
        ]
    }
    /// Creates a bias [H] that is stored in `bias_ih`.
    public static func inputBias(_ name: String, initialization: Initialization? = nil) -> CellParameter {
        CellParameter(name, .inputBias, initialization: initialization)
    }
    /// Creates a bias [H] that is stored in `bias_hh`.
    public static func recurrentBias(_ name: String, initialization: Initialization? = nil) -> CellParameter {
        CellParameter(name, .recurrentBias, initialization: initialization)
    }
    /// Creates a vector [H] that is stored under its own name and starts at `initialValue`.
    public static func perUnit(_ name: String, initialValue: Double = 0) -> CellParameter {
        CellParameter(name, .perUnit, initialization: .constant(initialValue))
    }
    /// Creates a vector [H] that is stored under its own name.
    public static func perUnit(_ name: String, initialization: Initialization) -> CellParameter {
        CellParameter(name, .perUnit, initialization: initialization)
    }
}
