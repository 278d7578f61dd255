import RecurrentCore

/// What a run measures and writes besides its losses, without any effect on the training itself.
public struct TrackingConfiguration: OptionSection {
    /// Whether event files for TensorBoard are written.
    public var tensorboard = false
    /// The number of batches between two measurements of the gradient norm ‖∂x_T/∂x_1‖; 0 for none.
    public var trackGradients = 0
    /// The epochs in which the gradient norm is measured after every batch.
    public var trackEpochs: [Int] = []
    /// Whether the test split is evaluated after each epoch.
    public var trackTest = false

    /// Creates a configuration that tracks nothing but the losses.
    public init() {}

    public static let fields: [OptionField<Self>] = [
        .flag("tensorboard", \.tensorboard, "Write event files for TensorBoard.").resumable,
        .integer("trackGradients", \.trackGradients, 0...(.max), "Measure ‖∂x_T/∂x_1‖ every n batches.").resumable,
        .integers("trackEpochs", \.trackEpochs, 1...(.max), "Measure throughout these epochs.")
            .resumable,
        .flag("trackTest", \.trackTest, "Evaluate the test split after each epoch.").resumable,
    ]

    /// The name of an option whose results only a run's folder keeps; nil if none is set.
    public var needsFolder: String? {
        tensorboard ? "tensorboard" : trackGradients > 0 ? "trackGradients" : trackEpochs.isEmpty ? nil : "trackEpochs"
    }
}
