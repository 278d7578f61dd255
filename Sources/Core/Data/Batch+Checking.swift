extension Batch {
    /// Checks that a batch has the form that a model was built for: batches are made by data sets of all kinds, and from
    /// arrays of one's own.
    ///
    /// - Throws: ``RecurrentError/dataset(_:)`` saying what doesn't fit.
    func check(_ data: DatasetDescription) throws {
        func fail(_ reason: String) -> RecurrentError {
            .dataset("a batch of \(size) sequences of \(steps) steps \(reason)")
        }
        guard steps > 0, size > 0 else { throw fail("is empty") }
        let positions = steps * size
        switch (inputs, data.inputs) {
        case (.tokens(let ids), .tokens(let vocabulary)):
            guard ids.count == positions else { throw fail("has \(ids.count) tokens, not \(positions)") }
            if let bad = ids.first(where: { $0 < 0 || $0 >= vocabulary }) {
                throw fail("has the token \(bad), which is outside the vocabulary of \(vocabulary)")
            }
        case (.vectors(let numbers, let width), .vectors(let expected)):
            guard width == expected else {
                throw fail("has vectors of \(width) numbers, but the model reads \(expected)")
            }
            guard numbers.count == positions * width else {
                throw fail("has \(numbers.count) numbers as inputs, not \(positions * width)")
            }
        case (.tokens, .vectors), (.vectors, .tokens):
            throw fail("has other inputs than the model, which reads \(data.inputs.summary)")
        }
        try checkTargets(data, rows: data.targets.isPerPosition ? positions : size, fail)
        guard let lengths else { return }
        guard lengths.count == size, lengths.allSatisfy({ (0...steps).contains($0) }) else {
            throw fail("needs \(size) lengths, each in 0...\(steps)")
        }
    }

    private func checkTargets(_ data: DatasetDescription, rows: Int, _ fail: (String) -> RecurrentError) throws {
        if data.targets.areValues {
            guard valueWidth == data.classes, values.count == rows * valueWidth else {
                throw fail("has \(values.count) numbers as targets, but the model predicts \(rows) × \(data.classes)")
            }
            return
        }
        guard targets.count == rows else { throw fail("has \(targets.count) classes as targets, not \(rows)") }
        if let bad = targets.first(where: { $0 >= data.classes }) {
            throw fail("has the target \(bad), but the classes are below \(data.classes)")
        }
    }
}
