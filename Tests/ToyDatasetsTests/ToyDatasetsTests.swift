import RecurrentCore
import RecurrentTestSupport
import Testing
import ToyDatasets

/// Returns the sequences of a batch, one row each, and their classes.
func sequences(_ batch: Batch) -> [(numbers: [Int32], target: Int32)] {
    guard case .tokens(let tokens) = batch.inputs else { return [] }
    return (0..<batch.size).map { b in
        ((0..<batch.steps).map { tokens[$0 * batch.size + b] }, batch.targets[b])
    }
}

/// Returns all sequences of a split, in the order of `epoch`.
func sequences(
    _ dataset: any Dataset, _ split: Split, epoch: Int = 0, batchSize: Int = 100
) throws -> [(numbers: [Int32], target: Int32)] {
    try (0..<dataset.batchCount(split, batchSize: batchSize)).flatMap {
        sequences(try dataset.batch(split, epoch: epoch, index: $0, batchSize: batchSize))
    }
}

@Test(arguments: [false, true])
func datasetsConform(fresh: Bool) throws {
    let sizes = SplitSizes(train: 95, valid: 30, test: 31)
    try checkDataset(try RecallDataset(length: 12, symbols: 5, sizes: sizes, freshEachEpoch: fresh), batchSize: 10)
    try checkDataset(try KthLargestDataset(length: 12, k: 4, sizes: sizes, freshEachEpoch: fresh), batchSize: 10)
}

@Test func recallAsksForTheFirstNumber() throws {
    let dataset = try RecallDataset(length: 20, symbols: 7, sizes: SplitSizes(train: 250, valid: 30, test: 20))
    for (split, size) in [(Split.train, 250), (.valid, 30), (.test, 20)] {
        let all = try sequences(dataset, split)
        #expect(all.count == size)
        for (numbers, target) in all {
            #expect(numbers.count == 20)
            #expect(numbers.allSatisfy { (0..<7).contains($0) })
            #expect(target == numbers[0])
        }
    }
    #expect(dataset.description.inputs == .tokens(vocabulary: 7))
    #expect(dataset.description.targets == .sequenceClass(classes: 7))
    #expect(!dataset.description.isContinuous)
}

@Test(arguments: [1, 2, 10, 30])
func kthLargestAgreesWithSorting(k: Int) throws {
    let dataset = try KthLargestDataset(length: 30, k: k, sizes: SplitSizes(train: 300, valid: 10, test: 10))
    for (numbers, target) in try sequences(dataset, .train) {
        #expect(numbers.allSatisfy { (0..<30).contains($0) })
        #expect(target == numbers.sorted(by: >)[k - 1])
    }
    #expect(dataset.description.targets == .sequenceClass(classes: 30))
}

/// χ² over all numbers of 200 sequences of length 100; with 9 degrees of freedom
/// it exceeds 33.7 for one in 10,000 seeds.
@Test(arguments: [1, 2, 3] as [UInt64])
func symbolsAreUniform(seed: UInt64) throws {
    let dataset = try RecallDataset(length: 100, symbols: 10, sizes: SplitSizes(train: 200), seed: seed)
    var counts = [Double](repeating: 0, count: 10)
    var repeats = 0.0
    for (numbers, _) in try sequences(dataset, .train) {
        for number in numbers { counts[Int(number)] += 1 }
        repeats += Double(zip(numbers, numbers.dropFirst()).count { $0 == $1 })
    }
    #expect(counts.reduce(0, +) == 20_000)
    #expect(counts.reduce(0) { $0 + ($1 - 2000) * ($1 - 2000) / 2000 } < 33.7)
    // Neighbours are equal one time in ten: 1980 ± 42 of 19,800.
    #expect(abs(repeats - 1980) < 4 * 42)
}

@Test(arguments: [false, true])
func neverTwoSequencesAlike(fresh: Bool) throws {
    let sizes = SplitSizes(train: 1000, valid: 500, test: 500)
    let dataset = try RecallDataset(length: 40, sizes: sizes, freshEachEpoch: fresh)
    var seen: Set<[Int32]> = []
    for split in Split.allCases { seen.formUnion(try sequences(dataset, split).map(\.numbers)) }
    #expect(seen.count == 2000)
}

@Test func sameSeedSameNumbersOtherSeedOthers() throws {
    func all(_ seed: UInt64) throws -> [[Int32]] {
        let dataset = try KthLargestDataset(
            length: 12, k: 3, sizes: SplitSizes(train: 50, valid: 20, test: 20), seed: seed)
        return try Split.allCases.flatMap { try sequences(dataset, $0, epoch: 3).map(\.numbers) }
    }
    #expect(try all(5) == all(5))
    #expect(try Set(all(5)).isDisjoint(with: all(6)))
    // The numbers are from another implementation of Philox; they must not change, so that
    // runs can be repeated with later versions of this package.
    let recall = try RecallDataset(length: 10, sizes: SplitSizes(train: 1, valid: 1, test: 1), seed: 1)
    #expect(try sequences(recall, .train)[0].numbers == [8, 1, 5, 8, 5, 8, 7, 6, 5, 4])
    #expect(try sequences(recall, .valid)[0].numbers == [0, 1, 0, 8, 4, 7, 5, 6, 9, 5])
    #expect(try sequences(recall, .test)[0].numbers == [5, 2, 7, 7, 8, 2, 5, 6, 8, 3])
}

