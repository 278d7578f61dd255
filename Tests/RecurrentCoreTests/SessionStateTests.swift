import AllocationCounting
import CPUBackend
import Foundation
import GRUCell
import LSTMCell
import RecurrentCore
import ReferenceBackend
import Testing

/// The states of a session's streams, and the memory that it uses.
struct SessionStateTests {
    private func session(_ streams: Int, onCPU: Bool = true) throws -> InferenceSession {
        try TrainedModel(
            InferenceTests.languageModel(LSTM(), layers: 2, on: InferenceTests.backend(onCPU))
        ).makeSession(streams: streams)
    }

    /// A state that is saved as JSON and given to another stream continues with the same bits.
    @Test(arguments: [false, true])
    func statesAreSaved(onCPU: Bool) throws {
        let first = try session(2, onCPU: onCPU), second = try session(3, onCPU: onCPU)
        for token in [4, 7, 1] { try first.advance([token, 12 - token]) }
        let bytes = try JSONEncoder().encode(first.state(of: 1))
        try second.setState(JSONDecoder().decode(StreamState.self, from: bytes), of: 2)
        let expected = try first.probabilities(after: [5], streams: [1])
        #expect(try second.probabilities(after: [5], streams: [2]).numbers == expected.numbers)
        let state = try second.state(of: 2)
        #expect(state.numbers.count == 2 * 2 * 6 && state.stateNames == ["h", "c"])
        #expect(try Array(state[layer: 1, state: 0]) == Array(second.hiddenStates()[12..<18]))
        #expect(try Array(state[layer: 0, state: 1]) == Array(second.hiddenStates(layer: 0, state: 1)[12..<18]))
    }

    @Test func streamsBranch() throws {
        let session = try session(4)
        try session.advance([1, 2, 3, 4])
        let states = try (0..<4).map(session.state)
        try session.continueStreams([2, 2, 0, 3])
        #expect(try (0..<4).map(session.state) == [states[2], states[2], states[0], states[3]])
        try session.copyState(from: 3, to: 0)
        #expect(try session.state(of: 0) == states[3])
        try session.reset(streams: [1])
        #expect(try session.state(of: 1).numbers.allSatisfy { $0 == 0 } && session.state(of: 2) == states[0])
        try session.reset()
        #expect(try session.hiddenStates().allSatisfy { $0 == 0 })
        #expect(throws: RecurrentError.invalidOption("3 sources for 4 streams; each continues one")) {
            try session.continueStreams([0, 1, 2])
        }
    }

    /// Sequences of different lengths, read at once, are those read token by token.
    @Test func sequencesAreRead() throws {
        let together = try session(3), each = try session(3)
        let texts = [[5, 6, 7, 8], [], [1, 2]]
        try together.advance(sequences: texts)
        for (stream, text) in texts.enumerated() {
            for token in text { try each.advance([token], streams: [stream]) }
        }
        #expect(try (0..<3).map(together.state) == (0..<3).map(each.state))
        // A wrong token, wherever it stands, changes nothing.
        #expect(throws: RecurrentError.invalidOption("token 13 is outside the vocabulary of 13")) {
            try together.advance(sequences: [[1, 2], [3], [4, 13]])
        }
        #expect(try (0..<3).map(together.state) == (0..<3).map(each.state))
    }

    /// Predictions are values: they stay while the session goes on.
    @Test(arguments: [false, true])
    func predictionsStay(onCPU: Bool) throws {
        let session = try session(2, onCPU: onCPU)
        let first = try session.probabilities(after: [1, 2]), numbers = first.numbers, row = first[1]
        let second = try session.probabilities(after: [3, 4])
        #expect(first.numbers == numbers && Array(row) == Array(numbers[13...]) && second.numbers != numbers)
    }

    /// After the first steps, a session allocates nothing: not for all streams, nor for some.
    @Test(.enabled(if: !_isDebugAssertConfiguration(), "a build without optimization allocates"))
    func stepsAllocateNothing() throws {
        let model = try TrainedModel(
            InferenceTests.languageModel(GRU(), layers: 2, hidden: 64, vocabulary: 400, on: CPUBackend(threads: 2)))
        let session = try model.makeSession(streams: 32)
        var tokens = (0..<32).map { $0 }, some = [3, 9, 4, 30], few = [1, 2, 3, 4]
        func steps(_ count: Int) throws {
            for _ in 0..<count {
                let rows = try session.probabilities(after: tokens)
                for stream in 0..<32 { tokens[stream] = rows[stream].largest }
            }
            for _ in 0..<count {
                let rows = try session.step(few, streams: some)
                for stream in 0..<4 { few[stream] = rows[stream].largest }
                some.swapAt(0, 3)
            }
        }
        try steps(3)
        let before = allocation_count()
        try steps(100)
        #expect(allocation_count() == before)
        // The counter counts.
        guard isCounted else { return }
        let kept = [Float](repeating: 1, count: 1000)
        #expect(allocation_count() > before && kept.count == 1000)
    }

    /// Whether this system's allocations are counted: those of glibc, but for sanitizers, which have their own.
    private var isCounted: Bool { allocation_count() >= 0 }
}
