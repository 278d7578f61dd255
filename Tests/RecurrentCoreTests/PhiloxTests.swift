import RecurrentCore
import Testing

/// Compares the generator with known answers, and checks its streams.
@Suite struct PhiloxTests {
    /// The known answers are from `kat_vectors` in the Random123 distribution, for philox4x32 with 10 rounds.
    @Test func knownAnswers() {
        let answers: [(counter: SIMD4<UInt32>, key: (UInt32, UInt32), block: SIMD4<UInt32>)] = [
            (SIMD4(repeating: 0), (0, 0), SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)),
            (
                SIMD4(repeating: .max), (.max, .max), SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
            ),
            (
                SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), (0xa409_3822, 0x299f_31d0),
                SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
            ),
        ]
        for (counter, key, block) in answers { #expect(Philox.block(counter, key: key) == block) }
    }

    @Test func bitsAreTheWordsOfConsecutiveBlocks() {
        let key = RandomKey(seed: 0x0123_4567_89AB_CDEF, purpose: .sampling, stream: 5, step: 7)
        #expect(key.key == (0x89AB_CDEF, 0x0123_4567))
        #expect(key.high == (UInt32(7) << 24 | 5, 7))
        for index in [0, 1, 2, 3, 4, 17, 1 << 34 + 3, .max] as [UInt64] {
            let number = index / 4
            let block = Philox.block(
                SIMD4(
                    UInt32(truncatingIfNeeded: number), UInt32(truncatingIfNeeded: number >> 32), key.high.0, key.high.1
                ),
                key: key.key)
            #expect(Philox.bits(key, index: index) == block[Int(index % 4)])
        }
    }

    @Test func uniformNumbersAreExactInFloat() {
        let key = RandomKey(seed: 1, purpose: .dropout)
        for index in 0..<10_000 as Range<UInt64> {
            let number = Philox.uniform(key, index: index)
            #expect(number >= 0 && number < 1 && Double(Float(number)) == number)
        }
    }

    /// For 100,000 draws in 256 equal cells, χ² with 255 degrees of freedom exceeds 347 for one in 10,000 seeds.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func uniformNumbersAreUniform(seed: UInt64) {
        let key = RandomKey(seed: seed, purpose: .dropout)
        var cells = [Double](repeating: 0, count: 256)
        for index in 0..<100_000 as Range<UInt64> { cells[Int(Philox.uniform(key, index: index) * 256)] += 1 }
        let expected = 100_000.0 / 256
        #expect(cells.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected } < 347)
    }

    @Test func everyPartOfAKeyCounts() {
        let keys = [
            RandomKey(seed: 1, purpose: .dropout), RandomKey(seed: 2, purpose: .dropout),
            RandomKey(seed: 1 << 32 | 1, purpose: .dropout), RandomKey(seed: 1, purpose: .test),
            RandomKey(seed: 1, purpose: .dropout, stream: 1), RandomKey(seed: 1, purpose: .dropout, step: 1),
            RandomKey(seed: 1, purpose: .dropout, stream: 1 << 24 - 1, step: 1 << 32 - 1),
        ]
        #expect(Set(keys).count == keys.count)
        let words = keys.map { key in (0..<8 as Range<UInt64>).map { Philox.bits(key, index: $0) } }
        #expect(Set(words.flatMap { $0 }).count == 8 * keys.count)
        #expect(
            RandomKey(seed: 3, purpose: .test, stream: 4, step: 5)
                == RandomKey(seed: 3, purpose: .test, stream: 4, step: 5))
    }

    @Test func aStreamReadsOneWordAfterTheOther() {
        let key = RandomKey(seed: 9, purpose: .test)
        var stream = RandomStream(key)
        #expect((0..<9 as Range<UInt64>).allSatisfy { stream.nextWord() == Philox.bits(key, index: $0) })
        #expect(stream.position == 9)
        var other = RandomStream(key)
        #expect(other.next() == UInt64(Philox.bits(key, index: 0)) << 32 | UInt64(Philox.bits(key, index: 1)))
    }

    @Test func distributionsOfAStream() {
        var stream = RandomStream(RandomKey(seed: 4, purpose: .test))
        let count = 100_000
        let normals = (0..<count).map { _ in stream.normal() }
        let mean = normals.reduce(0, +) / Double(count)
        let variance = normals.reduce(0) { $0 + $1 * $1 } / Double(count)
        // The tolerance is four standard errors.
        #expect(abs(mean) < 4 / Double(count).squareRoot())
        #expect(abs(variance - 1) < 4 * (2 / Double(count)).squareRoot())
        #expect(
            abs(Double(normals.count { abs($0) > 1.959964 }) / Double(count) - 0.05) < 4
                * (0.05 * 0.95 / Double(count)).squareRoot())
        let integers = (0..<7000).map { _ in stream.integer(below: 7) }
        #expect(Set(integers) == Set(0..<7))
        let range = (0..<1000).map { _ in stream.uniform(in: -2...3) }
        #expect(range.allSatisfy { (-2...3).contains($0) } && range.min()! < -1.9 && range.max()! > 2.9)
    }
}
