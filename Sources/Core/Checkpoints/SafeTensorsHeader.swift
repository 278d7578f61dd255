/// The contents of a safetensors file's header, checked against the file's size.
struct SafeTensorsHeader {
    /// The tensors in the order of their bytes, which fill the data without overlap or gap.
    let tensors: [TensorInfo]
    let metadata: [String: String]

    /// The format's own library has the same limit; a longer header is taken for damage.
    static let largestSize = 100_000_000

    /// Returns the length of the header that begins after the file's first 8 bytes.
    static func size(_ prefix: UInt64, fileSize: Int) throws(SafeTensorsFlaw) -> Int {
        // The signature of a ZIP archive, in which torch.save writes.
        guard prefix & 0xFFFF_FFFF != 0x0403_4B50 else {
            throw SafeTensorsFlaw(
                "not a safetensors file but one of torch.save; save the state dict with safetensors.torch.save_file")
        }
        guard prefix <= UInt64(largestSize) else {
            throw SafeTensorsFlaw("not a safetensors file (its header would have \(prefix) bytes)")
        }
        guard Int(prefix) <= fileSize - 8 else {
            throw SafeTensorsFlaw(
                "is cut short: its header should have \(prefix) bytes, but the file ends after \(fileSize - 8)")
        }
        return Int(prefix)
    }

    /// Parses a header and checks it.
    ///
    /// - Parameters:
    ///   - text: the header.
    ///   - dataSize: how many bytes follow it.
    init(_ text: UnsafeRawBufferPointer, dataSize: Int) throws(SafeTensorsFlaw) {
        var parser = SafeTensorsHeaderParser(text)
        var tensors = try parser.parse()
        metadata = parser.metadata
        // An empty tensor sorts before the one that starts at the same byte.
        tensors.sort { ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound) }
        var end = 0
        for tensor in tensors {
            guard tensor.bytes.upperBound <= dataSize else {
                throw SafeTensorsFlaw(
                    "is cut short: tensor '\(tensor.name)' should end at byte \(tensor.bytes.upperBound) of the data, which has \(dataSize)"
                )
            }
            guard tensor.bytes.lowerBound == end else {
                throw SafeTensorsFlaw(
                    "is damaged: tensor '\(tensor.name)' starts at byte \(tensor.bytes.lowerBound) of the data, but what comes before ends at \(end)"
                )
            }
            end = tensor.bytes.upperBound
        }
        guard end == dataSize else {
            throw SafeTensorsFlaw("is damaged: \(dataSize - end) bytes at its end belong to no tensor")
        }
        self.tensors = tensors
    }
}

/// The reason why a file isn't a valid safetensors file; messages put it after the path.
struct SafeTensorsFlaw: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}
