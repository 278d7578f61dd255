import Foundation

/// A writer of the protocol-buffer wire format, for the few types of fields that event files have.
///
/// A code generator and its runtime would be larger than this.
struct ProtocolBuffer {
    private(set) var bytes: [UInt8] = []

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
    private mutating func key(_ field: Int, _ wireType: UInt64) { varint(UInt64(field) << 3 | wireType) }
    private mutating func raw<Number>(_ value: Number) { withUnsafeBytes(of: value) { bytes += $0 } }

    mutating func integer(_ field: Int, _ value: Int) {
        key(field, 0)
        varint(UInt64(bitPattern: Int64(value)))
    }
    mutating func double(_ field: Int, _ value: Double) {
        key(field, 1)
        raw(value.bitPattern.littleEndian)
    }
    mutating func float(_ field: Int, _ value: Float) {
        key(field, 5)
        raw(value.bitPattern.littleEndian)
    }
    mutating func data(_ field: Int, _ value: [UInt8]) {
        key(field, 2)
        varint(UInt64(value.count))
        bytes += value
    }
    mutating func text(_ field: Int, _ value: String) { data(field, Array(value.utf8)) }
    mutating func message(_ field: Int, _ fill: (inout ProtocolBuffer) -> Void) {
        var inner = ProtocolBuffer()
        fill(&inner)
        data(field, inner.bytes)
    }
    /// Adds a packed repeated field.
    mutating func doubles(_ field: Int, _ values: [Double]) {
        var inner = ProtocolBuffer()
        for value in values { inner.raw(value.bitPattern.littleEndian) }
        data(field, inner.bytes)
    }
}
