/// A compute device: memory, matrix products, pointwise programs, reductions,
/// gather and scatter, a linear solver and an eigendecomposition.
///
/// Misuse (mismatched shapes, memory of another backend) traps; failures of the
/// environment (no device, LAPACK doesn't converge) throw ``RecurrentError``.
/// Calls may return before the device has finished; `download` and
/// `synchronize` wait. Unless a method says otherwise, its outputs must not
/// overlap its inputs. Results never depend on timing or on the number of threads.
public protocol Backend: AnyObject, Sendable {
    /// The backend's name on the command line, such as `cpu`.
    var name: String { get }
    /// A one-line description for `cli list`: what the backend runs on.
    var summary: String { get }
    /// The type of the numbers that the backend stores and computes with.
    var scalarType: ScalarType { get }
    /// A backend on the same device and memory whose products have full precision, where
    /// this one's may be rounded; for weights that must stay orthogonal. By default, the
    /// backend itself.
    var exact: any Backend { get }

    // Memory.
    /// Allocates memory for `count` scalars, filled with zeros.
    func allocate(_ count: Int) throws -> any Memory
    /// Copies row numbers into memory of the backend.
    func makeIndices(_ indices: [Int32]) throws -> any IndexMemory
    /// Overwrites indices made earlier with the same number of new ones.
    func update(_ memory: any IndexMemory, with indices: [Int32])
    /// Copies numbers from the host into memory of the backend, from scalar `offset` on.
    func upload<S: HostScalar>(_ values: UnsafeBufferPointer<S>, to memory: any Memory, offset: Int)
    /// Copies numbers from memory of the backend, from scalar `offset` on, to the host.
    func download<S: HostScalar>(_ memory: any Memory, offset: Int, into values: UnsafeMutableBufferPointer<S>)
    /// Sets every element of `view` to `value`.
    func fill(_ view: MatrixView, with value: Double)
    /// Copies the elements of `source` to `destination`, which has the same shape.
    func copy(_ source: MatrixView, to destination: MatrixView)
    /// Waits until the device has finished all earlier calls.
    func synchronize()

    // Arithmetic.
    /// Computes `C ← alpha · A · B + beta · C`; if `beta` is 0, the old contents of C don't
    /// matter.
    ///
    /// A and B each have a stride of 1 (in a transposed view it is `rowStride`);
    /// C has `columnStride` 1.
    func gemm(alpha: Double, _ a: MatrixView, _ b: MatrixView, beta: Double, _ c: MatrixView)

    /// Prepares a program to be run.
    func compile(_ program: PointwiseProgram) throws -> any Kernel
    /// Runs a kernel over every element of `outputs`.
    ///
    /// - Parameters:
    ///   - kernel: a program that this backend compiled.
    ///   - inputs: one view per input of the program, broadcast to the outputs' shape.
    ///   - outputs: one view per output, all of the same shape.
    ///   - scalars: the values of the program's runtime scalars.
    ///   - key: the random key, for programs that draw random numbers.
    func run(
        _ kernel: any Kernel, inputs: [MatrixView], outputs: [MatrixView], scalars: [Double], key: RandomKey?)

    /// Reduces each row of `source` [R, C] to one number in `destination` [R, 1].
    func reduceRows(_ reduction: Reduction, _ source: MatrixView, into destination: MatrixView)
    /// Replaces `destination` [1, C] with `beta · destination` plus the sum of the rows of
    /// `source` [R, C]; if `beta` is 0, the old contents don't matter. Both have `columnStride` 1.
    func sumColumns(_ source: MatrixView, beta: Double, into destination: MatrixView)

    /// Copies row `indices[i]` of `table` [V, C] to row `i` of `destination` [n, C]. Both
    /// have `columnStride` 1.
    func gatherRows(_ table: MatrixView, _ indices: any IndexMemory, into destination: MatrixView)
    /// Adds row `i` of `source` [n, C] to row `indices[i]` of `table` [V, C]; rows with the
    /// same index are added in the order of `i`. Both have `columnStride` 1.
    func scatterAddRows(_ source: MatrixView, _ indices: any IndexMemory, into table: MatrixView)

    // Linear algebra.
    /// Solves a linear system in place: `B ← A⁻¹ · B` for A [n, n], which is destroyed. Both
    /// are packed.
    ///
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if A is singular.
    func solve(_ a: MatrixView, _ b: MatrixView) throws
    /// Computes the eigendecomposition of a Hermitian matrix given as two real matrices. If the matrix is real, so are
    /// the eigenvectors.
    ///
    /// - Parameters:
    ///   - real: the real part [n, n], which is symmetric; overwritten with the real parts of
    ///     the eigenvectors (columns).
    ///   - imaginary: the imaginary part [n, n], which is skew-symmetric; overwritten with
    ///     their imaginary parts.
    ///   - eigenvalues: where the eigenvalues go, [1, n], in ascending order.
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if the decomposition doesn't converge.
    func hermitianEigen(real: MatrixView, imaginary: MatrixView, eigenvalues: MatrixView) throws

