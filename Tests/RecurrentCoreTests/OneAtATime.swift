import RecurrentCore
import ReferenceBackend
import Synchronization

/// The reference backend as one that computes one call after another, as a device does; calls at the same time end the
/// tests.
final class OneAtATime: Backend {
    private let base = ReferenceBackend()
    private let isBusy = Atomic(false)
    let name = "one-at-a-time", summary = "calls one after another"
    var scalarType: ScalarType { .float64 }

    private func alone<R>(_ body: () throws -> R) rethrows -> R {
        precondition(!isBusy.exchange(true, ordering: .acquiring), "two calls at the same time")
        defer { isBusy.store(false, ordering: .releasing) }
        return try body()
    }

    /// Memory may be allocated at any time.
    func allocate(_ count: Int) throws -> any Memory { try base.allocate(count) }
    func makeIndices(_ indices: [Int32]) throws -> any IndexMemory { try base.makeIndices(indices) }
    func compile(_ program: PointwiseProgram) throws -> any Kernel { try base.compile(program) }
    func update(_ memory: any IndexMemory, with indices: [Int32]) { alone { base.update(memory, with: indices) } }
    func upload<S: HostScalar>(_ values: UnsafeBufferPointer<S>, to memory: any Memory, offset: Int) {
        alone { base.upload(values, to: memory, offset: offset) }
    }
    func download<S: HostScalar>(_ memory: any Memory, offset: Int, into values: UnsafeMutableBufferPointer<S>) {
        alone { base.download(memory, offset: offset, into: values) }
    }
    func fill(_ view: MatrixView, with value: Double) { alone { base.fill(view, with: value) } }
    func copy(_ source: MatrixView, to destination: MatrixView) { alone { base.copy(source, to: destination) } }
    func synchronize() { alone {} }
    func gemm(alpha: Double, _ a: MatrixView, _ b: MatrixView, beta: Double, _ c: MatrixView) {
        alone { base.gemm(alpha: alpha, a, b, beta: beta, c) }
    }
    func run(_ kernel: any Kernel, inputs: [MatrixView], outputs: [MatrixView], scalars: [Double], key: RandomKey?) {
        alone { base.run(kernel, inputs: inputs, outputs: outputs, scalars: scalars, key: key) }
    }
    func reduceRows(_ reduction: Reduction, _ source: MatrixView, into destination: MatrixView) {
        alone { base.reduceRows(reduction, source, into: destination) }
    }
    func sumColumns(_ source: MatrixView, beta: Double, into destination: MatrixView) {
        alone { base.sumColumns(source, beta: beta, into: destination) }
    }
    func gatherRows(_ table: MatrixView, _ indices: any IndexMemory, into destination: MatrixView) {
        alone { base.gatherRows(table, indices, into: destination) }
    }
    func scatterAddRows(_ source: MatrixView, _ indices: any IndexMemory, into table: MatrixView) {
        alone { base.scatterAddRows(source, indices, into: table) }
    }
    func solve(_ a: MatrixView, _ b: MatrixView) throws { try alone { try base.solve(a, b) } }
    func hermitianEigen(real: MatrixView, imaginary: MatrixView, eigenvalues: MatrixView) throws {
        try alone { try base.hermitianEigen(real: real, imaginary: imaginary, eigenvalues: eigenvalues) }
    }
}
