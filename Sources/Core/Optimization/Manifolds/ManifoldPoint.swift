/// The numbers of which a constrained weight consists.
public enum WeightField: String, Sendable, Hashable, CaseIterable {
    /// A real weight W [n, n] with `WᵀW = I`.
    case real
    /// A complex weight `W = A + iS` with `WᴴW = I`, stored as [A; S] of [2n, n].
    case complex

    /// Returns the number of rows in which a weight [size, size] is stored.
    public func rows(size: Int) -> Int { self == .real ? size : 2 * size }
}

/// A matrix that a ``ManifoldWorkspace`` computes the weight from: its name, its shape, and what its steps keep.
public struct ManifoldMatrix: Sendable, Hashable {
    /// What a matrix and its gradient are throughout training.
    public enum Structure: Sendable, Hashable {
        /// Any matrix.
        case free
        /// A matrix [n, n] with `Bᵀ = -B` exactly.
        case skew
        /// The matrices [X; Y] of [2n, n] of `X + iY`, with `Xᵀ = -X` and `Yᵀ = Y` exactly.
        case skewHermitian
    }

    /// The name in checkpoints, after that of the weight; empty for the only parameter of an update.
    public let name: String
    /// The number of rows.
    public let rows: Int
    /// The number of columns.
    public let columns: Int
    /// What the matrix is throughout training.
    public let structure: Structure
    /// The number of elements.
    public var count: Int { rows * columns }
    /// The number of elements that the others don't determine: n(n − 1)/2 of a skew-symmetric matrix, n² of a
    /// skew-Hermitian one, otherwise all.
    public var freeCount: Int {
        switch structure {
        case .free: count
        case .skew: columns * (columns - 1) / 2
        case .skewHermitian: columns * columns
        }
    }

    /// Creates a matrix that may be anything.
    public init(_ name: String, rows: Int, columns: Int) {
        (self.name, self.rows, self.columns, structure) = (name, rows, columns, .free)
    }

    private init(_ name: String, rows: Int, columns: Int, _ structure: Structure) {
        (self.name, self.rows, self.columns, self.structure) = (name, rows, columns, structure)
    }

    /// Returns a skew-symmetric matrix [size, size], by default the only parameter.
    public static func skew(_ name: String = "", size: Int) -> ManifoldMatrix {
        ManifoldMatrix(name, rows: size, columns: size, .skew)
    }

    /// Returns a skew-Hermitian matrix of [2 · size, size], by default the only parameter.
    public static func skewHermitian(_ name: String = "", size: Int) -> ManifoldMatrix {
        ManifoldMatrix(name, rows: 2 * size, columns: size, .skewHermitian)
    }
}

/// What determines a weight: the values of the parameters and of the base of a ``ManifoldWorkspace``.
public struct ManifoldPoint: Sendable {
    /// The parameters, packed, as ``ManifoldWorkspace/parameters`` lists them.
    public let parameters: [MatrixView]
    /// The base, packed, as ``ManifoldWorkspace/base`` lists it.
    public let base: [MatrixView]

    /// Creates a point of matrices that lie somewhere.
    public init(_ parameters: MatrixView..., base: [MatrixView] = []) { self.init(parameters, base: base) }

    /// Creates a point of matrices that lie somewhere.
    public init(_ parameters: [MatrixView], base: [MatrixView] = []) {
        (self.parameters, self.base) = (parameters, base)
    }

    /// Creates a point for a workspace, with zeros.
    ///
    /// - Throws: what the backend throws if there is no memory.
    public init(for workspace: any ManifoldWorkspace, on backend: any Backend) throws {
        func allocate(_ matrices: [ManifoldMatrix]) throws -> [MatrixView] {
            try matrices.map { try backend.allocate(rows: $0.rows, columns: $0.columns) }
        }
        self.init(try allocate(workspace.parameters), base: try allocate(workspace.base))
    }

    /// All matrices: the parameters, then the base.
    public var matrices: [MatrixView] { parameters + base }
}

/// Which weights a ``ManifoldUpdate`` is for, and what it keeps.
public struct ManifoldTraits: Sendable, Hashable {
    /// The given weights from which training can start. No update changes the sign of a determinant.
    public enum Starts: String, Sendable, Hashable, CaseIterable {
        /// None, except with the parameters that were saved with it.
        case nowhere = "no given weight but its own"
        /// Those with the determinant 1; all unitary weights.
        case rotations = "given rotations"
        /// Those with the determinant −1; all unitary weights.
        case reflections = "given reflections"
        /// All.
        case anywhere = "any given weight"
    }

    /// The kinds of weights that the update keeps orthogonal or unitary.
    public var fields: Set<WeightField>
    /// The given weights from which training can start.
    public var starts: Starts
    /// What to choose to start from real weights of the other determinant, such as "an odd number of `reflections`"; nil if
    /// no option of the update helps.
    public var otherStarts: String?
    /// Whether W may have the eigenvalue −1.
    public var reachesHalfTurns: Bool
    /// Whether the gradient is the derivative at every point where it is computed, and not only where the parameter is 0.
    public var isExact: Bool
    /// The number m for which the singular values of W lie in 1 − m…1 + m; 0 if W is orthogonal or unitary.
    public var spectralMargin: Double
    /// Whether the start of training depends on the initial B₀.
    public var startsFromSkew: Bool

    /// Creates traits, by default those of an exact function of a skew-symmetric B that reaches all rotations.
    public init(
        fields: Set<WeightField> = [.real, .complex], starts: Starts = .rotations, otherStarts: String? = nil,
        reachesHalfTurns: Bool = true, isExact: Bool = true, spectralMargin: Double = 0, startsFromSkew: Bool = true
    ) {
        (self.fields, self.starts, self.otherStarts) = (fields, starts, otherStarts)
        self.reachesHalfTurns = reachesHalfTurns
        (self.isExact, self.spectralMargin, self.startsFromSkew) = (isExact, spectralMargin, startsFromSkew)
    }

    /// The traits in one line, for `cli list`.
    public var text: String {
        var parts = [
            fields == [.real] ? "real weights" : fields == [.complex] ? "complex weights" : "real and complex weights",
            isExact ? "exact gradient" : "approximate gradient", "training can start from \(starts.rawValue)",
        ]
        if !reachesHalfTurns { parts.append("without the eigenvalue −1") }
        if spectralMargin > 0 { parts.append("singular values 1 ± \(spectralMargin)") }
        return parts.joined(separator: ", ")
    }
}
