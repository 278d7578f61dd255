extension PackedParameter {
    /// The blocks of rows that must stay orthogonal or unitary: each orthogonal part, and each pair of the real and the
    /// imaginary part of a unitary weight, which is named `A+iS`.
    var orthogonalBlocks: [(rows: Range<Int>, name: String, field: WeightField)] {
        zip(parts, parts.dropFirst().map(Optional.some) + [nil]).compactMap { part, next in
            let rows = part.start..<part.start + part.count
            switch (part.parameter.constraint, next) {
            case (.orthogonal, _): return (rows, part.parameter.name, .real)
            case (.unitaryReal, let imaginary?):
                return (
                    rows.lowerBound..<imaginary.start + imaginary.count,
                    "\(part.parameter.name)+i\(imaginary.parameter.name)", .complex
                )
            // The layout has checked that every part of a unitary weight has the other one.
            case (.free, _), (.unitaryReal, nil), (.unitaryImaginary, _): return nil
            }
        }
    }
}
