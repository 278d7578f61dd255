/// The cyclic redundancy check CRC-32C (Castagnoli), as in iSCSI (RFC 3720) and
/// TensorFlow's record files; it detects damage, but not forgery.
///
///     CRC32C.of("123456789".utf8)  // 0xE306_9283
public struct CRC32C: Sendable {
    /// The checksum of all bytes so far.
    public var value: UInt32 { ~register }
    private var register: UInt32 = ~0

    /// The checksum of all bytes so far, as eight hexadecimal digits.
    package var digits: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// Creates the checksum of no bytes.
    public init() {}

    /// Returns the checksum of these bytes alone.
    public static func of(_ bytes: some Collection<UInt8>) -> UInt32 {
        var crc = CRC32C()
        crc.update(bytes)
        return crc.value
    }

    /// Adds more bytes to the checksum.
    public mutating func update(_ bytes: some Collection<UInt8>) {
        let done: Void? = bytes.withContiguousStorageIfAvailable { update(UnsafeRawBufferPointer($0)) }
        if done == nil { Array(bytes).withUnsafeBytes { update($0) } }
    }

    /// Adds more bytes to the checksum.
    ///
    /// Eight tables are used to process eight bytes at a time.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var crc = register
        Self.tables.withUnsafeBufferPointer { table in
            let whole = bytes.count & ~7
            var index = 0
            while index < whole {
                let word =
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ UInt64(crc)
                crc = 0
                for byte in 0..<8 {
                    crc ^= table[(7 - byte) << 8 | Int(truncatingIfNeeded: word >> UInt64(8 * byte)) & 0xFF]
                }
                index += 8
            }
            while index < bytes.count {
                crc = table[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[index])] ^ crc >> 8
                index += 1
            }
        }
        register = crc
    }

    /// The eight tables; table k gives the effect of a byte followed by k more bytes.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            tables[byte] = (0..<8).reduce(UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 0 ? 0 : 0x82F6_3B78) }
        }
        for index in 256..<tables.count {
            let crc = tables[index - 256]
            tables[index] = tables[Int(crc & 0xFF)] ^ crc >> 8
        }
        return tables
    }()
}
