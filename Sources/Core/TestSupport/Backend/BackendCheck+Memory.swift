import RecurrentCore

extension BackendCheck {
    func memory() throws {
        for count in [1, 7, 1000] {
            let memory = try tested.allocate(count)
            try require(memory.count == count, "\(tested.name): allocate(\(count)) gives memory of \(memory.count)")
            let values: [Double] = tested.download(MatrixView(memory, rows: 1, columns: count))
            try require(values.allSatisfy { $0 == 0 }, "\(tested.name): new memory is not zero")
        }
        try transfers()
        try copies()
        tested.synchronize()
    }

    private func transfers() throws {
        let hard: [Float] = [0, -0, 1, -1.5, 1e-30, -1e30, .infinity, -.infinity, .nan, .pi, 16_777_215]
        let memory = try tested.allocate(hard.count + 5)
        func view(_ range: Range<Int>) -> MatrixView {
            MatrixView(memory, offset: range.lowerBound, rows: 1, columns: range.count)
        }
        tested.fill(view(0..<memory.count), with: 0.25)
        tested.upload(hard, to: view(3..<3 + hard.count))
        let floats: [Float] = tested.download(view(0..<memory.count))
        let expected = [0.25, 0.25, 0.25] + hard + [0.25, 0.25]
        try require(
            zip(floats, expected).allSatisfy { $0 == $1 && $0.sign == $1.sign || ($0.isNaN && $1.isNaN) },
            "\(tested.name): Floats uploaded at an offset come back as \(floats)")
        let fine = 1 + 0x1p-40
        tested.upload([fine], to: view(1..<2))
        let back: [Double] = tested.download(view(1..<2))
        try require(
            back[0] == (tested.scalarType == .float64 ? fine : 1),
            "\(tested.name): \(tested.scalarType) memory holds \(fine) as \(back[0])")
    }

    private func copies() throws {
        let (rows, columns) = (5, 9)
        for layout in Layout.writable {
            let target = try matrix(rows, columns, layout)
            both([target]) { $0.fill($1[0], with: -2.5) }
            try agree(target, .exact, "fill, \(layout)")
            for source in Layout.allCases {
                let pair = try matrix(rows, columns, layout, seed: 2)
                both([try matrix(rows, columns, source, seed: 3), pair]) { $0.copy($1[0], to: $1[1]) }
                try agree(pair, .exact, "copy, \(source) to \(layout)")
            }
        }
    }
}
