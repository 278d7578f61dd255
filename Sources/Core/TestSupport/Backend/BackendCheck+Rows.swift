import RecurrentCore

extension BackendCheck {
    func reductions() throws {
        for (rows, columns) in [(1, 1), (6, 5), (40, 333), (3, 5000), (1500, 3)] {
            for layout in Layout.writable {
                // Few different values, so that the largest occurs more than once.
                for (coarse, source) in [
                    (true, try matrix(rows, columns, layout) { Double(($0 * 7919 + 13) % 31) - 40 }),
                    (false, try matrix(rows, columns, layout, seed: 4)),
                ] {
                    for reduction in Reduction.allCases {
                        for target in Layout.byRows {
                            let result = try matrix(rows, 1, target, seed: 5)
                            both([source, result]) { $0.reduceRows(reduction, $1[0], into: $1[1]) }
                            let scale = coarse ? 40 * Double(columns) : Double(columns).squareRoot()
                            try agree(
                                result, reduction == .sum ? .scale(scale) : .exact,
                                "reduceRows(.\(reduction)), [\(rows), \(columns)] \(layout) into \(target)")
                        }
                    }
                }
            }
            for layout in Layout.byRows {
                let source = try matrix(rows, columns, layout)
                for beta in [0.0, 1, 0.5] {
                    let result = try matrix(1, columns, .padded, seed: 6, value: beta == 0 ? { _ in .nan } : nil)
                    both([source, result]) { $0.sumColumns($1[0], beta: beta, into: $1[1]) }
                    try agree(
                        result, .scale(Double(rows).squareRoot() + 1),
                        "sumColumns, beta \(beta), [\(rows), \(columns)] \(layout)")
                }
            }
        }
        let infinite = try matrix([-.infinity, -.infinity, -1e30, 3, .infinity, .infinity], rows: 3, columns: 2)
        for reduction in [Reduction.maximum, .argmax] {
            let result = try matrix(3, 1)
            both([infinite, result]) { $0.reduceRows(reduction, $1[0], into: $1[1]) }
            try agree(result, .exact, "reduceRows(.\(reduction)) of infinite numbers")
        }
    }

    func indexedRows() throws {
        for (rows, columns, count) in [(1, 1, 3), (7, 5, 20), (50, 33, 1000)] {
            var random = RandomStream(RandomKey(seed: 6, purpose: .test))
            func draw() -> [Int32] { (0..<count).map { _ in Int32(random.integer(below: rows)) } }
            let first = draw(), second = draw()
            for layout in Layout.byRows {
                let table = try matrix(rows, columns, layout, seed: 1)
                let gathered = try matrix(count, columns, layout, seed: 2)
                let sum = try matrix(rows, columns, layout, seed: 3)
                for backend in [tested, oracle] {
                    let isTested = backend === tested
                    func view(_ pair: Pair) -> MatrixView { isTested ? pair.tested : pair.oracle }
                    let indices = try backend.makeIndices(first)
                    try require(
                        indices.count == count, "\(backend.name): \(count) indices have the count \(indices.count)")
                    backend.gatherRows(view(table), indices, into: view(gathered))
                    backend.scatterAddRows(view(gathered), indices, into: view(sum))
                    backend.update(indices, with: second)
                    backend.scatterAddRows(view(gathered), indices, into: view(sum))
                }
                let what = "[\(rows), \(columns)] \(layout), \(count) indices"
                try agree(gathered, .exact, "gatherRows, \(what)")
                try agree(sum, .scale(Double(count) / Double(rows) + 1), "scatterAddRows, \(what)")
                try agree(table, .exact, "gatherRows changes the table, \(what)")
            }
        }
        try additionOrder()
    }

    /// Checks that rows with the same index are added in order; in another order, small numbers
    /// would be rounded differently.
    private func additionOrder() throws {
        let large = tested.scalarType == .float64 ? 0x1p60 : 0x1p30
        let source = [1, 1, large, -large, 1, 1, large, 1, -large, 1]
        var expected = 0.0
        for number in source {
            expected = tested.scalarType == .float64 ? expected + number : Double(Float(expected) + Float(number))
        }
        let table = try tested.allocate(rows: 2, columns: 1)
        tested.scatterAddRows(
            try tested.makeMatrix(source, rows: source.count, columns: 1),
            try tested.makeIndices([Int32](repeating: 1, count: source.count)), into: table)
        let sums: [Double] = tested.download(table)
        try require(
            sums == [0, expected],
            "\(tested.name): scatterAddRows adds rows with the same index out of order: \(sums[1]) for \(expected)"
        )
    }
}
