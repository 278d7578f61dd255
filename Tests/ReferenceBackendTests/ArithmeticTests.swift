import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

private let backend = ReferenceBackend()

@Test func aProductByHand() throws {
    let a = try backend.makeMatrix([1.0, 2, 3, 4, 5, 6], rows: 2, columns: 3)
    let b = try backend.makeMatrix([1.0, 0, -1, 2, 2, 1], rows: 3, columns: 2)
    let c = try backend.makeMatrix([Double](repeating: .nan, count: 4), rows: 2, columns: 2)
    backend.gemm(a, b, into: c)
    #expect(backend.download(c) == [5.0, 7, 11, 16])
    backend.gemm(alpha: 2, a, b, beta: -1, c)
    #expect(backend.download(c) == [5.0, 7, 11, 16])
    let d = try backend.allocate(rows: 3, columns: 3)
    backend.gemm(a.transposed, b.transposed, into: d)
    #expect(backend.download(d) == [1.0, 7, 6, 2, 8, 9, 3, 9, 12])
}

@Test func productsAgreeWithNumpy() throws {
    let a = try backend.makeMatrix(NumpyNumbers.of("gemm a"), rows: 4, columns: 6)
    let b = try backend.makeMatrix(NumpyNumbers.of("gemm b"), rows: 6, columns: 5)
    // The result goes into columns 2..<7 of a wider matrix, whose other columns must not change.
    let wide = try backend.makeMatrix([Double](repeating: 7, count: 4 * 9), rows: 4, columns: 9)
    let c = try backend.makeMatrix(NumpyNumbers.of("gemm c"), rows: 4, columns: 5)
    backend.copy(c, to: wide.columns(2..<7))
    backend.gemm(alpha: -0.5, a, b, beta: 2, wide.columns(2..<7))
    let all: [Double] = backend.download(wide)
    let expected = try NumpyNumbers.of("gemm result")
    for r in 0..<4 {
        #expect(largestError(Array(all[r * 9 + 2..<r * 9 + 7]), Array(expected[r * 5..<r * 5 + 5])) < 1e-14)
        #expect([0, 1, 7, 8].allSatisfy { all[r * 9 + $0] == 7 })
    }
}

@Test(arguments: Opcode.all)
func operationsAgreeWithNumpy(opcode: Opcode) throws {
    let x = try NumpyNumbers.of("x"), y = try NumpyNumbers.of("y")
    let inputs = [x, y, x.map { $0 + 1 }].prefix(opcode.arity)
    let kernel = try backend.compile(PointwiseProgram(inputs: opcode.arity) { x, _ in [opcode.apply(x)] })
    let result = try backend.allocate(rows: 1, columns: x.count)
    backend.run(
        kernel, inputs: try inputs.map { try backend.makeMatrix($0, rows: 1, columns: x.count) }, outputs: [result])
    #expect(largestError(backend.download(result), try NumpyNumbers.of(opcode.description)) < 1e-15)
}

@Test func aProgramByHand() throws {
    let kernel = try backend.compile(
        PointwiseProgram(inputs: 2, scalars: 1) { x, s in [x[1], x[0] * s[0] + .columnIndex] })
    // A row repeated downwards and a column read as a row.
    let a = try backend.makeMatrix([1.0, 2, 3], rows: 1, columns: 3).broadcast(rows: 2, columns: 3)
    let b = try backend.makeMatrix([10.0, 11, 20, 21, 30, 31], rows: 3, columns: 2).transposed
    let first = try backend.allocate(rows: 2, columns: 3)
    let second = try backend.allocate(rows: 3, columns: 2).transposed
    backend.run(kernel, inputs: [a, b], outputs: [first, second], scalars: [-2])
    #expect(backend.download(first) == [10.0, 20, 30, 11, 21, 31])
    #expect(backend.download(second.transposed) == [-2.0, -2, -3, -3, -4, -4])
}

@Test func randomNumbersAgreeWithPhiloxInPython() throws {
    let kernel = try backend.compile(PointwiseProgram(inputs: 0) { _, _ in [.uniform] })
    let result = try backend.allocate(rows: 5, columns: 8)
    let key = RandomKey(seed: 0x1234_5678_9ABC_DEF0, purpose: .dropout, stream: 3, step: 1 << 32 - 1)
    backend.run(kernel, inputs: [], outputs: [result], scalars: [], key: key)
    #expect(backend.download(result) == (try NumpyNumbers.of("uniform")))
}

@Test func reductionsByHand() throws {
    let a = try backend.makeMatrix([3.0, 5, 5, -1, -1, -4], rows: 2, columns: 3)
    let result = try backend.allocate(rows: 2, columns: 1)
    for (reduction, expected) in [(Reduction.sum, [13.0, -6]), (.maximum, [5, -1]), (.argmax, [1, 0])] {
        backend.reduceRows(reduction, a, into: result)
        #expect(backend.download(result) == expected)
    }
    let sums = try backend.makeMatrix([1.0, 1, 1], rows: 1, columns: 3)
    backend.sumColumns(a, beta: 0.5, into: sums)
    #expect(backend.download(sums) == [2.5, 4.5, 1.5])
}

@Test func gatherAndScatterByHand() throws {
    let table = try backend.makeMatrix([0.0, 1, 10, 11, 20, 21], rows: 3, columns: 2)
    let indices = try backend.makeIndices([2, 0, 2])
    let rows = try backend.allocate(rows: 3, columns: 2)
    backend.gatherRows(table, indices, into: rows)
    #expect(backend.download(rows) == [20.0, 21, 0, 1, 20, 21])
    backend.scatterAddRows(rows, indices, into: table)
    #expect(backend.download(table) == [0.0, 2, 10, 11, 60, 63])
    backend.update(indices, with: [1, 1, 1])
    backend.scatterAddRows(rows, indices, into: table)
    #expect(backend.download(table) == [0.0, 2, 50, 54, 60, 63])
}
