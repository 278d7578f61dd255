import RecurrentCore

extension BackendCheck {
    /// Checks what depends on an element's place: random numbers and column indices.
    func places() throws {
        let keys = [
            RandomKey(seed: 1, purpose: .dropout), RandomKey(seed: 1, purpose: .dropout, step: 1),
            RandomKey(seed: 0xFEDC_BA98_7654_3210, purpose: .test, stream: 77, step: 1 << 31),
        ]
        let draw = PointwiseProgram(inputs: 0) { _, _ in [.uniform] }
        let mixed = PointwiseProgram(inputs: 1) { x, _ in [select(x[0] > .uniform, x[0], 0), .uniform + .columnIndex] }
        let column = PointwiseProgram(inputs: 1) { x, _ in [.columnIndex, .columnIndex == x[0]] }
        for (rows, columns) in [(1, 1), (7, 301), (301, 7), (70, 1031), (3, 4)] {
            let indices = try matrix(rows, columns, .repeatedColumn) { Double($0 % columns) }
            for layout in Layout.writable {
                let what = "[\(rows), \(columns)] \(layout)"
                for key in keys {
                    let numbers = try matrix(rows, columns, layout)
                    try run(draw, [], [numbers], key: key)
                    try agree(numbers, .exact, "uniform, \(what)")
                    try sameAsPhilox(numbers.tested, key, what)
                }
                let results = try (0..<2).map { try matrix(rows, columns, layout, seed: UInt64($0 + 3)) }
                let input = try matrix(rows, columns, .padded) { Double(Float(Double($0 % 13) / 13)) }
                try run(mixed, [input], results, key: keys[0])
                for result in results { try agree(result, .elements, "uniform beside an input, \(what)") }
                try run(column, [indices], results)
                for result in results { try agree(result, .exact, "columnIndex, \(what)") }
            }
        }
    }

    private func sameAsPhilox(_ view: MatrixView, _ key: RandomKey, _ what: String) throws {
        let all = contents(tested, view)
        for r in 0..<view.rows {
            for c in 0..<view.columns {
                let number = all[view.offset + r * view.rowStride + c * view.columnStride]
                let expected = Philox.uniform(key, index: UInt64(r * view.columns + c))
                try require(
                    number == expected,
                    "\(tested.name): uniform, \(what): element (\(r), \(c)) is \(number), Philox gives \(expected)")
            }
        }
    }
}
