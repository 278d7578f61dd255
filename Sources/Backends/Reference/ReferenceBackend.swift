import RecurrentCore

/// A backend of plain loops in Double without dependencies: the oracle that the
/// other backends are tested against.
public final class ReferenceBackend: BackendPlugin {
    public static let name = "reference"
    public static let summary = "plain loops in Double; slow, the oracle of the tests"
    public init(options: NoOptions = NoOptions()) {}

    public var scalarType: ScalarType { .float64 }

    /// Doubles on the heap.
    ///
    /// Unchecked because calls on one piece of memory are made one after the other,
    /// as everywhere in the package.
    final class Storage: Memory, @unchecked Sendable {
        let values: UnsafeMutableBufferPointer<Double>
        var count: Int { values.count }
        var hostAddress: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(values.baseAddress) }
        init(_ count: Int) {
            values = .allocate(capacity: count)
            values.initialize(repeating: 0)
        }
        deinit { values.deallocate() }
    }

    final class Indices: IndexMemory, @unchecked Sendable {
        var values: [Int32]
        var count: Int { values.count }
        init(_ values: [Int32]) { self.values = values }
    }

    // MARK: Memory

    public func allocate(_ count: Int) throws -> any Memory { Storage(count) }
    public func makeIndices(_ indices: [Int32]) throws -> any IndexMemory { Indices(indices) }
    public func update(_ memory: any IndexMemory, with indices: [Int32]) {
        precondition(memory.count == indices.count)
        (memory as! Indices).values = indices
    }

    public func upload<S: HostScalar>(_ values: UnsafeBufferPointer<S>, to memory: any Memory, offset: Int) {
        let target = (memory as! Storage).values
        precondition(offset + values.count <= target.count)
        // Generic code is slow unless it is specialised.
        if let doubles = values as? UnsafeBufferPointer<Double> {
            for i in 0..<values.count { target[offset + i] = doubles[i] }
        } else {
            for i in 0..<values.count { target[offset + i] = Double(values[i]) }
        }
    }

    public func download<S: HostScalar>(
        _ memory: any Memory, offset: Int, into values: UnsafeMutableBufferPointer<S>
    ) {
        let source = (memory as! Storage).values
        precondition(offset + values.count <= source.count)
        if let doubles = values as? UnsafeMutableBufferPointer<Double> {
            for i in 0..<values.count { doubles[i] = source[offset + i] }
        } else {
            for i in 0..<values.count { values[i] = S(source[offset + i]) }
        }
    }

    public func fill(_ view: MatrixView, with value: Double) {
        let target = Strided(view)
        for r in 0..<view.rows { for c in 0..<view.columns { target[r, c] = value } }
    }

    public func copy(_ source: MatrixView, to destination: MatrixView) {
        precondition(source.rows == destination.rows && source.columns == destination.columns)
        let from = Strided(source), to = Strided(destination)
        for r in 0..<source.rows { for c in 0..<source.columns { to[r, c] = from[r, c] } }
    }

    public func synchronize() {}
    public func makeConcurrent() throws -> (any Backend)? { self }

    // MARK: Arithmetic

    public func gemm(alpha: Double, _ a: MatrixView, _ b: MatrixView, beta: Double, _ c: MatrixView) {
        precondition(a.rows == c.rows && b.columns == c.columns && a.columns == b.rows, "gemm: shapes disagree")
        let left = Strided(a), right = Strided(b), result = Strided(c)
        // B is packed by rows, so that the inner loop runs over adjacent elements.
        let packed = UnsafeMutablePointer<Double>.allocate(capacity: max(b.count, 1))
        let row = UnsafeMutablePointer<Double>.allocate(capacity: max(c.columns, 1))
        defer {
            packed.deallocate()
            row.deallocate()
        }
        for k in 0..<b.rows { for j in 0..<b.columns { packed[k * b.columns + j] = right[k, j] } }
        for i in 0..<c.rows {
            for j in 0..<c.columns { row[j] = 0 }
            for k in 0..<a.columns {
                let factor = left[i, k]
                let line = packed + k * b.columns
                for j in 0..<c.columns { row[j] += factor * line[j] }
            }
            for j in 0..<c.columns { result[i, j] = alpha * row[j] + (beta == 0 ? 0 : beta * result[i, j]) }
        }
    }

    public func reduceRows(_ reduction: Reduction, _ source: MatrixView, into destination: MatrixView) {
        precondition(destination.rows == source.rows && destination.columns == 1 && source.columns > 0)
        let from = Strided(source), to = Strided(destination)
        for r in 0..<source.rows {
            var sum = 0.0
            var best = 0
            for c in 0..<source.columns {
                sum += from[r, c]
                if from[r, c] > from[r, best] { best = c }
            }
            switch reduction {
            case .sum: to[r, 0] = sum
            case .maximum: to[r, 0] = from[r, best]
            case .argmax: to[r, 0] = Double(best)
            }
        }
    }

    public func sumColumns(_ source: MatrixView, beta: Double, into destination: MatrixView) {
        precondition(destination.rows == 1 && destination.columns == source.columns)
        let from = Strided(source), to = Strided(destination)
        for c in 0..<source.columns {
            var sum = 0.0
            for r in 0..<source.rows { sum += from[r, c] }
            to[0, c] = sum + (beta == 0 ? 0 : beta * to[0, c])
        }
    }

    public func gatherRows(_ table: MatrixView, _ indices: any IndexMemory, into destination: MatrixView) {
        let rows = (indices as! Indices).values
        precondition(rows.count == destination.rows && table.columns == destination.columns)
        let from = Strided(table), to = Strided(destination)
        for (r, index) in rows.enumerated() {
            precondition(index >= 0 && Int(index) < table.rows, "index \(index) outside the table")
            for c in 0..<table.columns { to[r, c] = from[Int(index), c] }
        }
    }

    public func scatterAddRows(_ source: MatrixView, _ indices: any IndexMemory, into table: MatrixView) {
        let rows = (indices as! Indices).values
        precondition(rows.count == source.rows && table.columns == source.columns)
        let from = Strided(source), to = Strided(table)
        for (r, index) in rows.enumerated() {
            precondition(index >= 0 && Int(index) < table.rows, "index \(index) outside the table")
            for c in 0..<table.columns { to[Int(index), c] += from[r, c] }
        }
    }
}

/// Access to a view's elements by row and column.
struct Strided {
    private let base: UnsafeMutablePointer<Double>
    private let rowStride: Int
    private let columnStride: Int

    init(_ view: MatrixView) {
        base = (view.memory as! ReferenceBackend.Storage).values.baseAddress! + view.offset
        rowStride = view.rowStride
        columnStride = view.columnStride
    }

    subscript(row: Int, column: Int) -> Double {
        get { base[row * rowStride + column * columnStride] }
        nonmutating set { base[row * rowStride + column * columnStride] = newValue }
    }
}
