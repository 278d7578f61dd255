/// Parses a safetensors header. It accepts only the one form of JSON that a header
/// may have, so its memory is bounded by the text's length.
struct SafeTensorsHeaderParser {
    private let text: UnsafeRawBufferPointer
    private var position = 0
    private(set) var metadata: [String: String] = [:]

    /// More dimensions than any library supports.
    private static let highestRank = 64

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    /// Parses `{"__metadata__": {string: string, …}, name: tensor, …}`, then white space.
    mutating func parse() throws(SafeTensorsFlaw) -> [TensorInfo] {
        guard text.first == UInt8(ascii: "{") else {
            throw SafeTensorsFlaw("not a safetensors file (its header isn't a JSON object)")
        }
        var tensors: [TensorInfo] = []
        var names: Set<ExactName> = []
        try object { parser, name throws(SafeTensorsFlaw) in
            guard names.insert(ExactName(name)).inserted else {
                throw SafeTensorsFlaw("is damaged: it holds '\(name)' twice")
            }
            if name == "__metadata__" {
                try parser.parseMetadata()
            } else {
                tensors.append(try parser.tensor(name))
            }
        }
        skipSpace()
        guard position == text.count else { throw unexpected("the end of the header") }
        return tensors
    }

    private mutating func parseMetadata() throws(SafeTensorsFlaw) {
        var keys: Set<ExactName> = []
        try object { parser, key throws(SafeTensorsFlaw) in
            guard keys.insert(ExactName(key)).inserted else {
                throw SafeTensorsFlaw("is damaged: its metadata holds '\(key)' twice")
            }
            parser.metadata[key] = try parser.string()
        }
    }

    /// Parses `{"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}`.
    private mutating func tensor(_ name: String) throws(SafeTensorsFlaw) -> TensorInfo {
        var type: TensorType?
        var shape: [Int]?
        var offsets: [Int]?
        try object { parser, key throws(SafeTensorsFlaw) in
            switch key {
            case "dtype" where type == nil:
                let text = try parser.string()
                guard let known = TensorType(rawValue: text) else {
                    throw SafeTensorsFlaw("tensor '\(name)' has the unknown element type '\(text)'")
                }
                type = known
            case "shape" where shape == nil: shape = try parser.integers(atMost: Self.highestRank)
            case "data_offsets" where offsets == nil: offsets = try parser.integers(atMost: 2)
            default: throw SafeTensorsFlaw("is damaged: tensor '\(name)' has an unknown or repeated field '\(key)'")
            }
        }
        guard let type, let shape, let offsets else {
            throw SafeTensorsFlaw("is damaged: tensor '\(name)' lacks its dtype, shape or data_offsets")
        }
        guard offsets.count == 2, offsets[0] <= offsets[1] else {
            throw SafeTensorsFlaw("is damaged: tensor '\(name)' has the data offsets \(offsets)")
        }
        guard let size = Self.product(shape + [type.size]), size == offsets[1] - offsets[0] else {
            throw SafeTensorsFlaw(
                "is damaged: tensor '\(name)' of type \(type.rawValue) and shape \(shape) can't have \(offsets[1] - offsets[0]) bytes"
            )
        }
        return TensorInfo(name: name, type: type, shape: shape, bytes: offsets[0]..<offsets[1])
    }

    /// Returns nil if the product overflows at any point, even if a later factor is 0.
    private static func product(_ factors: [Int]) -> Int? {
        var product = 1
        for factor in factors {
            let (next, overflow) = product.multipliedReportingOverflow(by: factor)
            if overflow { return nil }
            product = next
        }
        return product
    }
}

// The JSON syntax, without the header's schema.
extension SafeTensorsHeaderParser {
    private mutating func skipSpace() {
        while position < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[position]) { position += 1 }
    }

    private func unexpected(_ expected: String) -> SafeTensorsFlaw {
        SafeTensorsFlaw("is damaged: byte \(position) of its header isn't \(expected)")
    }

    /// Skips white space, and consumes the next byte if it is `character`.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(SafeTensorsFlaw) {
        if !take(character) { throw unexpected("'\(character)'") }
    }

    /// Parses an object, calling `member` with each key to parse the value that follows.
    private mutating func object(
        _ member: (inout Self, String) throws(SafeTensorsFlaw) -> Void
    ) throws(SafeTensorsFlaw) {
        try expect("{")
        if take("}") { return }
        repeat {
            let key = try string()
            try expect(":")
            try member(&self, key)
        } while take(",")
        try expect("}")
    }

    /// Parses a list of non-negative integers.
    private mutating func integers(atMost limit: Int) throws(SafeTensorsFlaw) -> [Int] {
        try expect("[")
        if take("]") { return [] }
        var integers: [Int] = []
        repeat {
            guard integers.count < limit else { throw unexpected("the end of a list of at most \(limit) numbers") }
            integers.append(try integer())
        } while take(",")
        try expect("]")
        return integers
    }

    private mutating func integer() throws(SafeTensorsFlaw) -> Int {
        skipSpace()
        let start = position
        var value = 0
        while position < text.count, case let digit = text[position], (0x30...0x39).contains(digit) {
            let (product, high) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(digit - 0x30))
            guard !high, !carry else { throw unexpected("within the range of a number") }
            value = sum
            position += 1
        }
        guard position > start, position == start + 1 || text[start] != 0x30 else {
            throw unexpected("a non-negative integer")
        }
        return value
    }

    private mutating func string() throws(SafeTensorsFlaw) -> String {
        try expect("\"")
        var bytes: [UInt8] = []
        while true {
            guard position < text.count, text[position] >= 0x20 else { throw unexpected("part of a string") }
            let byte = text[position]
            position += 1
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                try bytes.append(contentsOf: String(escape()).utf8)
            } else {
                bytes.append(byte)
            }
        }
        guard let string = String(validating: bytes, as: UTF8.self) else {
            throw unexpected("the end of a UTF-8 string")
        }
        return string
    }

    /// Parses what follows a backslash.
    private mutating func escape() throws(SafeTensorsFlaw) -> Unicode.Scalar {
        guard position < text.count else { throw unexpected("an escape") }
        let byte = text[position]
        position += 1
        switch Unicode.Scalar(byte) {
        case "\"", "\\", "/": return Unicode.Scalar(byte)
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u":
            let first = try codeUnit()
            if let scalar = Unicode.Scalar(first) { return scalar }
            // This is the first half of a surrogate pair, or damage.
            guard first < 0xDC00, position + 1 < text.count, text[position] == UInt8(ascii: "\\"),
                text[position + 1] == UInt8(ascii: "u")
            else { throw unexpected("the second half of a surrogate pair") }
            position += 2
            let second = try codeUnit()
            guard (0xDC00...0xDFFF).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            else { throw unexpected("after the second half of a surrogate pair") }
            return scalar
        default: throw unexpected("after a JSON escape")
        }
    }

    /// Parses four hexadecimal digits.
    private mutating func codeUnit() throws(SafeTensorsFlaw) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard position < text.count, let digit = Character(Unicode.Scalar(text[position])).hexDigitValue,
                text[position] < 0x80
            else { throw unexpected("a hexadecimal digit") }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }
}
