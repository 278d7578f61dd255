/// What a stream of random numbers is for. Streams of different purposes, steps
/// or indices never overlap.
public enum RandomPurpose: UInt32, Sendable, CaseIterable {
    case initialization = 1
    case shuffle = 2
    case trainData = 3
    case validationData = 4
    case testData = 5
    case dropout = 6
    case sampling = 7
    case test = 8
}

/// The key of one stream of the counter-based generator: (seed, purpose, stream, step).
///
/// Every draw is a function of its key and index alone. A resumed run therefore
/// continues with the same numbers, and every backend draws the same masks.
public struct RandomKey: Hashable, Sendable {
    /// The Philox key words: the seed.
    public let key: (UInt32, UInt32)
    /// The upper two words of the counter: purpose and stream, and the step.
    public let high: (UInt32, UInt32)

    /// - Parameters:
    ///   - seed: of everything.
    ///   - purpose: what the numbers are for.
    ///   - stream: which of several streams of a purpose (a layer, a parameter), below 2²⁴.
    ///   - step: the training step, sequence number or similar, below 2³².
    public init(seed: UInt64, purpose: RandomPurpose, stream: Int = 0, step: Int = 0) {
        precondition(stream >= 0 && stream < 1 << 24 && step >= 0 && step < 1 << 32)
        key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        high = (purpose.rawValue << 24 | UInt32(stream), UInt32(step))
    }

    public static func == (a: RandomKey, b: RandomKey) -> Bool { a.key == b.key && a.high == b.high }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(key.0)
        hasher.combine(key.1)
        hasher.combine(high.0)
        hasher.combine(high.1)
    }
}

/// Philox 4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers:
/// as easy as 1, 2, 3").
public enum Philox {
    /// Ten rounds on one counter block.
    public static func block(
        _ counter: SIMD4<UInt32>, key: (UInt32, UInt32)
    ) -> SIMD4<UInt32> {
        var c = counter
        var k = key
        for round in 0..<10 {
            if round > 0 {
                k.0 &+= 0x9E37_79B9
                k.1 &+= 0xBB67_AE85
            }
            let a = UInt64(0xD251_1F53) * UInt64(c[0])
            let b = UInt64(0xCD9E_8D57) * UInt64(c[2])
            c = SIMD4(
                UInt32(truncatingIfNeeded: b >> 32) ^ c[1] ^ k.0, UInt32(truncatingIfNeeded: b),
                UInt32(truncatingIfNeeded: a >> 32) ^ c[3] ^ k.1, UInt32(truncatingIfNeeded: a))
        }
        return c
    }

    /// The 32 random bits of element `index` of stream `key`: word `index % 4`
    /// of block `index / 4`, whose counter is (low, high half of the block
    /// number, the key's two upper words).
    public static func bits(_ key: RandomKey, index: UInt64) -> UInt32 {
        let number = index >> 2
        let words = block(
            SIMD4(UInt32(truncatingIfNeeded: number), UInt32(truncatingIfNeeded: number >> 32), key.high.0, key.high.1),
            key: key.key)
        return words[Int(index & 3)]
    }

    /// A uniform number in [0, 1) with 24 bits: exact in Float, so that every
    /// precision draws the same number.
    public static func uniform(_ key: RandomKey, index: UInt64) -> Double {
        Double(bits(key, index: index) >> 8) * 0x1p-24
    }
}

/// A stream read one number after the other.
public struct RandomStream: RandomNumberGenerator, Sendable {
    public let key: RandomKey
    /// How many 32-bit words have been drawn.
    public private(set) var position: UInt64 = 0

    public init(_ key: RandomKey) { self.key = key }

    public mutating func nextWord() -> UInt32 {
        defer { position += 1 }
        return Philox.bits(key, index: position)
    }
    public mutating func next() -> UInt64 { UInt64(nextWord()) << 32 | UInt64(nextWord()) }

    /// Uniform in [0, 1), 53 bits.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
    public mutating func uniform(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }
    /// Uniform in `0..<bound`, without bias.
    public mutating func integer(below bound: Int) -> Int { Int(next(upperBound: UInt64(bound))) }

    /// Standard normal (Box–Muller).
    public mutating func normal() -> Double {
        let radius = (-2 * RealFunctions.log(1 - uniform())).squareRoot()
        return radius * RealFunctions.cos(2 * .pi * uniform())
    }
}
