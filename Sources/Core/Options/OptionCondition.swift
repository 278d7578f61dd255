/// What a run must have for an option to do anything, by which the command line refuses
/// options that would be ignored.
public enum OptionCondition: Sendable, Hashable, CaseIterable {
    /// The data set's inputs are tokens, which the model embeds.
    case tokenInputs
    /// The cell has a weight that is kept orthogonal.
    case orthogonalWeight
    /// The cell has a recurrent weight, constrained or not.
    case recurrentWeight
    /// The cell has a recurrent weight that isn't constrained.
    case freeRecurrentWeight
    /// The cell has such a weight without initial values of its own.
    case undeterminedRecurrentWeight
    /// The model has a dropout rate above 0.
    case dropout
    /// The run starts from weights of its own, and not from those of another run.
    case freshWeights
}
