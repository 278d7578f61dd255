/// A reader of protocol buffers that knows nothing of the messages.
struct ProtocolReader {
    enum Field: Equatable {
        case integer(UInt64)
        case bytes(ArraySlice<UInt8>)
        case other
    }
    private var fields: [(number: Int, field: Field)] = []

    /// Parses a message; nil if it isn't one.
    init?(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        func varint() -> UInt64? {
            var value: UInt64 = 0, shift: UInt64 = 0
            while let byte = rest.popFirst() {
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
                if shift > 63 { return nil }
            }
            return nil
        }
        while !rest.isEmpty {
            guard let key = varint() else { return nil }
            let number = Int(key >> 3)
            switch key & 7 {
            case 0:
                guard let value = varint() else { return nil }
                fields.append((number, .integer(value)))
            case 2:
                guard let length = varint(), length <= rest.count else { return nil }
                fields.append((number, .bytes(rest.prefix(Int(length)))))
                rest = rest.dropFirst(Int(length))
            case 1, 5:
                let length = key & 7 == 1 ? 8 : 4
                guard length <= rest.count else { return nil }
                rest = rest.dropFirst(length)
                fields.append((number, .other))
            default: return nil
            }
        }
    }

    func all(_ number: Int) -> [ArraySlice<UInt8>] {
        fields.compactMap { if $0.number == number, case .bytes(let bytes) = $0.field { bytes } else { nil } }
    }
    func messages(_ number: Int) -> [ProtocolReader] { all(number).compactMap { ProtocolReader($0) } }
    func texts(_ number: Int) -> [String] { all(number).map { String(decoding: $0, as: UTF8.self) } }
    func text(_ number: Int) -> String? { texts(number).first }
    func integer(_ number: Int) -> Int? {
        fields.compactMap { if $0.number == number, case .integer(let value) = $0.field { Int(value) } else { nil } }
            .first
    }
    func floats(_ number: Int) -> [Float] {
        guard let bytes = all(number).first.map({ Array($0) }) else { return [] }
        return stride(from: 0, to: bytes.count, by: 4).map { start in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) })
        }
    }
    /// A packed list of small whole numbers.
    func integers(_ number: Int) -> [Int] {
        var result: [Int] = [], value = 0, shift = 0
        for byte in all(number).first ?? [] {
            value |= Int(byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 {
                result.append(value)
                (value, shift) = (0, 0)
            }
        }
        return result
    }
}

/// A file's model, as far as the tests read it.
struct ReadModel {
    struct Node {
        let operation: String
        let inputs: [String]
        let outputs: [String]
        let attributes: [String: ProtocolReader]
    }
    let model: ProtocolReader
    let graph: ProtocolReader
    let nodes: [Node]
    let tensors: [String: (shape: [Int], values: [Float])]

    init?(_ bytes: [UInt8]) {
        guard let model = ProtocolReader(bytes[...]), let graph = model.messages(7).first else { return nil }
        self.model = model
        self.graph = graph
        nodes = Self.nodes(of: graph)
        tensors = Dictionary(
            uniqueKeysWithValues: graph.messages(5).map { ($0.text(8)!, ($0.integers(1), $0.floats(9))) })
    }

    static func nodes(of graph: ProtocolReader) -> [Node] {
        graph.messages(1).map { node in
            Node(
                operation: node.text(4)!, inputs: node.texts(1), outputs: node.texts(2),
                attributes: Dictionary(uniqueKeysWithValues: node.messages(5).map { ($0.text(1)!, $0) }))
        }
    }

    var metadata: [String: String] {
        Dictionary(uniqueKeysWithValues: model.messages(14).map { ($0.text(1)!, $0.text(2)!) })
    }
    var recurrent: [Node] { nodes.filter { ["RNN", "GRU", "LSTM", "Scan"].contains($0.operation) } }

    static func names(_ values: [ProtocolReader]) -> [String] { values.map { $0.text(1)! } }
}
