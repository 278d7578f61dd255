/// Builds a safetensors file. The same tensors give the same bytes, whatever the
/// order in which they were added. Tensors are written one after another, so those whose
/// numbers are supplied by a closure are never all in memory at once.
///
///     var writer = SafeTensorsWriter(metadata: ["format": "pt"])
///     writer.add("decoder.bias", shape: [10], bias)
///     try writer.write(to: "run/model.safetensors")
public struct SafeTensorsWriter: Sendable {
    private let metadata: [String: String]
    private let hasChecksum: Bool
    private var tensors: [Tensor] = []
    private var names: Set<ExactName> = []

    private struct Tensor: Sendable {
        let name: String
        let type: TensorType
        let shape: [Int]
        var size: Int { shape.reduce(type.size, *) }
        /// Passes the tensor's bytes to a closure that writes them.
        let write: @Sendable (_ to: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    }

    /// Creates a writer without tensors.
    ///
    /// - Parameters:
    ///   - metadata: strings to keep beside the tensors; PyTorch's tools expect `format: pt`.
    ///   - hasChecksum: whether to add the entry `crc32c` to the metadata: the checksum of
    ///     everything after the file's first 8 bytes, with its own digits taken as zeros.
    public init(metadata: [String: String] = [:], hasChecksum: Bool = false) {
        var metadata = metadata
        if hasChecksum { metadata[Self.checksumKey] = Self.noChecksum }
        self.metadata = metadata
        self.hasChecksum = hasChecksum
    }

    /// Adds a tensor of type F32; its name must be new, and its shape must fit the values.
    public mutating func add(_ name: String, shape: [Int], _ values: [Float]) { add(name, shape: shape) { values } }
    /// Adds a tensor of type F64.
    public mutating func add(_ name: String, shape: [Int], _ values: [Double]) { add(name, shape: shape) { values } }
    /// Adds a tensor of type I64.
    public mutating func add(_ name: String, shape: [Int], _ values: [Int64]) {
        add(name, .int64, shape, { $0 }) { values }
    }
    /// Adds a tensor of type I32.
    public mutating func add(_ name: String, shape: [Int], _ values: [Int32]) {
        add(name, .int32, shape, { $0 }) { values }
    }

    /// Adds a tensor of type F32 whose numbers are requested when they are written.
    public mutating func add(_ name: String, shape: [Int], _ values: @escaping @Sendable () -> [Float]) {
        add(name, .float32, shape, \.bitPattern, values)
    }
    /// Adds a tensor of type F64 whose numbers are requested when they are written.
    public mutating func add(_ name: String, shape: [Int], _ values: @escaping @Sendable () -> [Double]) {
        add(name, .float64, shape, \.bitPattern, values)
    }

    /// Adds a tensor whose numbers are collected from elsewhere when they are written to a file.
    mutating func add(_ name: String, shape: [Int], collecting values: @escaping @Sendable () throws -> [Float]) {
        add(name, .float32, shape, \.bitPattern, values)
    }
    /// Adds a tensor of type F64 in the same way.
    mutating func add(_ name: String, shape: [Int], collecting values: @escaping @Sendable () throws -> [Double]) {
        add(name, .float64, shape, \.bitPattern, values)
    }

    private mutating func add<Element, Bits: FixedWidthInteger>(
        _ name: String, _ type: TensorType, _ shape: [Int], _ bits: @escaping @Sendable (Element) -> Bits,
        _ values: @escaping @Sendable () throws -> [Element]
    ) {
        precondition(shape.allSatisfy { $0 >= 0 }, "tensor '\(name)' can't have the shape \(shape)")
        precondition(
            name != "__metadata__" && names.insert(ExactName(name)).inserted,
            "tensor '\(name)' added twice, or a reserved name")
        let count = shape.reduce(1, *)
        tensors.append(
            Tensor(name: name, type: type, shape: shape) { write in
                let values = try values()
                precondition(
                    values.count == count, "tensor '\(name)' of shape \(shape) can't have \(values.count) elements")
                // On most machines memory holds the numbers just as the file does.
                #if _endian(little)
                    try values.withUnsafeBytes(write)
                #else
                    try values.map { bits($0).littleEndian }.withUnsafeBytes(write)
                #endif
            })
    }

    /// Returns the file's bytes.
    ///
    /// Tensors with wide elements come first, and those of one type are sorted by name, as
    /// in the format's own library; this aligns all of them.
    public func encoded() -> [UInt8] {
        var file: [UInt8] = []
        do {
            let digits = try encode { file.append(contentsOf: $0) }
            if let digits { file.replaceSubrange(digits.place..<digits.place + digits.text.count, with: digits.text) }
        } catch {
            preconditionFailure("memory takes every byte")
        }
        return file
    }

    /// Replaces the file at `path` as a whole or not at all.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` in the same cases as ``AtomicFile``.
    public func write(to path: String) throws {
        try AtomicFile.write(to: path) { file in
            if let digits = try encode({ try file.append($0) }) {
                try digits.text.withUnsafeBytes { try file.overwrite($0, at: digits.place) }
            }
        }
    }

    /// Passes the file to `write` from beginning to end, with zeros for its checksum.
    ///
    /// - Returns: the checksum's digits and the offset where they belong; nil without a checksum.
    private func encode(_ write: (UnsafeRawBufferPointer) throws -> Void) throws -> (text: [UInt8], place: Int)? {
        // The types first, so that all numbers are aligned.
        let sorted = TensorType.allCases.reversed().flatMap { type in
            Self.ordered(tensors.filter { $0.type == type }, by: \.name)
        }
        let header = header(of: sorted)
        try withUnsafeBytes(of: UInt64(header.count).littleEndian, write)
        var checksum = CRC32C()
        func add(_ bytes: UnsafeRawBufferPointer) throws {
            if hasChecksum { checksum.update(bytes) }
            try write(bytes)
        }
        try header.withUnsafeBytes(add)
        for tensor in sorted { try tensor.write(add) }
        return hasChecksum ? (Array(checksum.digits.utf8), 8 + Self.checksumPlace(in: header)!) : nil
    }

    /// Returns tensors of one type in the order in which they are written.
    static func ordered<Element>(_ tensors: [Element], by name: (Element) -> String) -> [Element] {
        tensors.sorted { name($0).utf8.lexicographicallyPrecedes(name($1).utf8) }
    }

    private func header(of tensors: [Tensor]) -> [UInt8] {
        var entries: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
            entries.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var offset = 0
        for tensor in tensors {
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let end = offset + tensor.size
            entries.append(
                "\(Self.quoted(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"
            )
            offset = end
        }
        let header = Array("{\(entries.joined(separator: ","))}".utf8)
        // The padding makes the tensors begin at a multiple of 8.
        return header + [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
    }

    static let checksumKey = "crc32c"
    static let noChecksum = "00000000"

    /// Returns where a header keeps the checksum's eight digits. No name or value can look
    /// like the key, because quotation marks are escaped in them.
    static func checksumPlace(in header: [UInt8]) -> Int? {
        let mark = Array("\"\(checksumKey)\":\"".utf8)
        guard header.count >= mark.count + noChecksum.utf8.count else { return nil }
        return (0...header.count - mark.count - noChecksum.utf8.count)
            .first { header[$0..<$0 + mark.count].elementsEqual(mark) }.map { $0 + mark.count }
    }

    /// Returns a text as JSON has it.
    package static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\u{8}": quoted += "\\b"
            case "\u{C}": quoted += "\\f"
            case ..<" ":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
