/// The initialization of free recurrent weights.
public enum RecurrentInitialization: String, Sendable, CaseIterable {
    /// Uniform numbers in ±1/√H, as in torch.nn.RNN.
    case uniform
    /// The identity: the IRNN (Le, Jaitly & Hinton 2015), and the fair control
    /// for a uRNN that starts at B = 0.
    case identity
    /// A random orthogonal matrix per gate (Saxe, McClelland & Ganguli 2014).
    case orthogonal
    /// Rotations of planes by uniform angles in ±π, per gate: the exponential of the initial
    /// B of Henaff, Szlam & LeCun (2016), so the control for a uRNN that starts there.
    case rotations
}

extension RecurrentInitialization {
    /// Returns an orthogonal matrix [size, size], row by row.
    ///
    /// - Precondition: the initialization is orthogonal.
    func block(_ size: Int, _ random: inout RandomStream) -> [Double] {
        switch self {
        case .identity: (0..<size * size).map { $0 / size == $0 % size ? 1 : 0 }
        case .orthogonal: RandomMatrix.orthogonal(size, &random)
        case .rotations: RandomMatrix.rotations(size, &random)
        case .uniform: preconditionFailure("uniform numbers are no orthogonal matrix")
        }
    }
}

/// The initialization of the embedding and the projection.
public enum TableInitialization: String, Sendable, CaseIterable {
    /// N(0, 1) for the embedding, uniform in ±1/√H for the projection: torch's defaults.
    case torch
    /// Uniform weights in ±0.1 and zero biases, as in PyTorch's word_language_model.
    case languageModel = "language-model"
}

/// Random matrices for the start of free recurrent weights.
enum RandomMatrix {
    /// Returns a random orthogonal matrix: Gram–Schmidt, repeated once for accuracy, on a
    /// matrix of normal numbers.
    static func orthogonal(_ size: Int, _ random: inout RandomStream) -> [Double] {
        var rows: [[Double]] = []
        while rows.count < size {
            var row = (0..<size).map { _ in random.normal() }
            for _ in 0..<2 {
                for other in rows {
                    let projection = zip(row, other).reduce(0) { $0 + $1.0 * $1.1 }
                    for i in 0..<size { row[i] -= projection * other[i] }
                }
            }
            let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
            if norm > 1e-6 { rows.append(row.map { $0 / norm }) }
        }
        return rows.flatMap { $0 }
    }

    /// Returns a matrix of diagonal blocks [[cos θ, −sin θ], [sin θ, cos θ]]; if the size is
    /// odd, the last diagonal element is 1.
    static func rotations(_ size: Int, _ random: inout RandomStream) -> [Double] {
        var matrix = (0..<size * size).map { $0 / size == $0 % size ? 1.0 : 0 }
        for i in stride(from: 0, to: size - 1, by: 2) {
            let angle = random.uniform(in: -.pi...(.pi))
            let (cosine, sine) = (RealFunctions.cos(angle), RealFunctions.sin(angle))
            matrix[i * size + i] = cosine
            matrix[i * size + i + 1] = -sine
            matrix[(i + 1) * size + i] = sine
            matrix[(i + 1) * size + i + 1] = cosine
        }
        return matrix
    }
}
