import RecurrentCore

extension CUDABackend {
    public static let name = "cuda"
    public static let summary = "NVIDIA GPUs, Float32: cuBLAS, cuSOLVER and kernels compiled when needed"
    /// The options of the CUDA backend.
    public struct Options: OptionSection {
        /// The number of the GPU, counted from 0.
        public var device = 0
        /// The precision of products; weights, states and everything else have 32 bits.
        public var precision = CUDAPrecision.float32
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .integer("device", \.device, 0...1023, "Number of the GPU, counted from 0."),
            .choice("precision", \.precision, "Precision of products, which are summed and kept in 32 bits."),
        ]
    }
    public static let incidentalOptions: Set = ["device"]
    public static let deviceOption: String? = "device"
    public convenience init(options: Options) throws {
        try self.init(device: options.device, precision: options.precision)
    }
}

/// The precision in which a GPU multiplies matrices; everything else is Float32.
public enum CUDAPrecision: String, Sendable, CaseIterable {
    /// True Float32.
    case float32 = "fp32"
    /// Factors rounded to 10 bits of mantissa, on tensor cores.
    case tf32
    /// Factors rounded to 7 bits of mantissa, on tensor cores.
    case bfloat16 = "bf16"

    /// CUDADriver's code for the precision.
    var code: Int32 {
        switch self {
        case .float32: 0
        case .tf32: 1
        case .bfloat16: 2
        }
    }
}
