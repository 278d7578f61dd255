import RecurrentCore

/// The drawing of independent, uniform symbols.
enum UniformSymbols {
    /// Fills a buffer from the stream of `key`, whole Philox blocks at a time.
    ///
    /// A 32-bit word is scaled to the range by its product with `bound`; the few
    /// words that would favour some symbols are rejected (Lemire 2019, "Fast
    /// random integer generation in an interval").
    static func fill(_ symbols: UnsafeMutableBufferPointer<Int32>, below bound: UInt32, key: RandomKey) {
        let rejected = (0 &- bound) % bound
        var filled = 0
        var block: UInt32 = 0
        while filled < symbols.count {
            let words = Philox.block(SIMD4(block, 0, key.high.0, key.high.1), key: key.key)
            block &+= 1
            for lane in 0..<4 where filled < symbols.count {
                let product = UInt64(words[lane]) * UInt64(bound)
                if UInt32(truncatingIfNeeded: product) >= rejected {
                    symbols[filled] = Int32(truncatingIfNeeded: product >> 32)
                    filled += 1
                }
            }
        }
    }
}
