import RecurrentCore

/// A matrix of real or of complex numbers on a backend, for code that serves both.
enum FieldView {
    case real(MatrixView)
    case complex(ComplexView)

    /// Takes [n, m] as a real matrix, or [A; S] of [2n, m] as the complex matrix `A + iS` [n, m].
    init(_ matrix: MatrixView, _ field: WeightField) {
        self = field == .real ? .real(matrix) : .complex(ComplexView(matrix))
    }

    /// Takes [n, m] as a real matrix, or [A, S] of [n, 2m] as the complex matrix `A + iS` [n, m].
    init(sideBySide matrix: MatrixView, _ field: WeightField) {
        let half = matrix.columns / 2
        self =
            field == .real
            ? .real(matrix)
            : .complex(
                ComplexView(real: matrix.columns(0..<half), imaginary: matrix.columns(half..<2 * half)))
    }

    /// The conjugate of the transposed matrix.
    var adjoint: FieldView {
        switch self {
        case .real(let matrix): .real(matrix.transposed)
        case .complex(let matrix): .complex(matrix.adjoint)
        }
    }

    /// The real matrix, or the real and the imaginary part, where they are stored.
    var parts: [MatrixView] {
        switch self {
        case .real(let matrix): [matrix]
        case .complex(let matrix): [matrix.real, matrix.imaginary]
        }
    }

    /// Computes `result ← alpha · a · b + beta · result`, of matrices of the same numbers.
    static func multiply(
        _ a: FieldView, _ b: FieldView, alpha: Double = 1, beta: Double = 0, into result: FieldView,
        on backend: any Backend
    ) {
        switch (a, b, result) {
        case (.real(let a), .real(let b), .real(let result)):
            backend.gemm(alpha: alpha, a, b, beta: beta, result)
        case (.complex(let a), .complex(let b), .complex(let result)):
            ComplexView.multiply(a, b, alpha: alpha, beta: beta, into: result, on: backend)
        default: preconditionFailure("a product is one of real matrices or one of complex ones")
        }
    }
}
