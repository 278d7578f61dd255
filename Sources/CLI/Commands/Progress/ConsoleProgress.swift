import Foundation
import RecurrentCore
import RecurrentRuns

/// An observer that prints progress: a live line on a terminal, and elsewhere a plain line per epoch, and now and then
/// within a long one.
final class ConsoleProgress: TrainingObserver {
    private let label: String
    private let rates: String
    private let note: String?
    private let isLive: Bool
    /// The time between two lines in seconds.
    private let interval: Double
    private var plan: TrainingPlan!
    private let clock = ContinuousClock()
    private var last: ContinuousClock.Instant
    private var lastRecord: EpochRecord?

    /// Creates an observer.
    ///
    /// - Parameters:
    ///   - label: the name of the run.
    ///   - rates: its learning rates.
    ///   - note: a line to print before training; nil for none.
    ///   - logInterval: the time between two lines within an epoch in seconds, where the output is no terminal; 0 for none.
    init(label: String, rates: String, note: String? = nil, logInterval: Double) {
        self.rates = rates
        self.label = label
        self.note = note
        isLive = Terminal.isInteractive
        interval = isLive ? 0.1 : logInterval > 0 ? logInterval : .infinity
        last = clock.now
    }

    var acceptsLateBatches: Bool { true }

    func trainingWillStart(_ plan: TrainingPlan) throws {
        self.plan = plan
        Terminal.print(
            "\(label): \(plan.parameterCount) parameters, \(plan.batchesPerEpoch) batch\(plan.batchesPerEpoch == 1 ? "" : "es") of \(plan.batchSize) per epoch, learning rate \(rates)"
        )
        if let note { Terminal.print(note) }
        // The first batch is shown at once on a terminal.
        last = isLive ? clock.now - .seconds(1) : clock.now
    }

    private func metric(_ sums: LossSums) -> String { "\(plan.metric.label) \(plan.metric.text(sums))" }

    func didTrainBatch(_ progress: BatchProgress) throws {
        guard (clock.now - last).inSeconds >= interval else { return }
        last = clock.now
        let done = Double(progress.batch) / Double(progress.batchesPerEpoch)
        let perEpoch = lastRecord?.trainSeconds ?? progress.seconds / max(done, 1e-9)
        let line = ProgressLine(
            label: label, epoch: progress.epoch, epochs: plan.epochs, batch: progress.batch,
            batches: progress.batchesPerEpoch, loss: progress.epochSums.meanLoss, metric: metric(progress.epochSums),
            sequencesPerSecond: Double(progress.sequences) / max(progress.seconds, 1e-9),
            secondsLeft: perEpoch * (Double(plan.epochs - progress.epoch) + 1 - done))
        if isLive { Terminal.drawLiveLine(line.live) } else { Terminal.print(line.logged) }
    }

    func didFinishEpoch(_ record: EpochRecord) throws {
        lastRecord = record
        if !isLive { last = clock.now }
        Terminal.print(
            "\(label)  epoch \(record.epoch)  train loss \(Format.fixed(record.train.meanLoss))"
                + "  valid loss \(Format.fixed(record.validation.meanLoss))  valid \(metric(record.validation))"
                + (record.test.map { "  test \(metric($0))" } ?? "")
                + "  \(Int(record.sequencesPerSecond)) sequences/s\(record.isBest ? "  *" : "")")
    }

    func trainingDidEnd(_ summary: TrainingSummary, model: SequenceModel) throws { Terminal.clearLiveLine() }
}
