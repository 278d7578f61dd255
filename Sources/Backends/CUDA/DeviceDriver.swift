import RecurrentCore

/// What ``CUDABackend`` asks of a device: memory, kernels from source, products and
/// two factorisations, all in the order of the calls.
///
/// `CUDADevice` is the real one. Tests have another that runs the same kernels as
/// host C, so that everything above this line is tested where there is no GPU.
package protocol DeviceDriver: AnyObject, Sendable {
    /// As `cli list` and messages name it.
    var name: String { get }
    /// A block's largest size that suits it; a power of two.
    var blockSize: Int { get }
    /// How many blocks it works on at a time, about.
    var processors: Int { get }
    /// Of one block, in bytes.
    var sharedMemory: Int { get }
    /// Of one block, 32 bits each.
    var registers: Int { get }
    /// Whether it can run all blocks of a kernel at once.
    var startsCooperatively: Bool { get }

    /// - Throws: ``RecurrentError/backend(_:)`` if there isn't as much.
    func allocate(bytes: Int) throws -> DeviceAddress
    func release(_ address: DeviceAddress)
    /// Free and all memory in bytes.
    func memory() -> (free: Int, total: Int)
    /// `source` may be overwritten when it returns.
    func upload(_ source: UnsafeRawBufferPointer, to address: DeviceAddress)
    /// Waits for what came before.
    func download(_ address: DeviceAddress, into destination: UnsafeMutableRawBufferPointer)
    /// Like a download, but returns at once: the copy is made when its turn comes.
    func startDownload(_ address: DeviceAddress, bytes: Int) -> any DeviceDownload
    func clear(_ address: DeviceAddress, bytes: Int)
    func synchronize()

    /// - Throws: ``RecurrentError/backend(_:)`` with the compiler's first complaint.
    func compile(_ source: KernelSource) throws -> any DeviceFunction
    /// Starts a kernel; `arguments` is the struct that it takes by value.
    func launch(_ function: any DeviceFunction, _ shape: LaunchShape, arguments: KernelArguments)

    /// Column-major, as BLAS: `C [m, n] ← alpha · op(A) · op(B) + beta · C`.
    func gemm(_ product: DeviceProduct)
    /// Column-major `A · X = B` or `Aᵀ · X = B`, in place of B; A is destroyed.
    /// - Returns: whether A could be inverted.
    func solve(transposed: Bool, size: Int, columns: Int, a: DeviceAddress, b: DeviceAddress) throws -> Bool
    /// Eigenvectors in place of a column-major Hermitian matrix of interleaved
    /// complex numbers, and ascending eigenvalues.
    /// - Returns: whether it converged.
    func hermitianEigen(size: Int, matrix: DeviceAddress, eigenvalues: DeviceAddress) throws -> Bool

    /// Records what `calls` launches instead of running it; nil if it can't.
    func record(_ calls: () -> Void) throws -> (any DeviceRecording)?
    /// The first error since the last call that no other call could throw.
    func takeError() -> RecurrentError?
}

extension DeviceDriver {
    package var startsCooperatively: Bool { true }
}

package typealias DeviceAddress = UInt64

/// A compiled kernel.
package protocol DeviceFunction: AnyObject, Sendable {}

/// A copy to the host that is under way.
package protocol DeviceDownload: AnyObject, Sendable {
    /// Waits for this copy, not for what was asked for after it. To be called once, with
    /// room for as many bytes as it was started with; what fails is kept as the error of
    /// any call that can't throw.
    func finish(into destination: UnsafeMutableRawBufferPointer)
}

/// Launches that were recorded, to be run as one.
package protocol DeviceRecording: AnyObject, Sendable {
    func run()
}

/// CUDA C with one kernel in it that takes one struct by value.
package struct KernelSource: Hashable, Sendable {
    /// The kernel's name.
    package let name: String
    /// Without the prelude that all kernels share.
    package let body: String
    /// Dynamic shared memory that a launch may ask for, in bytes.
    package let sharedMemory: Int

    package init(name: String, body: String, sharedMemory: Int = 0) {
        self.name = name
        self.body = body
        self.sharedMemory = sharedMemory
    }

    /// What NVRTC compiles.
    package var text: String { KernelPrelude.text + body }
}

/// How many threads a kernel is started with.
package struct LaunchShape: Sendable {
    package var grid: (Int, Int)
    package var block: Int
    package var sharedMemory = 0
    /// All blocks at once, so that they may wait for one another.
    package var isCooperative = false
}

/// A column-major product.
package struct DeviceProduct: Sendable {
    package var transposesA: Bool, transposesB: Bool
    package var m: Int, n: Int, k: Int
    package var precision: CUDAPrecision
    package var alpha: Float, beta: Float
    package var a: DeviceAddress, b: DeviceAddress, c: DeviceAddress
    package var lda: Int, ldb: Int, ldc: Int
}

/// A kernel's argument, laid out as C lays out its struct: every field is 4 or 8
/// bytes and comes at a multiple of its size.
package struct KernelArguments: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    private mutating func append<Number>(_ number: Number) {
        let size = MemoryLayout<Number>.size
        while bytes.count % size != 0 { bytes.append(0) }
        withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
    }
    package mutating func address(_ value: DeviceAddress) { append(value) }
    package mutating func integer(_ value: Int) { append(UInt32(value)) }
    package mutating func word(_ value: UInt32) { append(value) }
    package mutating func float(_ value: Double) { append(Float(value)) }
    /// A matrix: where it begins, and its strides in elements.
    package mutating func view(_ address: DeviceAddress, rowStride: Int, columnStride: Int) {
        append(address)
        append(Int64(rowStride))
        append(Int64(columnStride))
    }
}
