/// The random keys of all masks of one training step: a stream for each place.
struct MaskKeys {
    let seed: UInt64
    let step: Int

    // Places of dropout come first, a layer each.
    private static let words = 1 << 20, firstWeight = 1 << 21, firstZoneout = 1 << 22

    private func key(_ place: Int) -> RandomKey {
        RandomKey(seed: seed, purpose: .dropout, stream: place, step: step)
    }

    /// Of the embedded inputs.
    var embedding: RandomKey { key(0) }
    /// Of a recurrent layer's outputs.
    func output(layer: Int) -> RandomKey { key(1 + layer) }
    /// Of the logits, above so many layers.
    func logits(layers: Int) -> RandomKey { key(1 + layers) }
    /// Of the words of the embedding's table.
    var words: RandomKey { key(Self.words) }
    /// Of a recurrent weight, by its number in the store.
    func weight(parameter: Int) -> RandomKey { key(Self.firstWeight + parameter) }
    /// Of the units that keep their values.
    func zoneout(layer: Int) -> RandomKey { key(Self.firstZoneout + layer) }
}
