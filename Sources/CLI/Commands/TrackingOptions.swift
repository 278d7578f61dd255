import ArgumentParser
import RecurrentCore

/// What `train` writes and measures beside the losses. Nothing of it changes what is
/// trained, and a run that is resumed goes on with it as it began.
struct TrackingOptions: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: "With --output or --resume: write event files for TensorBoard, too (default: no, or as the run began).")
    var tensorboard: Bool?
    @Option(parsing: .unconditional, help: ArgumentHelp(
        "With --output or --resume: measure ‖∂x_T/∂x_1‖ every so many batches, for metrics.jsonl and TensorBoard; 0 for never (default: never, or as the run began).",
        valueName: "batches"))
    var trackGradients: Int?
    @Option(parsing: .unconditional, help: ArgumentHelp(
        "The same after every batch of these epochs, separated by commas; 0 for none (default: none, or as the run began).", valueName: "epochs"))
    var trackEpochs: String?
    @Flag(inversion: .prefixedNo, help: "Evaluate the test split after each epoch, too (default: no, or as the run began).")
    var trackTest: Bool?

    /// - Throws: ``RecurrentError/invalidOption(_:)`` if there is no folder to write into.
    func checkWithoutFolder() throws {
        let writing = tensorboard == true ? "--tensorboard" : trackGradients != nil ? "--track-gradients" : trackEpochs != nil ? "--track-epochs" : nil
        if let writing { throw RecurrentError.invalidOption("\(writing) writes into the run's folder; add --output") }
    }

    /// A configuration with what was given, or else what the run does that it is of.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for what is out of range.
    func applied(to configuration: RunConfiguration, hasFolder: Bool) throws -> RunConfiguration {
        if let trackGradients, trackGradients < 0 {
            throw RecurrentError.invalidOption("--track-gradients must be at least 1, or 0 for never, not \(trackGradients)")
        }
        var result = configuration
        result.tensorboard = hasFolder && tensorboard ?? result.tensorboard
        let interval = trackGradients ?? result.trackGradients ?? 0
        result.trackGradients = hasFolder && interval > 0 ? interval : nil
        let epochs = try trackEpochs.map(Self.epochs) ?? result.trackEpochs
        result.trackEpochs = hasFolder && epochs?.isEmpty == false ? epochs : nil
        result.trackTest = trackTest ?? result.trackTest
        return result
    }

    /// "7,100", or "0" for none.
    private static func epochs(_ text: String) throws -> [Int] {
        try text == "0" ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map { number in
            guard let epoch = Int(number), epoch >= 1 else {
                throw RecurrentError.invalidOption("--track-epochs must be epochs from 1, separated by commas, such as 7,100, or 0 for none, not '\(text)'")
            }
            return epoch
        }
    }
}
