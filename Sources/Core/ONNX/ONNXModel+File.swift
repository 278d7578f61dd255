import RecurrentCore

/// Writes models as files, with the numbers of fields that `onnx.proto` gives them.
extension ONNXModel {
    /// Replaces the file at `path` as a whole or not at all; tensors are written one after another, so that they are
    /// never all in memory at once.
    ///
    /// - Throws: ``RecurrentError/file(path:reason:)`` if the model would be longer than a message of protocol buffers
    ///   can be, or if the file can't be written.
    package func write(to path: String) throws {
        let pieces = graphPieces(), length = pieces.reduce(0) { $0 + $1.length }
        var start = ProtocolBuffer()
        start.integer(1, Self.formatVersion)
        start.text(2, PackageVersion.name)
        start.text(3, PackageVersion.text)
        start.text(6, documentation)
        start.message(8) {
            $0.text(1, "")
            $0.integer(2, Self.opset)
        }
        for (name, value) in metadata {
            start.message(14) {
                $0.text(1, name)
                $0.text(2, value)
            }
        }
        start.header(7, length: length)
        let size = start.bytes.count + length
        guard size <= Self.largestSize else {
            throw RecurrentError.file(
                path: path,
                reason: "the model would take \(size) bytes, but an ONNX file is one message of protocol buffers, "
                    + "which holds at most 2 GiB (\(Self.largestSize) bytes)")
        }
        try AtomicFile.write(to: path) { file in
            try start.bytes.withUnsafeBytes { try file.append($0) }
            for piece in pieces {
                try piece.bytes.withUnsafeBytes { try file.append($0) }
                if let tensor = piece.tensor { try tensor.writeElements { try file.append($0) } }
            }
        }
    }

    /// Bytes of a file, followed by the elements of a tensor.
    private struct Piece {
        let bytes: [UInt8]
        let tensor: ONNXTensor?
        var length: Int { bytes.count + (tensor?.size ?? 0) }
    }

    private func graphPieces() -> [Piece] {
        var buffer = ProtocolBuffer()
        graph.encode(to: &buffer)
        return [Piece(bytes: buffer.bytes, tensor: nil)]
            + graph.tensors.map { tensor in
                var start = ProtocolBuffer()
                start.integers(1, tensor.shape)
                start.integer(2, tensor.type.rawValue)
                start.text(8, tensor.name)
                start.header(9, length: tensor.size)
                var field = ProtocolBuffer()
                field.header(5, length: start.bytes.count + tensor.size)
                return Piece(bytes: field.bytes + start.bytes, tensor: tensor)
            }
    }
}

extension ONNXGraph {
    /// Encodes everything but the tensors.
    fileprivate func encode(to buffer: inout ProtocolBuffer) {
        buffer.text(2, name)
        for node in nodes { buffer.message(1) { node.encode(to: &$0) } }
        for value in inputs { buffer.message(11) { value.encode(to: &$0) } }
        for value in outputs { buffer.message(12) { value.encode(to: &$0) } }
    }
}

extension ONNXNode {
    fileprivate func encode(to buffer: inout ProtocolBuffer) {
        for name in inputs { buffer.text(1, name) }
        for name in outputs { buffer.text(2, name) }
        buffer.text(4, operation)
        for attribute in attributes { buffer.message(5) { attribute.encode(to: &$0) } }
    }
}

extension ONNXAttribute {
    fileprivate func encode(to buffer: inout ProtocolBuffer) {
        buffer.text(1, name)
        switch value {
        case .integer(let number):
            buffer.integer(3, number)
            buffer.integer(20, 2)
        case .text(let text):
            buffer.text(4, text)
            buffer.integer(20, 3)
        case .graph(let graph):
            precondition(graph.tensors.isEmpty, "a loop's body uses the tensors of the graph around it")
            buffer.message(6) { graph.encode(to: &$0) }
            buffer.integer(20, 5)
        case .floats(let numbers):
            buffer.floats(7, numbers.map { Float($0) })
            buffer.integer(20, 6)
        case .integers(let numbers):
            buffer.integers(8, numbers)
            buffer.integer(20, 7)
        case .texts(let texts):
            for text in texts { buffer.text(9, text) }
            buffer.integer(20, 8)
        }
    }
}

extension ONNXValue {
    fileprivate func encode(to buffer: inout ProtocolBuffer) {
        buffer.text(1, name)
        buffer.message(2) { type in
            type.message(1) { tensor in
                tensor.integer(1, self.type.rawValue)
                tensor.message(2) { shape in
                    for axis in self.shape {
                        shape.message(1) {
                            switch axis {
                            case .size(let count): $0.integer(1, count)
                            case .named(let name): $0.text(2, name)
                            }
                        }
                    }
                }
            }
        }
        if !documentation.isEmpty { buffer.text(3, documentation) }
    }
}

extension ONNXTensor {
    /// Passes the bytes of all elements, least significant first, to `write`.
    fileprivate func writeElements(_ write: (UnsafeRawBufferPointer) throws -> Void) throws {
        switch elements {
        case .floats(let values):
            let values = values()
            precondition(values.count == count, "tensor '\(name)' of shape \(shape) has \(values.count) elements")
            try values.map { $0.bitPattern.littleEndian }.withUnsafeBytes(write)
        case .integers(let values):
            precondition(values.count == count, "tensor '\(name)' of shape \(shape) has \(values.count) elements")
            try values.map { Int64($0).littleEndian }.withUnsafeBytes(write)
        }
    }
}
