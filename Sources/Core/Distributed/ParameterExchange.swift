/// Carries gradients to the owners of the parameters, and the updated parameters back to everybody.
///
/// In a step, each rank sends its sums of all gradients except its own parameters', n (R − 1)/R elements, and then its
/// own updated parameters to R − 1 others: as many again.
final class ParameterExchange {
    private let backend: any Backend
    private let rank: Int, ranks: Int
    private let own: [Range<Int>], others: [Range<Int>]
    private let gradients: HostMirror, values: HostMirror, received: HostMirror
    private let gradient: MatrixView
    /// The sums of all ranks for this rank's own elements, [R, owned], one after another.
    private let sums: MatrixView
    private let sending: any Exchange, sharing: any Exchange
    private let add: any Kernel

    /// Prepares the exchange.
    init(
        _ parameters: ParameterStore, _ shares: ParameterShares, _ communicator: any Communicator,
        on backend: any Backend
    )
        throws
    {
        self.backend = backend
        rank = communicator.rank
        ranks = communicator.size
        let (rank, ranks) = (rank, ranks)
        let own = shares.owned[rank], count = own.elementCount
        self.own = own
        others = (0..<ranks).filter { $0 != rank }.flatMap { shares.owned[$0] }
        gradient = parameters.allGradients
        sums = try backend.allocate(rows: ranks, columns: max(count, 1))
        let received = HostMirror(sums.reshaped(rows: 1, columns: sums.count), on: backend)
        let gradients = HostMirror(gradient, on: backend), values = HostMirror(parameters.allValues, on: backend)
        (self.received, self.gradients, self.values) = (received, gradients, values)
        add = try backend.compile(PointwiseProgram(inputs: 2) { input, _ in [input[0] + input[1]] })
        func places(_ mirror: HostMirror, _ ranges: [Range<Int>]) -> [UnsafeMutableRawBufferPointer] {
            ranges.map(mirror.place)
        }
        sending = try communicator.makeExchange(
            sent: shares.owned.map { places(gradients, $0).map { UnsafeRawBufferPointer($0) } },
            received: (0..<ranks).map { count == 0 ? [] : places(received, [$0 * count..<($0 + 1) * count]) })
        sharing = try communicator.makeExchange(
            sent: (0..<ranks).map { _ in places(values, own).map { UnsafeRawBufferPointer($0) } },
            received: shares.owned.map { places(values, $0) })
    }

    /// Replaces the gradient of the elements that this rank owns by the sum over all ranks; that of the others is then
    /// undefined.
    func sumGradients() throws {
        gradients.download(others)
        try sending.run()
        let count = own.elementCount
        guard count > 0 else { return }
        received.upload((0..<ranks).filter { $0 != rank }.map { $0 * count..<($0 + 1) * count })
        copyOwn { backend.copy($0, to: $1) }
        // Neighbours first: row i becomes the sum of 2^k rows from i on.
        var step = 1
        while step < ranks {
            let pairs = ranks / (2 * step)
            func rows(from first: Int) -> MatrixView {
                MatrixView(sums.memory, offset: first * count, rows: pairs, columns: count, rowStride: 2 * step * count)
            }
            backend.run(add, inputs: [rows(from: 0), rows(from: step)], outputs: [rows(from: 0)])
            step *= 2
        }
        copyOwn(row: 0) { backend.copy($1, to: $0) }
    }

    /// Calls `body` with each range of the own gradient, and its place in a row of ``sums``.
    private func copyOwn(row: Int? = nil, _ body: (MatrixView, MatrixView) -> Void) {
        var position = (row ?? rank) * own.elementCount
        for range in own {
            body(gradient.columns(range), MatrixView(sums.memory, offset: position, rows: 1, columns: range.count))
            position += range.count
        }
    }

    /// Gives everybody the values of the parameters that this rank owns.
    func shareValues() throws {
        values.download(own)
        try sharing.run()
        values.upload(others)
    }
}
