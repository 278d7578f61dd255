import RecurrentCore

/// Checks a data set: that shapes and ranges are as its description says, that a split,
/// epoch and index always give the same batch (in any order of requests, and also from a
/// second data set), that splits differ, and that validation and test batches don't depend
/// on the epoch.
///
/// - Parameters:
///   - make: an expression that creates the data set. It is evaluated twice, so pass the
///     initializer itself, `checkDataset(try RecallDataset(length: 10), batchSize: 32)`, for
///     two data sets to be compared.
///   - batchSize: a batch size for which every split has at least one batch.
/// - Throws: ``ConformanceFailure`` for the first property that doesn't hold.
public func checkDataset(_ make: @autoclosure () throws -> any Dataset, batchSize: Int) throws {
    let dataset = try make(), again = try make()
    try require(!dataset.name.isEmpty, "a data set needs a name")
    try require(
        dataset.description == again.description, "\(dataset.name): created again, it has a different description")
    var firsts: [BatchContents] = []
    for split in Split.allCases {
        let count = dataset.batchCount(split, batchSize: batchSize)
        let what = "\(dataset.name), \(split)"
        try require(count > 0, "\(what): no batch of size \(batchSize)")
        let indices = Set([0, 1, count / 2, count - 2, count - 1].filter { (0..<count).contains($0) }).sorted()
        func contents(_ dataset: any Dataset, _ epoch: Int, _ index: Int) throws -> BatchContents {
            BatchContents(try dataset.batch(split, epoch: epoch, index: index, batchSize: batchSize))
        }
        var seen: [Int: BatchContents] = [:]
        for index in indices {
            let batch = try dataset.batch(split, epoch: 0, index: index, batchSize: batchSize)
            try check(batch, of: dataset.description, index: index, count: count, batchSize: batchSize, what)
            seen[index] = BatchContents(batch)
        }
        firsts.append(seen[0]!)
        for index in indices.reversed() {
            let second = try contents(dataset, 1, index)
            try require(
                split == .train || second == seen[index], "\(what): batch \(index) differs in the next epoch")
            try require(
                try contents(dataset, 0, index) == seen[index], "\(what): batch \(index) differs when requested again")
            try require(
                try contents(again, 1, index) == second && contents(again, 0, index) == seen[index],
                "\(what): batch \(index) of a second data set differs")
        }
    }
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        try require(
            firsts[a] != firsts[b],
            "\(dataset.name): \(Split.allCases[a]) and \(Split.allCases[b]) begin with the same batch")
    }
}

/// The contents by which two batches are compared.
private struct BatchContents: Equatable {
    var shape: [Int]
    var tokens: [Int32] = []
    var vectors: [Float] = []
    var targets: [Int32]
    /// The target numbers; nil for a NaN, which marks a position without a target.
    var values: [Float?]
    var lengths: [Int]?

    init(_ batch: Batch) {
        shape = [batch.steps, batch.size]
        switch batch.inputs {
        case .tokens(let tokens): self.tokens = tokens
        case .vectors(let numbers, let width):
            vectors = numbers
            shape.append(width)
        }
        targets = batch.targets
        values = batch.values.map { $0.isNaN ? nil : $0 }
        lengths = batch.lengths
    }
}

private func check(
    _ batch: Batch, of description: DatasetDescription, index: Int, count: Int, batchSize: Int, _ what: String
) throws {
    let what = "\(what), batch \(index)"
    let positions = batch.steps * batch.size
    try require(batch.steps > 0 && batch.size > 0, "\(what): \(batch.steps) steps of \(batch.size) sequences")
    let mayBeSmaller = index == count - 1 && !description.isContinuous
    try require(
        batch.size == batchSize || (mayBeSmaller && batch.size < batchSize),
        "\(what): \(batch.size) sequences where \(batchSize) were requested")
    switch (batch.inputs, description.inputs) {
    case (.tokens(let tokens), .tokens(let vocabulary)):
        try require(tokens.count == positions, "\(what): \(tokens.count) tokens for \(positions) positions")
        try require(
            tokens.allSatisfy { $0 >= 0 && Int($0) < vocabulary }, "\(what): a token outside 0..<\(vocabulary)")
    case (.vectors(let numbers, let width), .vectors(let expected)):
        try require(
            width == expected && numbers.count == positions * width,
            "\(what): \(numbers.count) numbers of width \(width) for \(positions) positions of width \(expected)")
        try require(numbers.allSatisfy(\.isFinite), "\(what): an input that is not finite")
    default: throw ConformanceFailure("\(what): inputs of a different kind from the description's")
    }
    let (targets, values) =
        switch description.targets {
        case .sequenceClass: (batch.size, 0)
        case .positionClass: (positions, 0)
        case .sequenceValue: (0, batch.size)
        case .positionValue: (0, positions)
        case .sequenceValues(let count): (0, batch.size * count)
        case .positionValues(let count): (0, positions * count)
        }
    try require(
        batch.values.count == values, "\(what): \(batch.values.count) target numbers where \(values) are expected")
    let isPerPosition =
        switch description.targets {
        case .positionValue, .positionValues: true
        default: false
        }
    let width = values > 0 ? description.classes : 1
    try require(batch.valueWidth == width, "\(what): \(batch.valueWidth) numbers in a target of \(width)")
    try require(
        batch.values.allSatisfy { $0.isFinite || ($0.isNaN && isPerPosition) },
        "\(what): a target number that isn't finite")
    try require(values == 0 || batch.values.contains { $0.isFinite }, "\(what): no target number at all")
    try require(batch.targets.count == targets, "\(what): \(batch.targets.count) targets where \(targets) are expected")
    try require(
        batch.targets.allSatisfy { Int($0) < description.classes }, "\(what): a target not below \(description.classes)"
    )
    try require(
        description.classExcludedFromAccuracy.map { (0..<description.classes).contains($0) } ?? true,
        "\(what): the class excluded from accuracy isn't one of its classes")
    try require(targets == 0 || batch.targets.contains { $0 >= 0 }, "\(what): no target at all")
    if let lengths = batch.lengths {
        try require(
            lengths.count == batch.size && lengths.allSatisfy { (0...batch.steps).contains($0) },
            "\(what): lengths \(lengths) for \(batch.size) sequences of at most \(batch.steps) steps")
    }
    try require(
        batch.startsSequences == (index == 0 || !description.isContinuous),
        "\(what): startsSequences is \(batch.startsSequences)")
}
