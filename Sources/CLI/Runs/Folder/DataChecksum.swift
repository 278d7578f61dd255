import RecurrentCore

/// The checksum of a run's data, by which a run that is resumed notices that it was trained on others.
///
/// The folder of a data set may change its name or its place between two parts of a run, but its contents may not: the
/// metrics and the weights would be those of a mixture that nobody asked for.
enum DataChecksum {
    /// Returns the checksum of the numbers of batches, and of the first and the last batch of training and validation or
    /// of all batches of all splits.
    ///
    /// Any data set has these at hand, and a change nearly always shows there: text is cut into as many columns as a batch
    /// has sequences, and images are shuffled. All of it is read for several processes, which compute with parts.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError`` if the data can't be read or made.
    static func digits(of dataset: any Dataset, batchSize: Int, all: Bool = false) throws -> String {
        var checksum = CRC32C()
        func add<Number>(_ numbers: [Number]) { numbers.withUnsafeBytes { checksum.update($0) } }
        for split in all ? [Split.train, .valid, .test] : [.train, .valid] {
            let count = dataset.batchCount(split, batchSize: batchSize)
            add([count])
            for index in 0..<count where all || index == 0 || index == count - 1 {
                let batch = try dataset.batch(split, epoch: 0, index: index, batchSize: batchSize)
                switch batch.inputs {
                case .tokens(let tokens): add(tokens)
                case .vectors(let vectors, _): add(vectors)
                }
                add(batch.targets)
                add(batch.values)
                add(batch.lengths ?? [])
            }
        }
        return checksum.digits
    }
}
