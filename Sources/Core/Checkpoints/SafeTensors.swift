/// A file of named tensors in the safetensors format, opened for reading.
///
/// The file isn't trusted: nothing in its header is believed until it agrees with
/// the file's size, and no tensor is read until it is asked for.
/// The format consists of 8 bytes with the header's length, the header in JSON, and
/// the tensors' bytes without gaps, all little-endian (github.com/huggingface/safetensors).
///
///     let file = try SafeTensors(path: "run/model.safetensors")
///     let weight = try file.floats("decoder.weight", shape: [10, 50])
public final class SafeTensors: Sendable {
    /// The file's path, or the name for it in messages.
    public let path: String
    /// The file's tensors, in the order of their bytes.
    public let tensors: [TensorInfo]
    /// The strings under `__metadata__`. Of keys that differ only in Unicode's composition of characters, one is kept.
    public let metadata: [String: String]
    private let source: Source
    private let dataStart: Int
    private let numbers: [ExactName: Int]

    private enum Source: Sendable {
        case file(FileReader)
        case memory([UInt8])
    }

    /// Opens a file and checks its header.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if it can't be read,
    ///   ``RecurrentError/checkpoint(path:reason:)`` if it isn't a valid safetensors file.
    public convenience init(path: String) throws {
        let file = try FileReader(path)
        try self.init(.file(file), size: file.size, path: path)
    }

    /// Checks the header of a file that is already in memory.
    ///
    /// - Parameters:
    ///   - bytes: the contents of the whole file.
    ///   - path: what to call the file in messages.
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if it isn't a valid safetensors file.
    public convenience init(bytes: [UInt8], path: String) throws {
        try self.init(.memory(bytes), size: bytes.count, path: path)
    }

    private init(_ source: Source, size: Int, path: String) throws {
        self.source = source
        self.path = path
        do {
            guard size >= 8 else { throw SafeTensorsFlaw("not a safetensors file (it has only \(size) bytes)") }
            let prefix = try Self.read(source, 0..<8).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
            let headerSize = try SafeTensorsHeader.size(UInt64(littleEndian: prefix), fileSize: size)
            dataStart = 8 + headerSize
            let text = try Self.read(source, 8..<dataStart)
            let dataSize = size - dataStart
            let header = try text.withUnsafeBytes { try SafeTensorsHeader($0, dataSize: dataSize) }
            tensors = header.tensors
            metadata = header.metadata
            numbers = Dictionary(uniqueKeysWithValues: header.tensors.enumerated().map { (ExactName($1.name), $0) })
        } catch let flaw as SafeTensorsFlaw {
            throw RecurrentError.checkpoint(path: path, reason: flaw.reason)
        }
    }

    private static func read(_ source: Source, _ range: Range<Int>) throws -> [UInt8] {
        switch source {
        case .memory(let bytes): Array(bytes[range])
        case .file(let file): try file.bytes(range)
        }
    }

    /// Compares the file with the checksum that ``SafeTensorsWriter`` put into it;
    /// files without a checksum pass.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if they disagree.
    public func verifyChecksum() throws {
        guard let expected = metadata[SafeTensorsWriter.checksumKey] else { return }
        var header = try Self.read(source, 8..<dataStart)
        guard let place = SafeTensorsWriter.checksumPlace(in: header) else {
            throw RecurrentError.checkpoint(
                path: path,
                reason:
                    "has the checksum of another file: it is damaged, or another program has written it again, and must then remove crc32c from its metadata"
            )
        }
        let zeros = Array(SafeTensorsWriter.noChecksum.utf8)
        header.replaceSubrange(place..<place + zeros.count, with: zeros)
        var crc = CRC32C()
        crc.update(header)
        let end = tensors.last.map { dataStart + $0.bytes.upperBound } ?? dataStart
        for start in stride(from: dataStart, to: end, by: Self.pieceSize) {
            crc.update(try Self.read(source, start..<min(start + Self.pieceSize, end)))
        }
        guard crc.digits == expected else {
            throw RecurrentError.checkpoint(
                path: path, reason: "is damaged: its contents don't agree with its checksum (metadata entry crc32c)")
        }
    }

    private static let pieceSize = 1 << 20

    /// The tensor with this name, byte for byte, or nil if there is none.
    public subscript(name: String) -> TensorInfo? { numbers[ExactName(name)].map { tensors[$0] } }

