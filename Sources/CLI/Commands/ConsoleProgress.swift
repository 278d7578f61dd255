import Foundation
import RecurrentCore
import RecurrentRuns

/// An observer that prints progress: a live line on a terminal, and one plain line per epoch elsewhere.
final class ConsoleProgress: TrainingObserver {
    private let label: String
    private let isLive: Bool
    private var plan: TrainingPlan?
    private let clock = ContinuousClock()
    private var lastDrawn: ContinuousClock.Instant
    private var lastRecord: EpochRecord?

    init(label: String) {
        self.label = label
        isLive = Terminal.isInteractive
        lastDrawn = clock.now - .seconds(1)
    }

    var acceptsLateBatches: Bool { true }

    func trainingWillStart(_ plan: TrainingPlan) throws {
        self.plan = plan
        Terminal.print(
            "\(label): \(plan.parameterCount) parameters, \(plan.batchesPerEpoch) batches of \(plan.batchSize) per epoch"
        )
    }

    private func metric(_ sums: LossSums) -> String {
        "\(plan!.metric.label) \(plan!.metric.text(sums))"
    }

    func didTrainBatch(_ progress: BatchProgress) throws {
        guard isLive, clock.now - lastDrawn > .milliseconds(100) else { return }
        lastDrawn = clock.now
        let done = Double(progress.batch) / Double(progress.batchesPerEpoch)
        let width = 5, filled = Int(done * Double(width))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        let perEpoch = lastRecord?.trainSeconds ?? progress.seconds / max(done, 1e-9)
        let left = perEpoch * (Double(plan!.epochs - progress.epoch) + 1 - done)
        let rate = Double(progress.sequences) / max(progress.seconds, 1e-9)
        // The line fits into 80 columns. The time left is an upper bound, because training may end before the last epoch.
        let line =
            "\(label) epoch \(progress.epoch)/\(plan!.epochs) \(bar)  loss \(Format.fixed(progress.epochSums.meanLoss, digits: 3))"
            + "  \(metric(progress.epochSums))  \(Int(rate)) seq/s  ≤ \(Format.time(left)) left"
        // A line that wraps couldn't be redrawn.
        Terminal.print("\r\u{1B}[K" + line.prefix(Terminal.width - 1), terminator: "")
    }

    func didFinishEpoch(_ record: EpochRecord) throws {
        lastRecord = record
        let line =
            "\(label)  epoch \(record.epoch)  train loss \(Format.fixed(record.train.meanLoss))"
            + "  valid loss \(Format.fixed(record.validation.meanLoss))  valid \(metric(record.validation))"
            + (record.test.map { "  test \(metric($0))" } ?? "")
            + "  \(Int(record.sequencesPerSecond)) sequences/s\(record.isBest ? "  *" : "")"
        if isLive {
            Terminal.print("\r\u{1B}[K" + line)
        } else {
            Terminal.print(line)
        }
    }

    func trainingDidEnd(_ summary: TrainingSummary, model: SequenceModel) throws {
        if isLive { Terminal.print("\r\u{1B}[K", terminator: "") }
    }
}
