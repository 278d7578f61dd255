import RecurrentCore

/// Words numbered in order of first appearance: an open-addressing hash table
/// keyed by the words' bytes, since text is read as bytes.
struct WordTable {
    /// The words' bytes, one word after the other, and the offset where each word begins, with
    /// one more entry for the end of the last.
    private var bytes: [UInt8] = []
    private var starts: [Int] = [0]
    /// Each word's number, at its hash's slot or the next free one; -1 in free slots. The size
    /// is a power of two, at least twice the number of words.
    private var slots = [Int32](repeating: -1, count: 1 << 15)

    /// Creates a table of words, numbered in their order.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/dataset(_:)`` if a word occurs twice.
    init(_ words: [String] = []) throws {
        for word in words {
            guard number(of: word) == nil else {
                throw RecurrentError.dataset("the vocabulary has '\(word.prefix(40))' twice; each token has one id")
            }
            _ = add(word)
        }
    }

    /// Returns the number of `word`, or nil if it has none.
    func number(of word: String) -> Int32? {
        var word = word
        return word.withUTF8 { number(of: UnsafeRawBufferPointer($0)) }
    }

    /// Adds `word`, which must be new, and returns its number, the next one.
    mutating func add(_ word: String) -> Int32 {
        var word = word
        return word.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    }

    var count: Int { starts.count - 1 }
    var words: [String] { (0..<count).map { String(decoding: bytes[starts[$0]..<starts[$0 + 1]], as: UTF8.self) } }

    /// Returns the number of `word`, or nil if it has none.
    func number(of word: UnsafeRawBufferPointer) -> Int32? {
        let number = slots[slot(of: word)]
        return number < 0 ? nil : number
    }

    /// Adds `word`, which must be new, and returns its number, the next one.
    mutating func add(_ word: UnsafeRawBufferPointer) -> Int32 {
        if 2 * (count + 1) > slots.count { grow() }
        let slot = slot(of: word)
        precondition(slots[slot] < 0, "the word already has a number")
        let number = Int32(count)
        slots[slot] = number
        bytes.append(contentsOf: word)
        starts.append(bytes.count)
        return number
    }

    /// Returns the slot of `word`, or the free one where it would go.
    private func slot(of word: UnsafeRawBufferPointer) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: Self.hash(word)) & mask
        while slots[slot] >= 0, !isWord(Int(slots[slot]), word) { slot = (slot + 1) & mask }
        return slot
    }

    private func isWord(_ number: Int, _ word: UnsafeRawBufferPointer) -> Bool {
        let start = starts[number]
        guard starts[number + 1] - start == word.count else { return false }
        for i in 0..<word.count where bytes[start + i] != word[i] { return false }
        return true
    }

    private mutating func grow() {
        let all = bytes
        slots = [Int32](repeating: -1, count: 2 * slots.count)
        for number in 0..<count {
            all.withUnsafeBytes {
                slots[slot(of: UnsafeRawBufferPointer(rebasing: $0[starts[number]..<starts[number + 1]]))] = Int32(
                    number)
            }
        }
    }

    /// Returns the FNV-1a hash, with the high bits folded into the low ones that the table uses.
    private static func hash(_ word: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in word { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash ^ hash >> 32
    }
}
