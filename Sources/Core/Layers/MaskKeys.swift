/// The random keys of all masks of one training step, with a stream for each place.
///
/// Masks of sequences are drawn for each shard of a batch from a key of its own, wherever it is computed; masks of words
/// and weights are the same for the whole batch.
struct MaskKeys {
    let seed: UInt64
    let step: Int
    /// The number of the shard.
    var shard = 0

    // The streams for dropout of outputs, one per layer, come first.
    private static let words = 1 << 20, firstWeight = 1 << 21, firstZoneout = 1 << 22

    private func key(_ place: Int) -> RandomKey {
        RandomKey(seed: seed, purpose: .dropout, stream: place, step: step)
    }
    /// The seeds of shards are as far apart as the golden ratio allows (Knuth's multiplicative hashing).
    private func shardKey(_ place: Int) -> RandomKey {
        RandomKey(
            seed: seed &+ UInt64(shard) &* 0x9E37_79B9_7F4A_7C15, purpose: .dropout, stream: place, step: step)
    }

    /// The key for the embedded inputs.
    var embedding: RandomKey { shardKey(0) }
    /// Returns the key for a recurrent layer's outputs.
    func output(layer: Int) -> RandomKey { shardKey(1 + layer) }
    /// Returns the key for the logits of a model with `layers` recurrent layers.
    func logits(layers: Int) -> RandomKey { shardKey(1 + layers) }
    /// The key for the words of the embedding's table.
    var words: RandomKey { key(Self.words) }
    /// Returns the key for a recurrent weight, given its number in the store.
    func weight(parameter: Int) -> RandomKey { key(Self.firstWeight + parameter) }
    /// Returns the key for a layer's units that keep their values.
    func zoneout(layer: Int) -> RandomKey { shardKey(Self.firstZoneout + layer) }
}
