/// The input of a recurrent layer at T·B positions.
package enum RecurrentInput {
    /// Vectors, [T·B, E].
    case vectors(MatrixView)
    /// Tokens of an embedding, whose rows are the vectors.
    case tokens(EmbeddedTokens)

    /// The number of positions, T·B.
    var count: Int {
        switch self {
        case .vectors(let vectors): vectors.rows
        case .tokens(let tokens): tokens.indices.count
        }
    }
    /// The width E of the vectors.
    var width: Int {
        switch self {
        case .vectors(let vectors): vectors.columns
        case .tokens(let tokens): tokens.table.columns
        }
    }
    /// What a binding to the input depends on: its memory and the place in it.
    var identity: Identity {
        switch self {
        case .vectors(let vectors): Identity(memory: ObjectIdentifier(vectors.memory), offset: vectors.offset)
        case .tokens(let tokens): Identity(memory: ObjectIdentifier(tokens.indices), offset: tokens.table.offset)
        }
    }

    struct Identity: Equatable {
        let memory: ObjectIdentifier
        let offset: Int
    }
}

/// Tokens with the embedding that gives them their vectors.
package struct EmbeddedTokens {
    /// The embedding, [V, E].
    let table: MatrixView
    /// The gradient of the embedding, [V, E], to which that of a pass is added.
    let gradient: MatrixView
    /// The tokens, below V.
    let indices: any IndexMemory

    /// Whether products with the whole embedding take less than half of the work of products with each position's vector.
    static func isWorthwhile(positions: Int, vocabulary: Int) -> Bool { positions >= 2 * vocabulary }
}
