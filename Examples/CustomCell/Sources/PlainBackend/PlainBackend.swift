import RecurrentCore

/// A backend of plain loops on one thread: the least that a backend consists of. It is slow, since nothing
/// in it is vectorised, blocked for the cache or kept from one call to the next. Numbers are stored as Float
/// and computed in Double.
public final class PlainBackend: BackendPlugin {
    public static let name = "plain"
    public static let summary = "plain loops on one thread, Float32; slow, an example"
    public init(options: NoOptions = NoOptions()) {}
    public var scalarType: ScalarType { .float32 }

    /// Numbers on the heap; unchecked, because calls that use one piece of memory are made one after another.
    final class Numbers: Memory, @unchecked Sendable {
        let values: UnsafeMutableBufferPointer<Float>
        var count: Int { values.count }
        var hostAddress: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(values.baseAddress) }
        init(_ count: Int) {
            values = .allocate(capacity: count)
            values.initialize(repeating: 0)
        }
        deinit { values.deallocate() }
    }
    final class Indices: IndexMemory, @unchecked Sendable {
        var rows: [Int32]
        var count: Int { rows.count }
        init(_ rows: [Int32]) { self.rows = rows }
    }
    final class Program: Kernel {
        let program: PointwiseProgram
        init(_ program: PointwiseProgram) { self.program = program }
    }

    // MARK: Memory

    public func allocate(_ count: Int) throws -> any Memory { Numbers(count) }
    public func makeIndices(_ indices: [Int32]) throws -> any IndexMemory { Indices(indices) }
    public func update(_ memory: any IndexMemory, with indices: [Int32]) { (memory as! Indices).rows = indices }

    public func upload<S: HostScalar>(_ values: UnsafeBufferPointer<S>, to memory: any Memory, offset: Int) {
        let target = (memory as! Numbers).values
        for i in 0..<values.count { target[offset + i] = Float(values[i]) }
    }
    public func download<S: HostScalar>(_ memory: any Memory, offset: Int, into values: UnsafeMutableBufferPointer<S>) {
        let source = (memory as! Numbers).values
        for i in 0..<values.count { values[i] = S(source[offset + i]) }
    }
    public func fill(_ view: MatrixView, with value: Double) {
        let target = Elements(view)
        for r in 0..<view.rows { for c in 0..<view.columns { target[r, c] = value } }
    }
    public func copy(_ source: MatrixView, to destination: MatrixView) {
        precondition(source.rows == destination.rows && source.columns == destination.columns, "copy: shapes disagree")
        let from = Elements(source), to = Elements(destination)
        for r in 0..<source.rows { for c in 0..<source.columns { to[r, c] = from[r, c] } }
    }
    public func synchronize() {}

    // MARK: Arithmetic

    public func gemm(alpha: Double, _ a: MatrixView, _ b: MatrixView, beta: Double, _ c: MatrixView) {
        precondition(a.rows == c.rows && b.columns == c.columns && a.columns == b.rows, "gemm: shapes disagree")
        let left = Elements(a), right = Elements(b), result = Elements(c)
        for i in 0..<c.rows {
            for j in 0..<c.columns {
                var sum = 0.0
                for k in 0..<a.columns { sum += left[i, k] * right[k, j] }
                result[i, j] = alpha * sum + (beta == 0 ? 0 : beta * result[i, j])
            }
        }
    }

    public func compile(_ program: PointwiseProgram) throws -> any Kernel { Program(program) }
    public func run(
        _ kernel: any Kernel, inputs: [MatrixView], outputs: [MatrixView], scalars: [Double], key: RandomKey?
    ) {
        let program = kernel.program, sources = inputs.map(Elements.init), targets = outputs.map(Elements.init)
        guard let shape = outputs.first else { return }
        precondition(key != nil || !program.usesRandomNumbers, "a program with random numbers needs a key")
        var values = [Double](repeating: 0, count: program.instructions.count)
        for r in 0..<shape.rows {
            for c in 0..<shape.columns {
                for (index, instruction) in program.instructions.enumerated() {
                    let x = instruction.operands
                    values[index] =
                        switch instruction.operation {
                        case .input(let number): sources[number][r, c]
                        case .scalar(let number): scalars[number]
                        case .columnIndex: Double(c)
                        case .uniform: Philox.uniform(key!, index: UInt64(r * shape.columns + c))
                        case let operation:
                            operation.evaluate(
                                x.count > 0 ? values[x[0]] : 0, x.count > 1 ? values[x[1]] : 0,
                                x.count > 2 ? values[x[2]] : 0)
                        }
                }
                // All inputs of the element have been read: an output may be the same view as an input.
                for (target, index) in zip(targets, program.outputs) { target[r, c] = values[index] }
            }
        }
    }

    public func reduceRows(_ reduction: Reduction, _ source: MatrixView, into destination: MatrixView) {
        let from = Elements(source), to = Elements(destination)
        for r in 0..<source.rows {
            var sum = 0.0, best = 0
            for c in 0..<source.columns {
                sum += from[r, c]
                if from[r, c] > from[r, best] { best = c }
            }
            to[r, 0] =
                switch reduction {
                case .sum: sum
                case .maximum: from[r, best]
                case .argmax: Double(best)
                }
        }
    }
    public func sumColumns(_ source: MatrixView, beta: Double, into destination: MatrixView) {
        let from = Elements(source), to = Elements(destination)
        for c in 0..<source.columns {
            let sum = (0..<source.rows).reduce(0) { $0 + from[$1, c] }
            to[0, c] = sum + (beta == 0 ? 0 : beta * to[0, c])
        }
    }
    public func gatherRows(_ table: MatrixView, _ indices: any IndexMemory, into destination: MatrixView) {
        let from = Elements(table), to = Elements(destination)
        for (r, row) in (indices as! Indices).rows.enumerated() {
            for c in 0..<table.columns { to[r, c] = from[Int(row), c] }
        }
    }
    public func scatterAddRows(_ source: MatrixView, _ indices: any IndexMemory, into table: MatrixView) {
        let from = Elements(source), to = Elements(table)
        for (r, row) in (indices as! Indices).rows.enumerated() {
            for c in 0..<table.columns { to[Int(row), c] += from[r, c] }
        }
    }

    // MARK: Linear algebra

    /// Eliminates A by Gauss and Jordan, with the largest pivot of each column.
    public func solve(_ a: MatrixView, _ b: MatrixView) throws {
        let n = a.rows, left = Elements(a), right = Elements(b)
        var rows = (0..<n).map { r in (0..<n).map { left[r, $0] } + (0..<b.columns).map { right[r, $0] } }
        for k in 0..<n {
            let pivot = (k..<n).max { rows[$0][k].magnitude < rows[$1][k].magnitude }!
            guard rows[pivot][k] != 0 else { throw RecurrentError.linearAlgebra("solve: the matrix is singular") }
            rows.swapAt(k, pivot)
            for r in 0..<n where r != k {
                let factor = rows[r][k] / rows[k][k]
                for c in k..<n + b.columns { rows[r][c] -= factor * rows[k][c] }
            }
        }
        for r in 0..<n { for c in 0..<b.columns { right[r, c] = rows[r][n + c] / rows[r][r] } }
    }

    /// Makes one element after another zero by complex rotations (Jacobi; Golub & Van Loan, Section 8.5).
    public func hermitianEigen(real: MatrixView, imaginary: MatrixView, eigenvalues: MatrixView) throws {
        typealias Complex = SIMD2<Double>
        func product(_ a: Complex, _ b: Complex) -> Complex { [a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x] }
        func norm(_ a: Complex) -> Double { (a.x * a.x + a.y * a.y).squareRoot() }
        let n = real.rows, re = Elements(real), im = Elements(imaginary), values = Elements(eigenvalues)
        let places = (0..<n * n).map { ($0 / n, $0 % n) }
        var matrix = places.map { Complex(re[$0, $1], im[$0, $1]) }
        var vectors = places.map { Complex($0 == $1 ? 1 : 0, 0) }
        // (x, y) ← (c x − s ū y, s u x + c y)
        func rotate(_ m: inout [Complex], _ x: Int, _ y: Int, _ c: Double, _ s: Double, _ u: Complex) {
            let (first, second) = (m[x], m[y])
            m[x] = c * first - s * product([u.x, -u.y], second)
            m[y] = s * product(u, first) + c * second
        }
        guard matrix.allSatisfy({ norm($0).isFinite }) else {
            throw RecurrentError.linearAlgebra("the matrix has elements that aren't finite")
        }
        let bound = 1e-12 * (matrix.map(norm).max() ?? 0)
        var sweeps = 0
        while zip(places, matrix).contains(where: { $0.0 != $0.1 && norm($1) > bound }) {
            sweeps += 1
            guard sweeps <= 60 else { throw RecurrentError.linearAlgebra("the eigendecomposition did not converge") }
            for (p, q) in places where p < q && norm(matrix[p * n + q]) > 0 {
                let element = matrix[p * n + q], size = norm(element)
                let theta = (matrix[q * n + q].x - matrix[p * n + p].x) / (2 * size)
                let t = (theta >= 0 ? 1 : -1) / (theta.magnitude + (theta * theta + 1).squareRoot())
                let c = 1 / (t * t + 1).squareRoot(), u = element / size
                for r in 0..<n {
                    rotate(&matrix, r * n + p, r * n + q, c, t * c, u)
                    rotate(&vectors, r * n + p, r * n + q, c, t * c, u)
                }
                for r in 0..<n { rotate(&matrix, p * n + r, q * n + r, c, t * c, [u.x, -u.y]) }
            }
        }
        let order = (0..<n).sorted { matrix[$0 * n + $0].x < matrix[$1 * n + $1].x }
        for (column, source) in order.enumerated() {
            values[0, column] = matrix[source * n + source].x
            for r in 0..<n { (re[r, column], im[r, column]) = (vectors[r * n + source].x, vectors[r * n + source].y) }
        }
    }
}

/// The elements of a view, by row and column.
private struct Elements {
    let base: UnsafeMutablePointer<Float>, rowStride: Int, columnStride: Int
    init(_ view: MatrixView) {
        base = (view.memory as! PlainBackend.Numbers).values.baseAddress! + view.offset
        (rowStride, columnStride) = (view.rowStride, view.columnStride)
    }
    subscript(row: Int, column: Int) -> Double {
        get { Double(base[row * rowStride + column * columnStride]) }
        nonmutating set { base[row * rowStride + column * columnStride] = Float(newValue) }
    }
}
