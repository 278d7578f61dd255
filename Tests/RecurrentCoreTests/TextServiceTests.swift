import CPUBackend
import GRUCell
import RecurrentCore
import Testing
import UGRUCell

/// Texts that are written together are those that a ``Generator`` writes alone.
struct TextServiceTests {
    private func model(_ cell: any RecurrentCell = UGRU()) throws -> SequenceModel {
        try InferenceTests.languageModel(cell, layers: 2, on: CPUBackend(threads: 2))
    }

    /// More texts than streams, with prompts of several lengths.
    @Test(arguments: [nil, 4] as [Int?])
    func textsAreThoseOfAGenerator(topK: Int?) async throws {
        let model = try TrainedModel(model()), service = try TextService(model, streams: 5)
        let sampling = try Sampling(temperature: 1.5, topK: topK)
        try await withThrowingTaskGroup(of: (Int, [Int]).self) { group in
            for number in 0..<23 {
                group.addTask {
                    var text: [Int] = []
                    let prompt = (0...number % 4).map { ($0 + number) % 13 }
                    let tokens = try await service.tokens(
                        after: prompt, count: 5 + number, sampling: sampling, seed: UInt64(number))
                    for try await token in tokens { text.append(token) }
                    return (number, text)
                }
            }
            for try await (number, text) in group {
                let generator = try Generator(model, sampling: sampling, seed: UInt64(number))
                let prompt = (0...number % 4).map { ($0 + number) % 13 }
                for token in prompt.dropLast() { try generator.feed(token) }
                var token = prompt.last!
                let expected = try (0..<5 + number).map { _ in
                    token = try generator.next(after: token)
                    return token
                }
                #expect(text == expected, "text \(number)")
            }
        }
        #expect(await service.load == 0)
    }

    /// A reader that has gone makes room for the next one.
    @Test(.timeLimit(.minutes(1))) func readersLeave() async throws {
        let service = try TextService(TrainedModel(model()), streams: 1)
        for _ in 0..<3 {
            let tokens = try await service.tokens(after: [0], count: 1_000_000)
            let reader = Task { for try await _ in tokens.prefix(3) {} }
            try await reader.value
            reader.cancel()
        }
        var count = 0
        for try await _ in try await service.tokens(after: [1], count: 4) { count += 1 }
        #expect(count == 4)
    }

    @Test func whatIsRefused() async throws {
        let service = try TextService(TrainedModel(model()), streams: 2)
        await #expect(throws: RecurrentError.invalidOption("token 13 is outside the vocabulary of 13")) {
            try await service.tokens(after: [1, 13], count: 1)
        }
        await #expect(
            throws: RecurrentError.invalidOption(
                "a text needs a prompt of at least one token, such as the end of a line")
        ) {
            try await service.tokens(after: [], count: 1)
        }
        var tokens = try await service.tokens(after: [1], count: 0).makeAsyncIterator()
        #expect(try await tokens.next() == nil)
    }

    @Test func damagedWeightsAreTold() async throws {
        let damaged = try model()
        damaged.backend.fill(damaged.parameters.allValues, with: .nan)
        let service = try TextService(TrainedModel(damaged), streams: 2)
        await #expect(throws: RecurrentError.self) {
            for try await _ in try await service.tokens(after: [1], count: 3) {}
        }
    }
}
