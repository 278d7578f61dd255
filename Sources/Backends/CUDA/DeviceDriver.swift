import RecurrentCore

/// What ``CUDABackend`` requires of a device: memory, kernels compiled from source, products
/// and two factorisations, all in the order of the calls.
///
/// `CUDADevice` is the real implementation. Tests have another that runs the same kernels as
/// C on the host, so that everything above this level is tested without a GPU.
package protocol DeviceDriver: AnyObject, Sendable {
    /// The device's name for `cli list` and messages.
    var name: String { get }
    /// The largest suitable size of a block, a power of two.
    var blockSize: Int { get }
    /// The approximate number of blocks that run at a time.
    var processors: Int { get }
    /// The most shared memory that a block may have, in bytes.
    var sharedMemory: Int { get }
    /// The number of 32-bit registers that a block may have.
    var registers: Int { get }
    /// Whether the device can run all blocks of a kernel at once.
    var startsCooperatively: Bool { get }

    /// Allocates memory whose contents are undefined.
    /// - Throws: ``RecurrentError/device(_:)`` if there isn't enough memory.
    func allocate(bytes: Int) throws -> DeviceAddress
    func release(_ address: DeviceAddress)
    /// Returns the free and the total memory in bytes.
    func memory() -> (free: Int, total: Int)
    /// Copies `source` to the device; it may be overwritten once this returns.
    func upload(_ source: UnsafeRawBufferPointer, to address: DeviceAddress)
    /// Copies from the device, after waiting for all earlier work.
    func download(_ address: DeviceAddress, into destination: UnsafeMutableRawBufferPointer)
    /// Starts a download and returns at once; the copy is made when its turn comes.
    func startDownload(_ address: DeviceAddress, bytes: Int) -> any DeviceDownload
    func clear(_ address: DeviceAddress, bytes: Int)
    func synchronize()

    /// Compiles and loads a kernel.
    /// - Throws: ``RecurrentError/backend(_:)`` with the compiler's first complaint.
    func compile(_ source: KernelSource) throws -> any DeviceFunction
    /// Starts a kernel; `arguments` is the struct that it takes by value.
    func launch(_ function: any DeviceFunction, _ shape: LaunchShape, arguments: KernelArguments)

    /// Computes `C [m, n] ← alpha · op(A) · op(B) + beta · C`, column-major as in BLAS.
    func gemm(_ product: DeviceProduct)
    /// Solves column-major `A · X = B` or `Aᵀ · X = B`; X replaces B, and A is destroyed.
    /// - Returns: False if A is singular.
    func solve(transposed: Bool, size: Int, columns: Int, a: DeviceAddress, b: DeviceAddress) throws -> Bool
    /// Finds the ascending eigenvalues and the eigenvectors of a column-major Hermitian matrix
    /// of interleaved complex numbers; the eigenvectors replace the matrix.
    /// - Returns: False if it didn't converge.
    func hermitianEigen(size: Int, matrix: DeviceAddress, eigenvalues: DeviceAddress) throws -> Bool

    /// Records what `calls` launches instead of running it, or returns nil if it can't be recorded.
    func record(_ calls: () -> Void) throws -> (any DeviceRecording)?
    /// Returns and clears the first error of calls that couldn't throw it.
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
    /// Waits for this copy, not for later work. Call it once, with a destination of exactly
    /// the size that the download was started with. An error is kept like those of other
    /// calls that can't throw.
    func finish(into destination: UnsafeMutableRawBufferPointer)
}

/// Recorded launches that are run as one.
package protocol DeviceRecording: AnyObject, Sendable {
    func run()
}

/// CUDA C with one kernel that takes one struct by value.
package struct KernelSource: Hashable, Sendable {
    /// The kernel's name.
    package let name: String
    /// The text without the prelude that all kernels share.
    package let body: String
    /// The most dynamic shared memory that a launch may request, in bytes.
    package let sharedMemory: Int

    package init(name: String, body: String, sharedMemory: Int = 0) {
        self.name = name
        self.body = body
        self.sharedMemory = sharedMemory
    }

    /// The whole text, as NVRTC compiles it.
    package var text: String { KernelPrelude.text + body }
}

/// The blocks and threads that a kernel is started with.
package struct LaunchShape: Sendable {
    package var grid: (Int, Int)
    package var block: Int
    package var sharedMemory = 0
    /// Whether all blocks run at once, so that they may wait for one another.
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

/// A kernel's argument, laid out like a C struct: every field has 4 or 8 bytes and
/// begins at a multiple of its size.
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
    /// Appends a matrix: its address, and its strides in elements.
    package mutating func view(_ address: DeviceAddress, rowStride: Int, columnStride: Int) {
        append(address)
        append(Int64(rowStride))
        append(Int64(columnStride))
    }
}