    /// Returns the tensor with this name.
    ///
    /// - Parameters:
    ///   - name: the tensor's name in the file.
    ///   - shape: the shape that it must have; nil for any.
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if there is none, or it has another shape.
    public func tensor(_ name: String, shape: [Int]? = nil) throws -> TensorInfo {
        guard let tensor = self[name] else {
            let some = tensors.prefix(20).map(\.name).joined(separator: ", ")
            throw RecurrentError.checkpoint(
                path: path, reason: "has no tensor '\(name)'; it holds \(some)\(tensors.count > 20 ? ", …" : "")")
        }
        if let shape, tensor.shape != shape {
            throw RecurrentError.checkpoint(
                path: path, reason: "tensor '\(name)' has the shape \(tensor.shape), not \(shape)")
        }
        return tensor
    }

    /// Reads a tensor's bytes as they are in the file.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if there is no such tensor, or it
    ///   has another shape.
    public func bytes(_ name: String, shape: [Int]? = nil) throws -> [UInt8] {
        try bytes(of: tensor(name, shape: shape))
    }

    private func bytes(of tensor: TensorInfo) throws -> [UInt8] {
        try Self.read(source, dataStart + tensor.bytes.lowerBound..<dataStart + tensor.bytes.upperBound)
    }

    /// Reads a tensor of floating-point numbers, rounding F64 to Float.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if there is no such tensor, it
    ///   has another shape, or its type isn't F16, BF16, F32 or F64.
    public func floats(_ name: String, shape: [Int]? = nil) throws -> [Float] {
        let tensor = try tensor(name, shape: shape)
        return tensor.type == .float64
            ? try elements(tensor) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
            : try narrowFloats(tensor)
    }

    /// Reads a tensor of floating-point numbers as Doubles.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if there is no such tensor, it
    ///   has another shape, or its type isn't F16, BF16, F32 or F64.
    public func doubles(_ name: String, shape: [Int]? = nil) throws -> [Double] {
        let tensor = try tensor(name, shape: shape)
        return tensor.type == .float64
            ? try elements(tensor) { (bits: UInt64) in Double(bitPattern: bits) }
            : try narrowFloats(tensor).map(Double.init)
    }

    /// Reads a tensor of integers.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if there is no such tensor, it
    ///   has another shape, or its type isn't I64 or I32.
    public func integers(_ name: String, shape: [Int]? = nil) throws -> [Int64] {
        let tensor = try tensor(name, shape: shape)
        switch tensor.type {
        case .int64: return try elements(tensor) { (bits: UInt64) in Int64(bitPattern: bits) }
        case .int32: return try elements(tensor) { (bits: UInt32) in Int64(Int32(bitPattern: bits)) }
        default: throw wrongType(tensor, "integers (I32, I64)")
        }
    }

    private func narrowFloats(_ tensor: TensorInfo) throws -> [Float] {
        switch tensor.type {
        case .float32: try elements(tensor) { (bits: UInt32) in Float(bitPattern: bits) }
        case .bfloat16: try elements(tensor) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
        case .float16: try elements(tensor, Self.float(half:))
        default: throw wrongType(tensor, "floating-point numbers (F16, BF16, F32, F64)")
        }
    }

    /// Widens a number with 5 exponent and 10 mantissa bits. Read as the bits of a
    /// Float, it is too small by a factor of 2¹¹², subnormal or not.
    private static func float(half bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let rest = UInt32(bits & 0x7FFF) << 13
        let isFinite = bits & 0x7C00 != 0x7C00
        let magnitude = isFinite ? (Float(bitPattern: rest) * 0x1p112).bitPattern : rest | 0x7F80_0000
        return Float(bitPattern: sign | magnitude)
    }

    private func wrongType(_ tensor: TensorInfo, _ expected: String) -> RecurrentError {
        RecurrentError.checkpoint(
            path: path,
            reason: "tensor '\(tensor.name)' has the element type \(tensor.type.rawValue); expected \(expected)")
    }

    private func elements<Bits: FixedWidthInteger, Element>(
        _ tensor: TensorInfo, _ convert: (Bits) -> Element
    ) throws -> [Element] {
        try bytes(of: tensor).withUnsafeBytes { bytes in
            (0..<tensor.count).map {
                convert(
                    Bits(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Bits>.size, as: Bits.self))
                )
            }
        }
    }
}
