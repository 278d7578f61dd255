/// Zoneout (Krueger et al. 2017): units keep their old values instead of being zeroed,
/// so that the state is kept, and the gradient flows through it.
public enum Zoneout: Sendable, Hashable {
    /// Each unit, in each step, as a mask says: training.
    case random
    /// `rate · old + (1 - rate) · new`, the mean over the masks: evaluation.
    case expected(rate: Double)
}
