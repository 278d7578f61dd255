import Foundation

/// How far a run has come that another process trains, for a person who waits.
struct RunProgress {
    let experiment: Experiment
    let seed: UInt64
    let folder: String

    /// `recall-n20-rnn/2 epoch 70/200`.
    var text: String {
        let epochs = experiment.epochs.map { "/\($0)" } ?? ""
        return "\(experiment.id)/\(seed)" + (epoch.map { " epoch \($0)\(epochs)" } ?? "")
    }

    /// The last one in the metrics that has ended; nil before the first has.
    private var epoch: Int? {
        guard let file = FileHandle(forReadingAtPath: folder + "/metrics.jsonl"), let size = try? file.seekToEnd(),
            (try? file.seek(toOffset: size - min(size, 4096))) != nil, let end = try? file.readToEnd()
        else { return nil }
        // A line without a split was measured within its epoch.
        let lines = String(decoding: end, as: UTF8.self).matches(of: /"epoch":(\d+)(.*"split")?/)
        guard let line = lines.last, let epoch = Int(line.1) else { return nil }
        return line.2 != nil ? epoch : epoch > 1 ? epoch - 1 : nil
    }
}
