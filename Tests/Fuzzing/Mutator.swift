import RecurrentCore

/// Changes inputs at random: bytes, lengths, pieces of other inputs, words of the format, and numbers.
package struct Mutator {
    private let seeds: [[UInt8]]
    private let words: [[UInt8]]
    private var random: RandomStream

    /// Creates a mutator that gives the same inputs for the same seed.
    package init(seeds: [[UInt8]], words: [String], seed: UInt64) {
        self.seeds = seeds
        self.words = words.map { Array($0.utf8) } + Self.fragments
        random = RandomStream(RandomKey(seed: seed, purpose: .test))
    }

    private static let fragments: [[UInt8]] =
        [
            "{", "}", "[", "]", ",", ":", "\"", "\\u", "=", "-", ".", "\n", "\r\n", "\t", " ", "0", "-1", "1e9",
            "1e308",
            "-1e308", "1e999", "NaN", "Infinity", "9223372036854775807", "-9223372036854775808",
            "18446744073709551615", "4294967296", "null", "true", "\u{0}", "é", "e\u{301}", "\u{2028}",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF]]

    /// Returns the next input.
    package mutating func next() -> [UInt8] { mutated(seeds[random.integer(below: seeds.count)]) }

    /// Returns an input after up to five changes.
    mutating func mutated(_ input: [UInt8]) -> [UInt8] {
        var bytes = input
        for _ in 0...random.integer(below: 4) { mutate(&bytes) }
        return bytes
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let position = random.integer(below: bytes.count + 1)
        let length = min(random.integer(below: 9), bytes.count - position)
        let range = position..<position + length
        switch random.integer(below: 8) {
        case 0 where position < bytes.count: bytes[position] = UInt8(random.integer(below: 256))
        case 1 where position < bytes.count: bytes[position] ^= 1 << UInt8(random.integer(below: 8))
        case 2: bytes.removeSubrange(range)
        case 3: bytes.replaceSubrange(range, with: words[random.integer(below: words.count)])
        case 4: bytes.insert(contentsOf: Array(bytes[range]), at: random.integer(below: bytes.count + 1))
        case 5: bytes.removeLast(min(length, bytes.count))
        case 6: replaceNumber(in: &bytes, from: position)
        default:
            let other = seeds[random.integer(below: seeds.count)]
            let start = random.integer(below: other.count + 1)
            bytes.replaceSubrange(range, with: other[start..<min(start + 16, other.count)])
        }
    }

    /// Replaces the next number by a word or a number.
    private mutating func replaceNumber(in bytes: inout [UInt8], from position: Int) {
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        guard let start = bytes[position...].firstIndex(where: isDigit) else { return }
        let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
        let number =
            random.integer(below: 2) == 0
            ? words[random.integer(below: words.count)] : Array(String(random.integer(below: 300)).utf8)
        bytes.replaceSubrange(start..<end, with: number)
    }
}
