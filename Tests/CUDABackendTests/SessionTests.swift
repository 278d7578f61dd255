import CUDABackend
import GRUCell
import RecurrentCore
import ReferenceBackend
import Testing

/// Sessions of a trained model on a device, whose memory the host can't read.
struct SessionTests {
    /// Steps of all streams and of some, and states that are set, copied and reset.
    static func numbers(on backend: any Backend) throws -> [Float] {
        let model = try SequenceModel(
            cell: GRU(), configuration: ModelConfiguration(embeddingSize: 6, hiddenSize: 9, layers: 2),
            data: DatasetDescription(
                inputs: .tokens(vocabulary: 21), targets: .positionClass(classes: 21), isContinuous: true,
                metric: .perplexity),
            on: backend)
        let trained = try TrainedModel(model), session = try trained.makeSession(streams: 5)
        var numbers = try session.probabilities(after: [1, 2, 3, 4, 20]).numbers
        numbers += try session.step([7, 8, 9], streams: [4, 0, 2]).numbers
        try session.setState(session.state(of: 4), of: 1)
        try session.copyState(from: 0, to: 3)
        try session.reset(streams: [2])
        try session.continueStreams([1, 0, 2, 3, 3])
        numbers += try session.probabilities(after: [0, 1, 2, 3, 4]).numbers + session.hiddenStates()
        // Another session, which takes its turns.
        let other = try trained.makeSession(streams: 1)
        return try numbers + other.probabilities(after: [5]).numbers + session.scores(streams: [2, 0]).numbers
    }

    private func check(_ backend: any Backend) throws {
        let found = try Self.numbers(on: backend), expected = try Self.numbers(on: ReferenceBackend())
        #expect(found.count == expected.count)
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test func onTheEmulatedDevice() throws { try check(CUDABackend(driver: EmulatedDevice())) }

    @Test(.enabled(if: GPU.problem == nil || GPU.isThere, "no GPU: \(GPU.problem ?? "")")) func onAGPU() throws {
        try check(CUDABackend())
    }
}
