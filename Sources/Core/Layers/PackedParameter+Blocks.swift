extension PackedParameter {
    /// The blocks of rows that must stay orthogonal or unitary: each orthogonal part, or each of its blocks along the
    /// diagonal, which are named `B.0`, `B.1` and so on, and each pair of the real and the imaginary part of a unitary
    /// weight, which is named `A+iS`.
    var orthogonalBlocks: [(rows: Range<Int>, name: String, field: WeightField)] {
        zip(parts, parts.dropFirst().map(Optional.some) + [nil]).flatMap {
            part, next -> [(rows: Range<Int>, name: String, field: WeightField)] in
            let rows = part.start..<part.start + part.count, name = part.parameter.name
            switch (part.parameter.constraint, next) {
            case (.orthogonal, _) where part.parameter.shape != .full:
                let blocks = part.parameter.blocks
                return (0..<blocks).map { (rows.part($0, of: blocks), "\(name).\($0)", .real) }
            case (.orthogonal, _): return [(rows, name, .real)]
            case (.unitaryReal, let imaginary?):
                return [
                    (
                        rows.lowerBound..<imaginary.start + imaginary.count, "\(name)+i\(imaginary.parameter.name)",
                        .complex
                    )
                ]
            // The layout has checked that every part of a unitary weight has the other one.
            case (.free, _), (.unitaryReal, nil), (.unitaryImaginary, _): return []
            }
        }
    }
}
