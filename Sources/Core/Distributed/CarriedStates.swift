/// The states that one of several shards carries over from batch to batch, while the layers compute the others.
final class CarriedStates {
    /// The states before the last batch, for each layer and state [B, H].
    private(set) var before: [[MatrixView]] = []
    /// The states after the last batch.
    private(set) var after: [[MatrixView]] = []

    /// Copies the final states of the layers' last pass, of `batch` sequences.
    func keep(_ layers: [RecurrentLayer], _ batch: Int, on backend: any Backend) throws {
        if before.first?.first?.rows != batch {
            before = try Self.allocate(layers, batch, on: backend)
            if after.first?.first?.rows != batch { after = try Self.allocate(layers, batch, on: backend) }
        }
        swap(&before, &after)
        for (layer, views) in zip(layers, after) {
            for (index, view) in views.enumerated() { backend.copy(layer.finalState(index), to: view) }
        }
    }

    /// Sets the states after the last batch, when a run is resumed.
    func restore(_ states: [[MatrixView]]) { after = states }

    private static func allocate(_ layers: [RecurrentLayer], _ batch: Int, on backend: any Backend) throws
        -> [[MatrixView]]
    {
        try layers.map { layer in
            try (0..<layer.stateCount).map { _ in try backend.allocate(rows: batch, columns: layer.hiddenWidth) }
        }
    }
}
