import RecurrentCore
import RecurrentTestSupport
import Testing
import ToyDatasets

struct MemoryTaskTests {
    private static let sizes = SplitSizes(train: 50, valid: 20, test: 20)

    @Test(arguments: [true, false]) func theyAreDataSets(isFresh: Bool) throws {
        try checkDataset(try CopyingDataset(delay: 12, sizes: Self.sizes, freshEachEpoch: isFresh), batchSize: 8)
        try checkDataset(try AddingDataset(length: 12, sizes: Self.sizes, freshEachEpoch: isFresh), batchSize: 8)
    }

    @Test(arguments: [1, 30]) func copyingAsksForTheSymbolsAfterTheDelay(delay: Int) throws {
        let copying = try CopyingDataset(delay: delay, sizes: Self.sizes)
        let batch = copying.batch(.train, epoch: 0, index: 0, batchSize: 7)
        #expect(batch.steps == delay + 20 && copying.length == batch.steps)
        guard case .tokens(let tokens) = batch.inputs else { return #expect(Bool(false), "no tokens") }
        for column in 0..<7 {
            let inputs = (0..<batch.steps).map { tokens[$0 * 7 + column] }
            let targets = (0..<batch.steps).map { batch.targets[$0 * 7 + column] }
            #expect(inputs[..<10].allSatisfy { (0..<8).contains($0) })
            #expect(Array(targets.suffix(10)) == Array(inputs[..<10]))
            #expect(targets.dropLast(10).allSatisfy { $0 == 8 })
            #expect(inputs[10 + delay - 1] == 9 && inputs[10...].filter { $0 != 8 } == [9])
        }
        #expect(abs(copying.memorylessLoss - 20.79441541679836 / Double(delay + 20)) < 1e-12)
    }

    @Test func theBlanksOfCopyingAreNotRated() throws {
        let copying = try CopyingDataset(delay: 30, sizes: Self.sizes)
        let batch = copying.batch(.test, epoch: 0, index: 0, batchSize: 6)
        let sums = LossSums(over: batch.targets, excludedClass: copying.description.classExcludedFromAccuracy)
        #expect(sums.count == 6 * 50 && sums.accuracyCount == 6 * 10)
    }

    @Test(arguments: [2, 3, 50]) func addingAsksForTheSumOfTheMarked(length: Int) throws {
        let adding = try AddingDataset(length: length, sizes: Self.sizes)
        let batch = adding.batch(.valid, epoch: 0, index: 1, batchSize: 9)
        guard case .vectors(let numbers, width: 2) = batch.inputs else { return #expect(Bool(false), "no vectors") }
        for column in 0..<9 {
            let marks = (0..<length).filter { numbers[2 * ($0 * 9 + column) + 1] == 1 }
            #expect(marks.count == 2 && marks[0] < length / 2 && marks[1] >= length / 2)
            #expect(batch.values[column] == marks.reduce(0) { $0 + numbers[2 * ($1 * 9 + column)] })
        }
    }

    /// The baselines that are printed beside a loss, compared with those measured on the batches.
    @Test func baselines() throws {
        let adding = try AddingDataset(length: 30, sizes: SplitSizes(train: 20_000))
        let sums = adding.batch(.train, epoch: 0, index: 0, batchSize: 20_000).values
        let error = sums.reduce(0.0) { $0 + Double(($1 - 1) * ($1 - 1)) } / Double(sums.count)
        #expect(abs(error - adding.description.baseline!.loss) < 0.005)
        let copying = try CopyingDataset(delay: 1000, sizes: Self.sizes)
        #expect(copying.description.baseline!.loss == copying.memorylessLoss)
        #expect(
            abs(try RecallDataset(length: 5, symbols: 8).description.baseline!.loss - 3 * 0.6931471805599453) < 1e-12)
    }

    @Test func sizesOutOfRange() {
        #expect(throws: RecurrentError.self) { try CopyingDataset(delay: 0) }
        #expect(throws: RecurrentError.self) { try AddingDataset(length: 1) }
        #expect(throws: RecurrentError.self) { try AddingDataset(length: 10, sizes: SplitSizes(train: 0)) }
    }
}
