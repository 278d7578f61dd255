/// What can go wrong outside the program's own control. Each case prints as one
/// line that names what is wrong and what would be right.
public enum RecurrentError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A name that isn't registered: what kind of thing, the name, what exists.
    case unknownName(kind: String, name: String, known: [String])
    /// A setting out of its range.
    case invalidOption(String)
    /// A data set that can't be read or used.
    case dataset(String)
    /// A file that can't be read or written, with the reason.
    case file(path: String, reason: String)
    /// A checkpoint that doesn't fit or is damaged.
    case checkpoint(path: String, reason: String)
    /// No device, no driver, not enough memory.
    case backend(String)
    /// A factorisation that failed.
    case linearAlgebra(String)
    /// A loss that is no number any more, and the step at which it became so.
    case diverged(step: Int, loss: Double)

    public var description: String {
        switch self {
        case .unknownName(let kind, let name, let known):
            "unknown \(kind) '\(name)'; there are: \(known.joined(separator: ", "))" + Suggestion.text(name, in: known)
        case .invalidOption(let text): text
        case .dataset(let text): text
        case .file(let path, let reason): "\(path): \(reason)"
        case .checkpoint(let path, let reason): "\(path): \(reason)"
        case .backend(let text): text
        case .linearAlgebra(let text): text
        case .diverged(let step, let loss):
            "the loss became \(loss.isNaN ? .nan : loss) at step \(step); try a lower `learningRate` or `clipRecurrent` 0.25"
        }
    }
}
