/// An error that isn't the program's own fault. Each case prints as one line that names
/// what is wrong and what would be right.
public enum RecurrentError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A name that isn't registered, with the kind of thing that it should name and the
    /// names that are known.
    case unknownName(kind: String, name: String, known: [String])
    /// An option that is unknown, out of its range, or doesn't fit the others.
    case invalidOption(String)
    /// A cell whose declarations or equations are wrong.
    case cell(String)
    /// A data set that can't be read or used.
    case dataset(String)
    /// A file that can't be read or written, with the reason.
    case file(path: String, reason: String)
    /// A saved file that is damaged or doesn't fit, with the reason.
    case checkpoint(path: String, reason: String)
    /// A backend that can't be used here: it has no device, or its driver or a library is missing.
    case backend(String)
    /// A device that failed while it was in use, or has too little memory.
    case device(String)
    /// A factorisation that failed.
    case linearAlgebra(String)
    /// A loss that is no longer finite, and the step at which it happened.
    case diverged(step: Int, loss: Double)

    /// The message, in one line.
    public var description: String {
        switch self {
        case .unknownName(let kind, let name, let known):
            known.isEmpty
                ? "unknown \(kind) '\(name.excerpt)': the registry has none; add it with `registry.add`"
                : "unknown \(kind) '\(name.excerpt)'; choose from: \(known.joined(separator: ", "))"
                    + Suggestion.text(name, in: known)
        case .invalidOption(let text): text
        case .cell(let text): text
        case .dataset(let text): text
        case .file(let path, let reason): "\(path): \(reason)"
        case .checkpoint(let path, let reason): "\(path): \(reason)"
        case .backend(let text), .device(let text): text
        case .linearAlgebra(let text): text
        case .diverged(let step, let loss) where step <= 1:
            "the loss became \(loss.isNaN ? .nan : loss) at step \(step); if a lower `learningRate` doesn't help, an option of the model, its cell or its activation is out of any useful range"
        case .diverged(let step, let loss):
            "the loss became \(loss.isNaN ? .nan : loss) at step \(step); try a lower `learningRate`, a lower `manifoldLearningRate` if a weight is kept orthogonal, or `clipRecurrent` 0.25"
        }
    }
}
