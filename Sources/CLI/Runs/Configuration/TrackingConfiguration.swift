import RecurrentCore

/// What a run measures and writes besides its losses. Nothing of it changes what is
/// trained.
public struct TrackingConfiguration: OptionSection {
    /// Whether event files for TensorBoard are written.
    public var tensorboard = false
    /// Batches between two measurements of ‖∂x_T/∂x_1‖; 0 for none.
    public var trackGradients = 0
    /// The epochs in which the norms are measured after every batch.
    public var trackEpochs: [Int] = []
    /// Whether the test split is evaluated after each epoch.
    public var trackTest = false

    /// Nothing but the losses.
    public init() {}

    public static let fields: [OptionField<Self>] = [
        .flag("tensorboard", \.tensorboard, "Write event files for TensorBoard.").resumable,
        .integer("trackGradients", \.trackGradients, 0...(.max), "Measure ‖∂x_T/∂x_1‖ every n batches.").resumable,
        .integers("trackEpochs", \.trackEpochs, 1...(.max), "The same after each batch of epochs.").resumable,
        .flag("trackTest", \.trackTest, "Evaluate the test split after each epoch.").resumable,
    ]

    /// Whether something is measured that only a run's folder keeps.
    public var needsFolder: String? {
        tensorboard ? "tensorboard" : trackGradients > 0 ? "trackGradients" : trackEpochs.isEmpty ? nil : "trackEpochs"
    }
}
