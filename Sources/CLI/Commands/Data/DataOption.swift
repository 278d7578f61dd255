import RecurrentCore

/// An option of ``RunConfiguration`` that only some data sets have a use for, under
/// its name on the command line.
public enum DataOption: String, CaseIterable, Sendable {
    case length, symbols, k
    case trainSize = "train-size"
    case validSize = "valid-size"
    case testSize = "test-size"
    case freshData = "fresh-data"
    case data, classes
    case permutationSeed = "permutation-seed"
    case bptt
    /// Of data whose inputs are tokens.
    case embeddingSize = "embedding-size"
}

extension Set<DataOption> {
    /// Of data that is drawn at random, with sequences of one length.
    public static let generated: Self = [.length, .trainSize, .validSize, .testSize, .freshData]
    /// Of a text.
    public static let corpus: Self = [.data, .bptt, .embeddingSize]
}

extension TrainOptions {
    private func isGiven(_ option: DataOption) -> Bool {
        switch option {
        case .length: length != nil
        case .symbols: symbols != nil
        case .k: k != nil
        case .trainSize: trainSize != nil
        case .validSize: validSize != nil
        case .testSize: testSize != nil
        case .freshData: freshData != nil
        case .data: data != nil
        case .classes: classes != nil
        case .permutationSeed: permutationSeed != nil
        case .bptt: bptt != nil
        case .embeddingSize: embeddingSize != nil
        }
    }

    /// Only what is given: a saved run has a value for every option.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` naming the first option that
    ///   would do nothing.
    func checkDataOptions(for dataset: String) throws {
        let taken = try Registry.current.dataset(dataset).options
        guard let idle = DataOption.allCases.first(where: { isGiven($0) && !taken.contains($0) }) else { return }
        let names = DataOption.allCases.filter(taken.contains).map { "--\($0.rawValue)" }
        throw RecurrentError.invalidOption(
            "--\(idle.rawValue) does nothing for the data set \(dataset); leave it out"
                + (names.isEmpty ? "" : " (options of this data set: \(names.joined(separator: ", ")))"))
    }
}
