/// The sizes of the batches into which a data set's splits are cut.
struct BatchSizes {
    /// The splits that are used, with the option that sets the size of their batches, and that size.
    let wanted: [(split: Split, option: String, size: Int)]

    /// Checks that each split is large enough for at least one batch.
    ///
    /// - Throws: ``RecurrentError/dataset(_:)`` if one has none; the message names all splits that are too small, and
    ///   the options with which none would be.
    func check(_ dataset: any Dataset) throws {
        let small = wanted.filter { dataset.batchCount($0.split, batchSize: $0.size) == 0 }
        guard !small.isEmpty else { return }
        let most = small.map { largest(of: $0.split, below: $0.size, in: dataset) }
        // Splits with batches of the same size are named together.
        var groups: [(splits: [Split], option: String, size: Int, most: Int)] = []
        for ((split, option, size), most) in zip(small, most) {
            if let index = groups.firstIndex(where: { $0.option == option && $0.size == size }) {
                groups[index].splits.append(split)
                groups[index].most = min(groups[index].most, most)
            } else {
                groups.append(([split], option, size, most))
            }
        }
        let flaws = groups.enumerated().map { index, group in
            let isOne = group.splits.count == 1
            let names = group.splits.map(\.rawValue).joined(separator: " and ") + (isOne ? " split" : " splits")
            return index == 0
                ? "its \(names) \(isOne ? "is" : "are") too small for a batch of \(group.size)"
                : "its \(names) for one of \(group.size)"
        }
        let choices = groups.map { "`\($0.option)` \($0.most)\($0.most > 1 ? " or less" : "")" }
        let advice =
            most.contains(0)
            ? "choose a larger data set" : "choose \(choices.joined(separator: " and ")), or a larger data set"
        throw RecurrentError.dataset("\(dataset.name): \(flaws.joined(separator: ", ")); \(advice)")
    }

    /// Returns the size of the largest batch that a split has, which is below one that it hasn't; 0 if it has none.
    private func largest(of split: Split, below size: Int, in dataset: any Dataset) -> Int {
        var (most, tooMany) = (0, size)
        while tooMany - most > 1 {
            let middle = most + (tooMany - most) / 2
            if dataset.batchCount(split, batchSize: middle) > 0 { most = middle } else { tooMany = middle }
        }
        return most
    }
}
