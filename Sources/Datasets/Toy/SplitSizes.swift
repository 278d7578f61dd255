import RecurrentCore

/// The number of sequences in each split of a generated data set.
public struct SplitSizes: Sendable, Equatable {
    /// The number of training sequences.
    public var train: Int
    /// The number of validation sequences.
    public var valid: Int
    /// The number of test sequences.
    public var test: Int

    /// Creates the sizes of the three splits, which a data set requires to be at least 1.
    public init(train: Int = 10_000, valid: Int = 1_000, test: Int = 1_000) {
        self.train = train
        self.valid = valid
        self.test = test
    }

    /// The number of sequences in `split`.
    public subscript(split: Split) -> Int {
        switch split {
        case .train: train
        case .valid: valid
        case .test: test
        }
    }

    /// Checks that every split has sequences, but no more numbers than a split can hold.
    ///
    /// - Parameter length: the numbers stored per sequence.
    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)``, which names the first size out
    ///   of range.
    func validate(length: Int) throws {
        for split in Split.allCases {
            let size = self[split]
            guard size >= 1 else {
                throw RecurrentError.invalidOption(
                    "the number of \(split.rawValue) sequences must be at least 1, not \(size)")
            }
            let (numbers, overflow) = size.multipliedReportingOverflow(by: length)
            guard !overflow, numbers <= Self.largest else {
                throw RecurrentError.invalidOption(
                    "\(size) \(split.rawValue) sequences of length \(length) are too many: a split holds at most \(Self.largest) numbers"
                )
            }
        }
    }

    /// The most numbers that a split can hold: 2³⁰, which take 4 GB.
    private static let largest = 1 << 30
}