@Test func trainingIsShuffledEachEpochAndNothingElseIs() throws {
    let dataset = try RecallDataset(length: 30, sizes: SplitSizes(train: 200, valid: 50, test: 50))
    let first = try sequences(dataset, .train, epoch: 0).map(\.numbers)
    let second = try sequences(dataset, .train, epoch: 1).map(\.numbers)
    #expect(first != second)
    #expect(Set(first) == Set(second))
    #expect(Set(first).count == 200)
    // An earlier epoch that is requested again has the same order again.
    #expect(try sequences(dataset, .train, epoch: 0).map(\.numbers) == first)
    #expect(
        try sequences(dataset, .valid, epoch: 0).map(\.numbers) == sequences(dataset, .valid, epoch: 1).map(\.numbers))
    #expect(
        try sequences(dataset, .test, epoch: 0).map(\.numbers) == sequences(dataset, .test, epoch: 1).map(\.numbers))
}

@Test func freshTrainingSequencesShareNothingBetweenEpochs() throws {
    let dataset = try RecallDataset(
        length: 30, sizes: SplitSizes(train: 200, valid: 50, test: 50), freshEachEpoch: true)
    let first = try sequences(dataset, .train, epoch: 0).map(\.numbers)
    let second = try sequences(dataset, .train, epoch: 1).map(\.numbers)
    #expect(Set(first).isDisjoint(with: second))
    #expect(try sequences(dataset, .train, epoch: 1, batchSize: 7).map(\.numbers) == second)
    #expect(
        try sequences(dataset, .valid, epoch: 0).map(\.numbers) == sequences(dataset, .valid, epoch: 1).map(\.numbers))
}

@Test func theLastBatchHoldsTheRest() throws {
    let dataset = try RecallDataset(length: 5, sizes: SplitSizes(train: 25, valid: 3, test: 10))
    #expect(dataset.batchCount(.train, batchSize: 10) == 3)
    #expect(dataset.batch(.train, epoch: 0, index: 2, batchSize: 10).size == 5)
    #expect(dataset.batchCount(.valid, batchSize: 10) == 1)
    #expect(dataset.batch(.valid, epoch: 0, index: 0, batchSize: 10).size == 3)
    #expect(dataset.batchCount(.test, batchSize: 10) == 1)
}

@Test func batchesAreTheSameFromManyThreads() async throws {
    let dataset = try KthLargestDataset(length: 10, k: 2, sizes: SplitSizes(train: 100, valid: 10, test: 10))
    let expected = try (0..<8).map { try sequences(dataset, .train, epoch: $0, batchSize: 10).map(\.numbers) }
    await withTaskGroup(of: Bool.self) { group in
        for task in 0..<64 {
            group.addTask {
                (try? sequences(dataset, .train, epoch: task % 8, batchSize: 10).map(\.numbers)) == expected[task % 8]
            }
        }
        for await same in group { #expect(same) }
    }
}

@Test func nonsenseIsRefusedInOneLine() {
    func refusal(_ make: () throws -> Any) -> String? {
        do {
            _ = try make()
            return nil
        } catch { return "\(error)" }
    }
    let small = SplitSizes(train: 1, valid: 1, test: 1)
    #expect(refusal { try RecallDataset(length: 0) } == "recall: the sequence length must be at least 1, not 0")
    #expect(
        refusal { try RecallDataset(length: 5, symbols: 1) }
            == "recall: the number of symbols must be at least 2, not 1")
    #expect(
        refusal { try RecallDataset(length: 5, symbols: 1 << 40) }
            == "there can be at most 2147483647 symbols, not 1099511627776")
    #expect(
        refusal { try KthLargestDataset(length: 1, k: 1) }
            == "kth-largest: the sequence length must be at least 2, not 1")
    #expect(
        refusal { try KthLargestDataset(length: 5) }
            == "kth-largest: k must be at least 1 and at most the sequence length 5, not 10")
    #expect(
        refusal { try KthLargestDataset(length: 5, k: 0) }
            == "kth-largest: k must be at least 1 and at most the sequence length 5, not 0")
    #expect(
        refusal { try RecallDataset(length: 5, sizes: SplitSizes(valid: 0)) }
            == "the number of valid sequences must be at least 1, not 0")
    #expect(
        refusal { try RecallDataset(length: .max) }?.hasSuffix("are too many: a split holds at most 1073741824 numbers")
            == true)
    #expect(refusal { try RecallDataset(length: 1, symbols: 2, sizes: small) } == nil)
    #expect(refusal { try KthLargestDataset(length: 2, k: 2, sizes: small) } == nil)
}
