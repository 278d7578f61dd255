/// The element types of the safetensors format that whole bytes hold.
///
/// In the order in which the format's own library sorts them, small ones first.
public enum TensorType: String, Sendable, CaseIterable {
    case bool = "BOOL"
    case uint8 = "U8"
    case int8 = "I8"
    case float8e5m2 = "F8_E5M2"
    case float8e4m3 = "F8_E4M3"
    case int16 = "I16"
    case uint16 = "U16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int32 = "I32"
    case uint32 = "U32"
    case float32 = "F32"
    case float64 = "F64"
    case int64 = "I64"
    case uint64 = "U64"

    /// Bytes of an element.
    public var size: Int {
        switch self {
        case .bool, .uint8, .int8, .float8e5m2, .float8e4m3: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .float64, .int64, .uint64: 8
        }
    }
}

/// A tensor of a safetensors file.
public struct TensorInfo: Sendable, Equatable {
    public let name: String
    public let type: TensorType
    /// Row-major; empty for a scalar.
    public let shape: [Int]
    /// Where its bytes are, counted from the end of the header.
    public let bytes: Range<Int>

    /// Elements.
    public var count: Int { bytes.count / type.size }
}
