import GRUCell
import RecurrentCore
import ReferenceBackend
import Testing

/// Batches that don't fit their model are errors, not traps.
struct BatchCheckTests {
    private func message(_ model: SequenceModel, _ batch: Batch) -> String {
        do { _ = try model.computeGradients(batch, step: 0) } catch { return "\(error)" }
        return "accepted"
    }
    private func model(_ inputs: DatasetDescription.Inputs, _ targets: DatasetDescription.Targets) throws
        -> SequenceModel
    {
        try SequenceModel(
            cell: GRU(), configuration: ModelConfiguration(embeddingSize: 3, hiddenSize: 4),
            data: DatasetDescription(inputs: inputs, targets: targets, isContinuous: false, metric: .loss),
            on: ReferenceBackend())
    }

    @Test func tokensAndClasses() throws {
        let model = try model(.tokens(vocabulary: 10), .sequenceClass(classes: 10))
        func batch(_ tokens: [Int32], _ targets: [Int32], lengths: [Int]? = nil, steps: Int = 2) -> String {
            message(model, Batch(steps: steps, size: 2, inputs: .tokens(tokens), targets: targets, lengths: lengths))
        }
        let begin = "a batch of 2 sequences of 2 steps"
        #expect(batch([1, 2, 3, 4], [1, 2]) == "accepted")
        #expect(batch([1, 2, 3, 10], [1, 2]) == "\(begin) has the token 10, which is outside the vocabulary of 10")
        #expect(batch([1, 2, 3, -1], [1, 2]) == "\(begin) has the token -1, which is outside the vocabulary of 10")
        #expect(batch([1, 2, 3], [1, 2]) == "\(begin) has 3 tokens, not 4")
        #expect(batch([1, 2, 3, 4], [1]) == "\(begin) has 1 classes as targets, not 2")
        #expect(batch([1, 2, 3, 4], [1, 10]) == "\(begin) has the target 10, but the classes are below 10")
        #expect(batch([1, 2, 3, 4], [1, 2], lengths: [1, 3]) == "\(begin) needs 2 lengths, each in 0...2")
        #expect(batch([], [1, 2], steps: 0) == "a batch of 2 sequences of 0 steps is empty")
        #expect(
            message(model, Batch(steps: 2, size: 2, inputs: .vectors([1, 2, 3, 4], width: 1), targets: [1, 2]))
                == "\(begin) has other inputs than the model, which reads tokens of a vocabulary of 10")
    }

    @Test func vectorsAndNumbers() throws {
        let model = try model(.vectors(width: 2), .positionValues(count: 3))
        func batch(_ count: Int, width: Int, values: Int, valueWidth: Int) -> String {
            message(
                model,
                Batch(
                    steps: 2, size: 1, inputs: .vectors([Float](repeating: 0, count: count), width: width),
                    values: [Float](repeating: 0, count: values), valueWidth: valueWidth))
        }
        let begin = "a batch of 1 sequences of 2 steps"
        #expect(batch(4, width: 2, values: 6, valueWidth: 3) == "accepted")
        #expect(batch(5, width: 2, values: 6, valueWidth: 3) == "\(begin) has 5 numbers as inputs, not 4")
        #expect(
            batch(6, width: 3, values: 6, valueWidth: 3) == "\(begin) has vectors of 3 numbers, but the model reads 2")
        #expect(
            batch(4, width: 2, values: 6, valueWidth: 1)
                == "\(begin) has 6 numbers as targets, but the model predicts 2 × 3")
    }
}
