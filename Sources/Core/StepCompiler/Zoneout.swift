/// Zoneout (Krueger et al. 2017): units keep their old values rather than being zeroed,
/// so that the state is preserved and the gradient flows through it.
public enum Zoneout: Sendable, Hashable {
    /// Each unit keeps its old value or not in each step, as a random mask says; for training.
    case random
    /// Each unit takes the mean over the masks, `rate · old + (1 - rate) · new`; for evaluation.
    case expected(rate: Double)
}
