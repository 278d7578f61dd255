import CPUKernels

/// An instruction set that the vectorised loops are compiled for. OpenBLAS makes its own choice.
package enum InstructionSet: String, CaseIterable, CustomStringConvertible, Sendable {
    case baseline, avx2, avx512, neon

    package var description: String { rawValue }
    package var isSupported: Bool { ck_is_supported(code) }
    /// The widest instruction set that this processor supports; NEON rather than the baseline, which is as wide.
    package static var best: InstructionSet { allCases.last { $0.isSupported } ?? .baseline }

    var code: ck_instruction_set {
        switch self {
        case .baseline: CK_BASELINE
        case .avx2: CK_AVX2
        case .avx512: CK_AVX512
        case .neon: CK_NEON
        }
    }
}
