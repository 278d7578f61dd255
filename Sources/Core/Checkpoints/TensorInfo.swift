/// The element types of the safetensors format whose elements fill whole bytes.
///
/// The cases are in the order in which the format's own library sorts them, with small
/// ones first.
public enum TensorType: String, Sendable, CaseIterable {
    /// A truth value in one byte.
    case bool = "BOOL"
    /// An unsigned 8-bit integer.
    case uint8 = "U8"
    /// A signed 8-bit integer.
    case int8 = "I8"
    /// An 8-bit floating-point number with 5 exponent and 2 mantissa bits.
    case float8e5m2 = "F8_E5M2"
    /// An 8-bit floating-point number with 4 exponent and 3 mantissa bits.
    case float8e4m3 = "F8_E4M3"
    /// A signed 16-bit integer.
    case int16 = "I16"
    /// An unsigned 16-bit integer.
    case uint16 = "U16"
    /// A 16-bit floating-point number with 5 exponent and 10 mantissa bits (IEEE half precision).
    case float16 = "F16"
    /// A 16-bit floating-point number with 8 exponent and 7 mantissa bits.
    case bfloat16 = "BF16"
    /// A signed 32-bit integer.
    case int32 = "I32"
    /// An unsigned 32-bit integer.
    case uint32 = "U32"
    /// A 32-bit floating-point number (IEEE single precision).
    case float32 = "F32"
    /// A 64-bit floating-point number (IEEE double precision).
    case float64 = "F64"
    /// A signed 64-bit integer.
    case int64 = "I64"
    /// An unsigned 64-bit integer.
    case uint64 = "U64"

    /// The size of an element in bytes.
    public var size: Int {
        switch self {
        case .bool, .uint8, .int8, .float8e5m2, .float8e4m3: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .float64, .int64, .uint64: 8
        }
    }
}

/// The name, type, shape and position of a tensor in a safetensors file.
public struct TensorInfo: Sendable, Equatable {
    /// The tensor's key in the header, such as `decoder.weight`.
    public let name: String
    /// The type of the elements.
    public let type: TensorType
    /// The size of each dimension, in row-major order; empty for a scalar.
    public let shape: [Int]
    /// The position of the tensor's bytes, counted from the end of the header.
    public let bytes: Range<Int>

    /// Returns whether two descriptions agree, and their names byte for byte.
    public static func == (a: TensorInfo, b: TensorInfo) -> Bool {
        ExactName(a.name) == ExactName(b.name) && a.type == b.type && a.shape == b.shape && a.bytes == b.bytes
    }

    /// The number of elements.
    public var count: Int { bytes.count / type.size }
}
