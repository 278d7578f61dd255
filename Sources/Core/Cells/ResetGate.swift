/// Where the reset gate of a GRU acts.
public enum ResetGate: String, Sendable, CaseIterable {
    /// On `W_n h + b_hn`, as torch.nn.GRU and cuDNN do: one GEMM a step.
    case after
    /// On `h` before the product, as Cho et al. (2014) print it: two GEMMs a step.
    case before
}
