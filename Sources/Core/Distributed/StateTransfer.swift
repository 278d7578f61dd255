/// Brings the parts of a tensor that other ranks hold to rank 0, which writes them into a file.
struct StateTransfer: Sendable {
    private let communicator: any Communicator
    private let backend: any Backend

    init(_ communicator: any Communicator, _ backend: any Backend) {
        self.communicator = communicator
        self.backend = backend
    }

    /// Returns all elements of a tensor, row by row; called by rank 0 while the others call ``send(_:)``.
    func collect<S: HostScalar>(_ tensor: StateTensor, as: S.Type) throws -> [S] {
        var result = [S](repeating: 0, count: tensor.count)
        try result.withUnsafeMutableBufferPointer { all in
            for part in tensor.parts {
                guard let view = part.view else { continue }
                backend.download(view, into: UnsafeMutableBufferPointer(rebasing: all[part.elements]))
            }
            guard communicator.size > 1 else { return }
            let received = (0..<communicator.size).map { rank in
                tensor.parts.filter { $0.rank == rank && rank != communicator.rank }.map {
                    UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: all[$0.elements]))
                }
            }
            try communicator.makeExchange(sent: received.map { _ in [] }, received: received).run()
        }
        return result
    }

    /// Sends what this rank holds of a tensor to rank 0.
    func send(_ tensor: StateTensor) throws {
        switch backend.scalarType {
        case .float32: try send(tensor, as: Float.self)
        case .float64: try send(tensor, as: Double.self)
        }
    }

    private func send<S: HostScalar>(_ tensor: StateTensor, as: S.Type) throws {
        let own: [S] = tensor.parts.filter { $0.rank == communicator.rank }.flatMap { backend.download($0.view!) }
        try own.withUnsafeBytes { bytes in
            let sent = (0..<communicator.size).map { $0 == 0 ? [bytes] : [] }
            try communicator.makeExchange(sent: sent, received: sent.map { _ in [] }).run()
        }
    }
}
