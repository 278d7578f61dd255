/// A writer of the protocol-buffer wire format, for the few types of fields that event files and ONNX models have.
///
/// swift-protobuf would add a minute of a processor's time to every build from scratch, for six kinds of fields.
package struct ProtocolBuffer {
    /// What has been written so far.
    package private(set) var bytes: [UInt8] = []

    /// Creates an empty message.
    package init() {}

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

    /// Adds a whole number, or an enumeration's.
    package mutating func integer(_ field: Int, _ value: Int) {
        key(field, 0)
        varint(UInt64(bitPattern: Int64(value)))
    }
    /// Adds a number of 64 bits.
    package mutating func double(_ field: Int, _ value: Double) {
        key(field, 1)
        raw(value.bitPattern.littleEndian)
    }
    /// Adds a number of 32 bits.
    package mutating func float(_ field: Int, _ value: Float) {
        key(field, 5)
        raw(value.bitPattern.littleEndian)
    }
    /// Adds a field whose contents, of this many bytes, follow elsewhere.
    package mutating func header(_ field: Int, length: Int) {
        key(field, 2)
        varint(UInt64(length))
    }
    /// Adds bytes.
    package mutating func data(_ field: Int, _ value: [UInt8]) {
        header(field, length: value.count)
        bytes += value
    }
    /// Adds a text.
    package mutating func text(_ field: Int, _ value: String) { data(field, Array(value.utf8)) }
    /// Adds a message, which `fill` writes.
    package mutating func message(_ field: Int, _ fill: (inout ProtocolBuffer) -> Void) {
        var inner = ProtocolBuffer()
        fill(&inner)
        data(field, inner.bytes)
    }
    /// Adds a packed repeated field of numbers of 64 bits.
    package mutating func doubles(_ field: Int, _ values: [Double]) {
        header(field, length: 8 * values.count)
        for value in values { raw(value.bitPattern.littleEndian) }
    }
    /// Adds a packed repeated field of numbers of 32 bits.
    package mutating func floats(_ field: Int, _ values: [Float]) {
        header(field, length: 4 * values.count)
        for value in values { raw(value.bitPattern.littleEndian) }
    }
    /// Adds a packed repeated field of whole numbers.
    package mutating func integers(_ field: Int, _ values: [Int]) {
        var inner = ProtocolBuffer()
        for value in values { inner.varint(UInt64(bitPattern: Int64(value))) }
        data(field, inner.bytes)
    }
}
