import RecurrentCore

/// The start `B = 0`, so `W = I`: the default and, with ReLU, the one that learns the toy tasks.
public struct ZeroSkew: SkewInitialization, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "zero"
    public static let summary = "B = 0, so W = I"
    public func values(size: Int, random: inout RandomStream) -> [Double] {
        [Double](repeating: 0, count: size * size)
    }
}

/// 2 × 2 blocks [[0, −θ], [θ, 0]], or for unitary weights a diagonal of iθ, with θ uniform in ±π: random rotations of planes
/// (Henaff, Szlam & LeCun 2016).
public struct HenaffSkew: SkewInitialization, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "henaff"
    public static let summary = "2 × 2 blocks that rotate by uniform angles in ±π"
    public func values(size: Int, random: inout RandomStream) -> [Double] {
        blocks(size: size) { random.uniform(in: -.pi...(.pi)) }
    }
    /// A diagonal of iθ, so that W is a diagonal of phases.
    public func complexValues(size: Int, random: inout RandomStream) -> [Double] {
        phases(size: size) { random.uniform(in: -.pi...(.pi)) }
    }
}

/// 2 × 2 blocks [[0, −s], [s, 0]] (for unitary weights a diagonal of i s) with `s = √((1 − cos t) / (1 + cos t))`, t uniform in [0, π/2]
/// (Helfrich, Willmott & Ye 2018).
public struct CayleySkew: SkewInitialization, Plugin {
    public init(options: NoOptions = NoOptions()) {}
    public static let name = "cayley"
    public static let summary = "2 × 2 blocks of tan(t/2), t uniform in [0, π/2] (scoRNN's)"
    public func values(size: Int, random: inout RandomStream) -> [Double] {
        blocks(size: size) { Self.tangent(&random) }
    }
    /// A diagonal of i s.
    public func complexValues(size: Int, random: inout RandomStream) -> [Double] {
        phases(size: size) { Self.tangent(&random) }
    }
    private static func tangent(_ random: inout RandomStream) -> Double {
        let cosine = RealFunctions.cos(random.uniform(in: 0...(.pi / 2)))
        return ((1 - cosine) / (1 + cosine)).squareRoot()
    }
}

/// Independent random numbers below the diagonal, uniform in ±scale.
public struct UniformSkew: SkewInitialization, Plugin {
    /// The bound of the random numbers.
    public struct Options: OptionSection {
        /// The bound of the elements of B, which are uniform in ±scale; above 0 and below 1000.
        public var scale = 0.01
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .number(
                "skewScale", \.scale, .between(0, and: 1000), "Bound s of the elements of B, which are uniform in ±s.")
        ]
    }
    /// The bound of the elements of B, which are uniform in ±scale.
    public let scale: Double
    public init(options: Options) { scale = options.scale }
    /// Creates an initialization with elements uniform in ±scale.
    ///
    /// - Parameter scale: the bound of the elements, above 0.
    public init(scale: Double = 0.01) { self.scale = scale }
    public static let name = "uniform"
    public static let summary = "small uniform random numbers"
    public func values(size: Int, random: inout RandomStream) -> [Double] {
        var result = [Double](repeating: 0, count: size * size)
        for i in 0..<size {
            for j in 0..<i {
                let value = random.uniform(in: -scale...scale)
                result[i * size + j] = value
                result[j * size + i] = -value
            }
        }
        return result
    }
    /// X below its diagonal, then Y on and below its diagonal, uniform in ±scale.
    public func complexValues(size: Int, random: inout RandomStream) -> [Double] {
        var symmetric = [Double](repeating: 0, count: size * size)
        let skew = values(size: size, random: &random)
        for i in 0..<size {
            for j in 0...i {
                symmetric[i * size + j] = random.uniform(in: -scale...scale)
                symmetric[j * size + i] = symmetric[i * size + j]
            }
        }
        return skew + symmetric
    }
}

/// Returns a block-diagonal skew matrix, row by row; if the size is odd, the last row stays 0.
private func blocks(size: Int, _ angle: () -> Double) -> [Double] {
    var result = [Double](repeating: 0, count: size * size)
    for i in stride(from: 0, to: size - 1, by: 2) {
        let value = angle()
        result[i * size + i + 1] = -value
        result[(i + 1) * size + i] = value
    }
    return result
}

/// Returns a diagonal skew-Hermitian matrix iY, as X = 0 and then Y, row by row.
private func phases(size: Int, _ angle: () -> Double) -> [Double] {
    var result = [Double](repeating: 0, count: 2 * size * size)
    for i in 0..<size { result[(size + i) * size + i] = angle() }
    return result
}
