/// Puts together a safetensors file. The same tensors give the same bytes, in
/// whichever order they were added.
///
///     var writer = SafeTensorsWriter(metadata: ["format": "pt"])
///     writer.add("decoder.bias", shape: [10], bias)
///     try writer.write(to: "run/model.safetensors")
public struct SafeTensorsWriter: Sendable {
    private let metadata: [String: String]
    private let hasChecksum: Bool
    private var tensors: [(name: String, type: TensorType, shape: [Int], bytes: [UInt8])] = []
    private var names: Set<String> = []

    /// - Parameters:
    ///   - metadata: strings to keep beside the tensors; PyTorch's tools expect `format: pt`.
    ///   - hasChecksum: adds the entry `crc32c` to them: the check of everything
    ///     after the file's first 8 bytes, its own digits taken as zeros.
    public init(metadata: [String: String] = [:], hasChecksum: Bool = false) {
        var metadata = metadata
        if hasChecksum { metadata[Self.checksumKey] = Self.noChecksum }
        self.metadata = metadata
        self.hasChecksum = hasChecksum
    }

    /// Adds a tensor of type F32; its name must be new and its shape fit.
    public mutating func add(_ name: String, shape: [Int], _ values: [Float]) {
        add(name, .float32, shape, values.map { $0.bitPattern })
    }
    /// Adds a tensor of type F64.
    public mutating func add(_ name: String, shape: [Int], _ values: [Double]) {
        add(name, .float64, shape, values.map { $0.bitPattern })
    }
    /// Adds a tensor of type I64.
    public mutating func add(_ name: String, shape: [Int], _ values: [Int64]) { add(name, .int64, shape, values) }
    /// Adds a tensor of type I32.
    public mutating func add(_ name: String, shape: [Int], _ values: [Int32]) { add(name, .int32, shape, values) }

    private mutating func add<Bits: FixedWidthInteger>(
        _ name: String, _ type: TensorType, _ shape: [Int], _ values: [Bits]
    ) {
        precondition(
            shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) == values.count,
            "tensor '\(name)' of shape \(shape) can't have \(values.count) elements")
        precondition(name != "__metadata__" && names.insert(name).inserted, "tensor '\(name)' added twice, or a reserved name")
        let bytes = [UInt8](unsafeUninitializedCapacity: values.count * MemoryLayout<Bits>.size) { bytes, count in
            let raw = UnsafeMutableRawBufferPointer(bytes)
            for (index, value) in values.enumerated() {
                raw.storeBytes(of: value.littleEndian, toByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self)
            }
            count = values.count * MemoryLayout<Bits>.size
        }
        tensors.append((name, type, shape, bytes))
    }

    /// The file's bytes.
    ///
    /// Wide elements come first, then the order is that of the names, as the
    /// format's own library does it: everything is aligned.
    public func encoded() -> [UInt8] {
        let rank = Dictionary(uniqueKeysWithValues: TensorType.allCases.enumerated().map { ($1, $0) })
        let sorted = tensors.sorted {
            $0.type == $1.type
                ? $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) : rank[$0.type]! > rank[$1.type]!
        }
        var entries: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
            entries.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var offset = 0
        for tensor in sorted {
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let end = offset + tensor.bytes.count
            entries.append(
                "\(Self.quoted(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var header = Array("{\(entries.joined(separator: ","))}".utf8)
        // So that the tensors begin at a multiple of 8.
        header += [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
        var file: [UInt8] = []
        file.reserveCapacity(8 + header.count + offset)
        withUnsafeBytes(of: UInt64(header.count).littleEndian) { file.append(contentsOf: $0) }
        file += header
        for tensor in sorted { file += tensor.bytes }
        if hasChecksum {
            let digits = Self.digits(of: CRC32C.of(file[8...]))
            let place = 8 + Self.checksumPlace(in: header)!
            file.replaceSubrange(place..<place + digits.count, with: digits)
        }
        return file
    }

    static let checksumKey = "crc32c"
    static let noChecksum = "00000000"

    static func digits(of checksum: UInt32) -> [UInt8] {
        let digits = String(checksum, radix: 16)
        return Array((String(repeating: "0", count: noChecksum.count - digits.count) + digits).utf8)
    }

    /// Where a header keeps the eight digits. No name or value can look like the
    /// key: their quotation marks are escaped.
    static func checksumPlace(in header: [UInt8]) -> Int? {
        let mark = Array("\"\(checksumKey)\":\"".utf8)
        guard header.count >= mark.count + noChecksum.utf8.count else { return nil }
        return (0...header.count - mark.count - noChecksum.utf8.count)
            .first { header[$0..<$0 + mark.count].elementsEqual(mark) }.map { $0 + mark.count }
    }

    /// Replaces the file at `path`, all at once.
    /// - Throws: ``RecurrentError/file(path:reason:)`` as ``AtomicFile`` does.
    public func write(to path: String) throws { try AtomicFile.write(encoded(), to: path) }

    private static func quoted(_ text: String) -> String {
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
