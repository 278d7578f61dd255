import RecurrentCore
import RecurrentTestSupport
import Testing

extension Batch {
    fileprivate func with(
        size: Int? = nil, inputs: Inputs? = nil, targets: [Int32]? = nil, lengths: [Int]? = nil, starts: Bool = true
    ) -> Batch {
        Batch(
            steps: steps, size: size ?? self.size, inputs: inputs ?? self.inputs, targets: targets ?? self.targets,
            lengths: lengths, startsSequences: starts)
    }

    /// Returns the first `count` sequences.
    fileprivate func cut(to count: Int) -> Batch {
        guard case .tokens(let tokens) = inputs else { return self }
        return with(
            size: count, inputs: .tokens((0..<3 * count).map { tokens[$0 / count * size + $0 % count] }),
            targets: Array(targets[..<count]))
    }
}

/// `checkDataset` finds mistakes.
@Suite struct DatasetConformanceTests {
    /// A data set of sequences of three tokens, each of which counts up from its own number.
    private final class Counting: Dataset {
        let name = "counting"
        let description: DatasetDescription
        let change: @Sendable (_ batch: Batch, _ split: Split, _ epoch: Int, _ index: Int, _ size: Int) -> Batch

        init(
            isContinuous: Bool = false,
            change: @escaping @Sendable (Batch, Split, Int, Int, Int) -> Batch = { b, _, _, _, _ in b }
        ) {
            description = DatasetDescription(
                inputs: .tokens(vocabulary: 50), targets: .sequenceClass(classes: 50), isContinuous: isContinuous,
                metric: .accuracy)
            self.change = change
        }
        func batchCount(_ split: Split, batchSize: Int) -> Int { 5 }
        func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) throws -> Batch {
            let first = 11 * Split.allCases.firstIndex(of: split)! + 3 * index + (split == .train ? epoch : 0)
            let batch = Batch(
                steps: 3, size: batchSize,
                inputs: .tokens((0..<3 * batchSize).map { Int32((first + $0 / batchSize + $0 % batchSize) % 50) }),
                targets: (0..<batchSize).map { Int32((first + 3 + $0) % 50) })
            return change(batch, split, epoch, index, batchSize)
        }
    }

    @Test func wrongDatasetsAreFound() throws {
        try checkDataset(Counting(), batchSize: 4)
        try checkDataset(Counting { b, _, _, index, _ in index == 4 ? b.cut(to: 2) : b }, batchSize: 4)
        try checkDataset(Counting { b, _, _, _, _ in b.with(lengths: [3, 0, 2, 1]) }, batchSize: 4)
        try checkDataset(
            Counting(isContinuous: true) { b, _, _, index, _ in b.with(starts: index == 0) }, batchSize: 4)
        let wrong: [@Sendable (Batch, Split, Int, Int, Int) -> Batch] = [
            { b, _, _, index, _ in index == 0 ? b.cut(to: 2) : b },
            { b, _, _, _, _ in b.with(inputs: .tokens([Int32](repeating: 50, count: 12))) },
            { b, _, _, _, _ in b.with(inputs: .tokens([1, 2])) },
            { b, _, _, _, _ in b.with(inputs: .vectors([Float](repeating: 0, count: 12), width: 1)) },
            { b, _, _, _, _ in b.with(targets: [1, 2, 3]) },
            { b, _, _, _, _ in b.with(targets: [1, 2, 3, 50]) },
            { b, _, _, _, _ in b.with(targets: [-1, -1, -1, -1]) },
            { b, _, _, _, _ in b.with(lengths: [3, 4, 1, 1]) },
            { b, _, _, index, _ in b.with(starts: index == 0) },
            { b, _, epoch, _, _ in b.with(targets: b.targets.map { ($0 + Int32(epoch)) % 50 }) },
            { b, _, _, _, _ in b.with(targets: b.targets.map { _ in Int32.random(in: 0..<50) }) },
            { b, _, _, index, _ in
                b.with(
                    inputs: .tokens((0..<12).map { Int32($0 + index) }), targets: [1, 2, 3, 4])
            },
        ]
        for change in wrong {
            #expect(throws: ConformanceFailure.self) { try checkDataset(Counting(change: change), batchSize: 4) }
        }
        #expect(throws: ConformanceFailure.self) { try checkDataset(Counting(isContinuous: true), batchSize: 4) }
        // Two data sets that differ in spite of having the same seed.
        var made: Int32 = 0
        func make() -> Counting {
            made += 1
            return Counting { [made] b, _, _, _, _ in b.with(targets: b.targets.map { ($0 + made) % 50 }) }
        }
        #expect(throws: ConformanceFailure.self) { try checkDataset(make(), batchSize: 4) }
    }
}
