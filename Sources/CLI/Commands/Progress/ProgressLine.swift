import RecurrentRuns

/// What the progress of a run within an epoch looks like, composed from its state alone.
package struct ProgressLine {
    let label: String
    let epoch: Int
    let epochs: Int
    let batch: Int
    let batches: Int
    let loss: Double
    /// The metric with its name: `accuracy 12.50 %`.
    let metric: String
    let sequencesPerSecond: Double
    /// The seconds until the last epoch is trained; training may end earlier.
    let secondsLeft: Double

    package init(
        label: String, epoch: Int, epochs: Int, batch: Int, batches: Int, loss: Double, metric: String,
        sequencesPerSecond: Double, secondsLeft: Double
    ) {
        self.label = label
        self.epoch = epoch
        self.epochs = epochs
        self.batch = batch
        self.batches = batches
        self.loss = loss
        self.metric = metric
        self.sequencesPerSecond = sequencesPerSecond
        self.secondsLeft = secondsLeft
    }

    private var percent: Int { 100 * batch / max(batches, 1) }
    private var rate: Int { Int(min(sequencesPerSecond, 1e9)) }

    /// The line for a log, in the form of the line that ends an epoch.
    package var logged: String {
        "\(label)  epoch \(epoch)  batch \(batch) of \(batches) (\(percent) %)  train loss \(Format.fixed(loss))"
            + "  train \(metric)  \(rate) sequences/s  at most \(Format.time(secondsLeft)) left"
    }

    private static let shortestBar = 5, longestBar = 40

    /// Returns the line for a terminal, with at most `columns` characters: a bar that takes the room that the text leaves,
    /// and as much text as there is room for.
    package func live(_ columns: Int) -> String {
        let start = "\(label) epoch \(epoch)/\(epochs)"
        // Numbers have a fixed width, so that the bar keeps its length while they grow.
        let share = Self.padded(percent, to: 100) + " %"
        let optional = [
            "batch \(Self.padded(batch, to: batches)) of \(batches)", "loss \(Format.fixed(loss, digits: 3))",
            "≤ \(Format.time(secondsLeft)) left", metric, "\(rate) seq/s",
        ]
        // In the order of importance, which is not the order on the line.
        var text = start.count + 1 + share.count, shown: Set<Int> = []
        for (index, part) in optional.enumerated() {
            guard text + 1 + Self.shortestBar + 2 + part.count <= columns else { continue }
            shown.insert(index)
            text += 2 + part.count
        }
        let parts = [0, 1, 3, 4, 2].filter(shown.contains).map { "  " + optional[$0] }.joined()
        let room = columns - text - 1
        guard room >= Self.shortestBar else {
            return text <= columns ? "\(start) \(share)" : String(start.prefix(columns))
        }
        let length = min(room, Self.longestBar), filled = length * batch / max(batches, 1)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: length - filled)
        return "\(start) \(bar) \(share)\(parts)"
    }

    /// Returns a number with blanks before it, as wide as the largest one.
    private static func padded(_ number: Int, to largest: Int) -> String {
        let text = "\(number)"
        return String(repeating: " ", count: max("\(largest)".count - text.count, 0)) + text
    }
}
