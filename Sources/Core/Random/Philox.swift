/// The purpose of a stream of random numbers. Streams of different purposes, steps
/// or indices never overlap.
public enum RandomPurpose: UInt32, Sendable, CaseIterable {
    /// The initial values of parameters.
    case initialization = 1
    /// Permutations, such as the order of the training sequences.
    case shuffle = 2
    /// Generated sequences of the training split.
    case trainData = 3
    /// Generated sequences of the validation split.
    case validationData = 4
    /// Generated sequences of the test split.
    case testData = 5
    /// The masks of dropout and zoneout.
    case dropout = 6
    /// The tokens of generated text.
    case sampling = 7
    /// The inputs of tests and benchmarks.
    case test = 8
}

/// The key of one stream of the counter-based generator: (seed, purpose, stream, step).
///
/// Every draw is a function of its key and index alone. A resumed run therefore
/// continues with the same numbers, and every backend draws the same masks.
public struct RandomKey: Hashable, Sendable {
    /// The two words of the Philox key, which hold the seed.
    public let key: (UInt32, UInt32)
    /// The upper two words of the counter: the purpose with the stream, and the step.
    public let high: (UInt32, UInt32)

    /// Creates the key of a stream.
    ///
    /// - Parameters:
    ///   - seed: the seed of the whole run.
    ///   - purpose: what the numbers are for.
    ///   - stream: the number of one of several streams for a purpose, such as that of a layer
    ///     or a parameter, below 2²⁴.
    ///   - step: the training step, sequence number or similar, below 2³².
    public init(seed: UInt64, purpose: RandomPurpose, stream: Int = 0, step: Int = 0) {
        precondition(stream >= 0 && stream < 1 << 24 && step >= 0 && step < 1 << 32)
        key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        high = (purpose.rawValue << 24 | UInt32(stream), UInt32(step))
    }

    /// Returns whether two keys are those of the same stream.
    public static func == (a: RandomKey, b: RandomKey) -> Bool { a.key == b.key && a.high == b.high }
    /// Hashes the four words of the key.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(key.0)
        hasher.combine(key.1)
        hasher.combine(high.0)
        hasher.combine(high.1)
    }
}

/// The counter-based generator Philox 4x32-10 (Salmon, Moraes, Dror & Shaw 2011,
/// "Parallel random numbers: as easy as 1, 2, 3").
public enum Philox {
    /// Returns the four random words of one counter block, after ten rounds.
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

    /// Returns the 32 random bits of element `index` of stream `key`: word `index % 4`
    /// of block `index / 4`, whose counter is the low and the high half of the block
    /// number, followed by the key's two upper words.
    public static func bits(_ key: RandomKey, index: UInt64) -> UInt32 {
        let number = index >> 2
        let words = block(
            SIMD4(UInt32(truncatingIfNeeded: number), UInt32(truncatingIfNeeded: number >> 32), key.high.0, key.high.1),
            key: key.key)
        return words[Int(index & 3)]
    }

    /// Returns a uniform number in [0, 1) with 24 bits, which is exact in Float, so that
    /// every precision draws the same number.
    public static func uniform(_ key: RandomKey, index: UInt64) -> Double {
        Double(bits(key, index: index) >> 8) * 0x1p-24
    }
}

/// A stream of random numbers that is read one number after another.
public struct RandomStream: RandomNumberGenerator, Sendable {
    /// The key that determines all numbers of the stream.
    public let key: RandomKey
    /// The number of 32-bit words drawn so far.
    public private(set) var position: UInt64 = 0

    /// Creates a stream that starts with the first number of `key`.
    public init(_ key: RandomKey) { self.key = key }

    /// Returns the next 32 random bits.
    public mutating func nextWord() -> UInt32 {
        defer { position += 1 }
        return Philox.bits(key, index: position)
    }
    /// Returns the next 64 random bits.
    public mutating func next() -> UInt64 { UInt64(nextWord()) << 32 | UInt64(nextWord()) }

    /// Returns a uniform number in [0, 1) with 53 bits.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
    /// Returns a uniform number in `range`.
    public mutating func uniform(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }
    /// Returns a uniform integer in `0..<bound`, without bias.
    public mutating func integer(below bound: Int) -> Int { Int(next(upperBound: UInt64(bound))) }

    /// Returns a standard normal number (Box–Muller).
    public mutating func normal() -> Double {
        let radius = (-2 * RealFunctions.log(1 - uniform())).squareRoot()
        return radius * RealFunctions.cos(2 * .pi * uniform())
    }
}
