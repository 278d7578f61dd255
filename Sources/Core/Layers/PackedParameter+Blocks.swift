extension PackedParameter {
    /// The blocks of rows that must stay orthogonal or unitary: each orthogonal part, and each pair of the real and the
    /// imaginary part of a unitary weight, which is named `A+iS`.
    ///
    /// - Precondition: each real part is followed by its imaginary part.
    var orthogonalBlocks: [(rows: Range<Int>, name: String, field: WeightField)] {
        parts.enumerated().compactMap { position, part in
            let rows = part.start..<part.start + part.count
            switch part.parameter.constraint {
            case .free: return nil
            case .orthogonal: return (rows, part.parameter.name, .real)
            case .unitaryReal:
                let next = position + 1
                precondition(
                    next < parts.count && parts[next].parameter.constraint == .unitaryImaginary,
                    "the recurrent weight after '\(part.parameter.name)' must be its imaginary part; declare both with unitaryWeight(real:imaginary:)"
                )
                let imaginary = parts[next]
                return (
                    rows.lowerBound..<imaginary.start + imaginary.count,
                    "\(part.parameter.name)+i\(imaginary.parameter.name)", .complex
                )
            case .unitaryImaginary:
                precondition(
                    position > 0 && parts[position - 1].parameter.constraint == .unitaryReal,
                    "the recurrent weight before '\(part.parameter.name)' must be its real part; declare both with unitaryWeight(real:imaginary:)"
                )
                return nil
            }
        }
    }
}
