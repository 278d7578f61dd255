/// What a device must be able to do: memory, products, pointwise programs,
/// reductions, gather and scatter, a solve and an eigendecomposition.
///
/// Misuse (shapes that disagree, memory of another backend) traps; the
/// environment (no device, LAPACK not converging) throws ``RecurrentError``.
/// Calls may return before the device has finished; `download` and
/// `synchronize` wait. Unless a method says otherwise, its outputs must not
/// overlap its inputs. Results never depend on timing or on the number of threads.
public protocol Backend: AnyObject, Sendable {
    var name: String { get }
    /// One line for `cli list`: what it runs on.
    var summary: String { get }
    var scalarType: ScalarType { get }
    /// The same device and memory with products of full precision, where others may be
    /// rounded: for what must stay orthogonal. By default the backend itself.
    var exact: any Backend { get }

    // Memory.
    /// Memory of `count` scalars, filled with zeros.
    func allocate(_ count: Int) throws -> any Memory
    func makeIndices(_ indices: [Int32]) throws -> any IndexMemory
    /// Overwrites indices made earlier with as many new ones.
    func update(_ memory: any IndexMemory, with indices: [Int32])
    func upload<S: HostScalar>(_ values: UnsafeBufferPointer<S>, to memory: any Memory, offset: Int)
    func download<S: HostScalar>(_ memory: any Memory, offset: Int, into values: UnsafeMutableBufferPointer<S>)
    func fill(_ view: MatrixView, with value: Double)
    func copy(_ source: MatrixView, to destination: MatrixView)
    func synchronize()

    // Arithmetic.
    /// `C ← alpha · A · B + beta · C`; with `beta` 0, C may hold anything before.
    ///
    /// In each of A and B one stride is 1 (a transposed view has `rowStride` 1);
    /// C has `columnStride` 1.
    func gemm(alpha: Double, _ a: MatrixView, _ b: MatrixView, beta: Double, _ c: MatrixView)

    /// Prepares a program for running.
    func compile(_ program: PointwiseProgram) throws -> any Kernel
    /// Runs a kernel over every element of `outputs`.
    ///
    /// - Parameters:
    ///   - kernel: a program that this backend compiled.
    ///   - inputs: one view per input of the program, broadcast to the outputs' shape.
    ///   - outputs: one view per output, all of one shape.
    ///   - scalars: the values of the program's runtime scalars.
    ///   - key: for programs that draw random numbers.
    func run(
        _ kernel: any Kernel, inputs: [MatrixView], outputs: [MatrixView], scalars: [Double], key: RandomKey?)

    /// Reduces each row of `source` [R, C] to one number: `destination` [R, 1].
    func reduceRows(_ reduction: Reduction, _ source: MatrixView, into destination: MatrixView)
    /// `destination` [1, C] ← beta · destination + the sum of the rows of `source`
    /// [R, C]; with `beta` 0 it may hold anything before. Both have `columnStride` 1.
    func sumColumns(_ source: MatrixView, beta: Double, into destination: MatrixView)

    /// Row `i` of `destination` [n, C] ← row `indices[i]` of `table` [V, C]. Here and
    /// in ``scatterAddRows(_:_:into:)`` both have `columnStride` 1.
    func gatherRows(_ table: MatrixView, _ indices: any IndexMemory, into destination: MatrixView)
    /// Row `indices[i]` of `table` [V, C] += row `i` of `source` [n, C]; rows that
    /// meet are added in the order of `i`.
    func scatterAddRows(_ source: MatrixView, _ indices: any IndexMemory, into table: MatrixView)

    // Linear algebra.
    /// `B ← A⁻¹ · B` for A [n, n]; A is destroyed. Both are packed.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if A is singular.
    func solve(_ a: MatrixView, _ b: MatrixView) throws
    /// The eigendecomposition of a Hermitian matrix given as two real matrices.
    ///
    /// - Parameters:
    ///   - real: symmetric part [n, n]; becomes the real parts of the eigenvectors (columns).
    ///   - imaginary: skew part [n, n]; becomes their imaginary parts.
    ///   - eigenvalues: [1, n], ascending.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if it doesn't converge.
    func hermitianEigen(real: MatrixView, imaginary: MatrixView, eigenvalues: MatrixView) throws

    // With defaults built on the above.
    /// Binds a recurrence plan to its buffers; see ``RecurrenceExecutor``.
    func makeRecurrence(_ plan: RecurrencePlan, _ binding: RecurrenceBinding) throws -> any RecurrenceExecutor
    /// Mean cross-entropy and its gradients through a linear projection, in
    /// chunks of rows; see ``SoftmaxCrossEntropy``. Rows of the class `excludedClass` count for
    /// the loss but not for the accuracy.
    func makeSoftmaxCrossEntropy(classes: Int, width: Int, excludedClass: Int?) throws -> any SoftmaxCrossEntropy
    /// Prepares a matrix program for matrices [size, size]; see ``MatrixProgram``.
    func makeMatrixProgram(_ program: MatrixProgram, size: Int) throws -> any MatrixProgramExecutor
}

extension Backend {
    /// The same, where all classes count for the accuracy.
    public func makeSoftmaxCrossEntropy(classes: Int, width: Int) throws -> any SoftmaxCrossEntropy {
        try makeSoftmaxCrossEntropy(classes: classes, width: width, excludedClass: nil)
    }
}

/// A pointwise program that a backend has prepared.
public protocol Kernel: AnyObject, Sendable {
    var program: PointwiseProgram { get }
}

/// What a row is reduced to.
public enum Reduction: Sendable, CaseIterable {
    case sum, maximum
    /// The column of the first largest element.
    case argmax
}

extension Backend {
    public var exact: any Backend { self }

    public func allocate(rows: Int, columns: Int) throws -> MatrixView {
        MatrixView(try allocate(rows * columns), rows: rows, columns: columns)
    }

    /// Memory holding `values`, row by row.
    public func makeMatrix<S: HostScalar>(_ values: [S], rows: Int, columns: Int) throws -> MatrixView {
        precondition(values.count == rows * columns)
        let view = try allocate(rows: rows, columns: columns)
        upload(values, to: view)
        return view
    }

    /// - Precondition: `view` is packed and has as many elements as `values`.
    public func upload<S: HostScalar>(_ values: [S], to view: MatrixView) {
        precondition(view.isPacked && values.count == view.count)
        values.withUnsafeBufferPointer { upload($0, to: view.memory, offset: view.offset) }
    }

    /// The elements of `view`, row by row.
    /// - Precondition: `view` is packed.
    public func download<S: HostScalar>(_ view: MatrixView, as: S.Type = S.self) -> [S] {
        precondition(view.isPacked)
        return [S](unsafeUninitializedCapacity: view.count) { buffer, count in
            for i in 0..<view.count { (buffer.baseAddress! + i).initialize(to: 0) }
            download(
                view.memory, offset: view.offset, into: UnsafeMutableBufferPointer(rebasing: buffer[0..<view.count]))
            count = view.count
        }
    }

    public func run(_ kernel: any Kernel, inputs: [MatrixView], outputs: [MatrixView]) {
        run(kernel, inputs: inputs, outputs: outputs, scalars: [], key: nil)
    }
    public func run(_ kernel: any Kernel, inputs: [MatrixView], outputs: [MatrixView], scalars: [Double]) {
        run(kernel, inputs: inputs, outputs: outputs, scalars: scalars, key: nil)
    }
    /// `C ← A · B`.
    public func gemm(_ a: MatrixView, _ b: MatrixView, into c: MatrixView) {
        gemm(alpha: 1, a, b, beta: 0, c)
    }
}