    // These have default implementations built on the methods above.
    /// Returns a backend on the same device and memory whose calls may be made while others make calls on this one: it
    /// reads what this one has allocated, prepared and compiled. Nil, the default, if calls must be made one after
    /// another.
    ///
    /// - Throws: what creating a backend throws.
    func makeConcurrent() throws -> (any Backend)?
    /// Prepares a constant matrix [K, N] for products `A · matrix`; see ``PreparedMatrix``. One stride of the matrix is
    /// 1, and its elements don't change any more.
    ///
    /// - Throws: ``RecurrentError/device(_:)`` if there is no memory for a copy.
    func prepare(_ matrix: MatrixView) throws -> any PreparedMatrix
    /// Computes `C ← A · B`, plus `bias` [1, N] in each row unless it is nil. A and C have `columnStride` 1.
    func multiply(_ a: MatrixView, _ b: any PreparedMatrix, bias: MatrixView?, into c: MatrixView)
    /// Prepares the softmax of rows of `classes` numbers; see ``Softmax``.
    ///
    /// - Throws: what the backend throws.
    func makeSoftmax(classes: Int) throws -> any Softmax
    /// Binds a recurrence plan to its buffers; see ``RecurrenceExecutor``.
    func makeRecurrence(_ plan: RecurrencePlan, _ binding: RecurrenceBinding) throws -> any RecurrenceExecutor
    /// Prepares the mean cross-entropy and its gradients through a linear projection,
    /// computed in chunks of rows; see ``SoftmaxCrossEntropy``. Rows of the class
    /// `excludedClass` count for the loss but not towards the accuracy.
    func makeSoftmaxCrossEntropy(classes: Int, width: Int, excludedClass: Int?) throws -> any SoftmaxCrossEntropy
    /// Prepares a matrix program to run on matrices [size, size]; see ``MatrixProgram``.
    func makeMatrixProgram(_ program: MatrixProgram, size: Int) throws -> any MatrixProgramExecutor
}

extension Backend {
    /// Prepares softmax cross-entropy where all classes count for the accuracy.
    public func makeSoftmaxCrossEntropy(classes: Int, width: Int) throws -> any SoftmaxCrossEntropy {
        try makeSoftmaxCrossEntropy(classes: classes, width: width, excludedClass: nil)
    }
}

/// A pointwise program that a backend has prepared.
public protocol Kernel: AnyObject, Sendable {
    /// The program that was compiled.
    var program: PointwiseProgram { get }
}

/// A way to reduce a row to one number.
public enum Reduction: Sendable, CaseIterable {
    /// The sum of the elements.
    case sum
    /// The largest element.
    case maximum
    /// The column of the largest element, the first one if there are several.
    case argmax
}

extension Backend {
    public var exact: any Backend { self }

    /// Allocates a packed matrix, filled with zeros.
    public func allocate(rows: Int, columns: Int) throws -> MatrixView {
        MatrixView(try allocate(rows * columns), rows: rows, columns: columns)
    }

    /// Allocates a packed matrix and fills it with `values`, row by row.
    public func makeMatrix<S: HostScalar>(_ values: [S], rows: Int, columns: Int) throws -> MatrixView {
        precondition(values.count == rows * columns)
        let view = try allocate(rows: rows, columns: columns)
        upload(values, to: view)
        return view
    }

    /// Copies numbers from the host into `view`, row by row.
    ///
    /// - Precondition: `view` has a `columnStride` of 1, and as many elements as `values`.
    public func upload<S: HostScalar>(_ values: [S], to view: MatrixView) {
        precondition(view.hasContiguousRows && values.count == view.count)
        values.withUnsafeBufferPointer { values in
            guard !view.isPacked else { return upload(values, to: view.memory, offset: view.offset) }
            for row in 0..<view.rows {
                upload(
                    UnsafeBufferPointer(rebasing: values[row * view.columns..<(row + 1) * view.columns]),
                    to: view.memory, offset: view.offset + row * view.rowStride)
            }
        }
    }

    /// Returns the elements of `view`, row by row.
    ///
    /// - Precondition: `view` has a `columnStride` of 1.
    public func download<S: HostScalar>(_ view: MatrixView, as: S.Type = S.self) -> [S] {
        [S](unsafeUninitializedCapacity: view.count) { buffer, count in
            for i in 0..<view.count { (buffer.baseAddress! + i).initialize(to: 0) }
            download(view, into: UnsafeMutableBufferPointer(rebasing: buffer[0..<view.count]))
            count = view.count
        }
    }

    /// Copies the elements of `view`, row by row, to the host.
    ///
    /// - Precondition: `view` has a `columnStride` of 1, and as many elements as `values`.
    public func download<S: HostScalar>(_ view: MatrixView, into values: UnsafeMutableBufferPointer<S>) {
        precondition(view.hasContiguousRows && values.count == view.count)
        guard !view.isPacked else { return download(view.memory, offset: view.offset, into: values) }
        for row in 0..<view.rows {
            download(
                view.memory, offset: view.offset + row * view.rowStride,
                into: UnsafeMutableBufferPointer(rebasing: values[row * view.columns..<(row + 1) * view.columns]))
        }
    }

    /// Runs a kernel whose program has no runtime scalars and draws no random numbers.
    public func run(_ kernel: any Kernel, inputs: [MatrixView], outputs: [MatrixView]) {
        run(kernel, inputs: inputs, outputs: outputs, scalars: [], key: nil)
    }
    /// Runs a kernel whose program draws no random numbers.
    public func run(_ kernel: any Kernel, inputs: [MatrixView], outputs: [MatrixView], scalars: [Double]) {
        run(kernel, inputs: inputs, outputs: outputs, scalars: scalars, key: nil)
    }
    /// Computes `C ← A · B`.
    public func gemm(_ a: MatrixView, _ b: MatrixView, into c: MatrixView) {
        gemm(alpha: 1, a, b, beta: 0, c)
    }
}
