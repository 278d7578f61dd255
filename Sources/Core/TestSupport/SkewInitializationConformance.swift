import RecurrentCore

/// Checks an initialization of skew parameters: that its values are exactly skew-symmetric, and those for unitary weights
/// exactly skew-Hermitian, finite, of the requested size, and the same for the same random stream.
///
/// - Throws: ``ConformanceFailure`` for the first property that doesn't hold.
public func checkSkewInitialization(
    _ initialization: any SkewInitialization, sizes: [Int] = [1, 2, 3, 8, 17]
) throws {
    let name = initialization.name
    try require(!name.isEmpty && !initialization.summary.isEmpty, "an initialization needs a name and a summary")
    for size in sizes {
        for seed in 1...3 as ClosedRange<UInt64> {
            func make() -> [Double] {
                var random = RandomStream(RandomKey(seed: seed, purpose: .test))
                return initialization.values(size: size, random: &random)
            }
            let values = make()
            try require(
                values.count == size * size, "\(name): \(values.count) numbers for a \(size) × \(size) matrix")
            for i in 0..<size {
                for j in 0...i {
                    let (a, b) = (values[i * size + j], values[j * size + i])
                    try require(
                        a.isFinite && a == -b, "\(name), size \(size): B[\(i), \(j)] = \(a) but B[\(j), \(i)] = \(b)")
                }
            }
            try require(values == make(), "\(name), size \(size): the same random stream gives different numbers")

            func makeComplex() -> [Double] {
                var random = RandomStream(RandomKey(seed: seed, purpose: .test))
                return initialization.complexValues(size: size, random: &random)
            }
            let parts = makeComplex(), square = size * size
            try require(
                parts.count == 2 * square, "\(name): \(parts.count) numbers for a complex \(size) × \(size) matrix")
            for i in 0..<size {
                for j in 0...i {
                    let (a, b) = (parts[i * size + j], parts[j * size + i])
                    let (c, d) = (parts[square + i * size + j], parts[square + j * size + i])
                    try require(
                        a.isFinite && a == -b && c.isFinite && c == d,
                        "\(name), size \(size): the complex B is not skew-Hermitian at (\(i), \(j))")
                }
            }
            try require(parts == makeComplex(), "\(name), size \(size): the same random stream gives different numbers")
        }
    }
}
