/// The place where the reset gate of a GRU acts.
public enum ResetGate: String, Sendable, CaseIterable {
    /// The gate multiplies `W_n h + b_hn`, as in torch.nn.GRU and cuDNN: one GEMM per step.
    case after
    /// The gate multiplies `h` before the product, as in Cho et al. (2014): two GEMMs per step.
    case before
}
