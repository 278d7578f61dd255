import RecurrentCore

/// How many sequences each split of a generated data set has.
public struct SplitSizes: Sendable, Equatable {
    public var train: Int
    public var valid: Int
    public var test: Int

    public init(train: Int = 10_000, valid: Int = 1_000, test: Int = 1_000) {
        self.train = train
        self.valid = valid
        self.test = test
    }

    public subscript(split: Split) -> Int {
        switch split {
        case .train: train
        case .valid: valid
        case .test: test
        }
    }

    /// - Throws: ``RecurrentCore/RecurrentError/invalidOption(_:)`` naming the first size out of range.
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

    /// 2³⁰ numbers, 4 GB.
    private static let largest = 1 << 30
}
