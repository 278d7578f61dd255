import CPUKernels
import Foundation
import RecurrentCore

/// Floats on the heap, aligned for vectors and followed by padding that vector
/// loads may read.
///
/// Unchecked because a backend's calls are made one after the other; within a call,
/// threads write disjoint parts.
final class CPUMemory: Memory, @unchecked Sendable {
    let base: UnsafeMutablePointer<Float>
    let count: Int
    var hostAddress: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(base) }

    /// Allocates `count` floats, filled with zeros.
    /// - Throws: ``RecurrentError/device(_:)`` if there isn't enough memory.
    init(_ count: Int) throws {
        let length = count + Int(CK_PADDING)
        var pointer: UnsafeMutableRawPointer?
        guard posix_memalign(&pointer, 64, length * MemoryLayout<Float>.stride) == 0, let pointer else {
            throw RecurrentError.device(
                "out of memory: \((length * 4) >> 20) MiB were requested; choose a smaller `batchSize` or `hiddenSize`, shorter sequences or fewer tokens"
            )
        }
        base = pointer.bindMemory(to: Float.self, capacity: length)
        base.initialize(repeating: 0, count: length)
        self.count = count
    }
    deinit { free(base) }
}

final class CPUIndices: IndexMemory, @unchecked Sendable {
    var values: [Int32]
    var count: Int { values.count }
    init(_ values: [Int32]) { self.values = values }
}

extension MatrixView {
    var pointer: UnsafeMutablePointer<Float> { (memory as! CPUMemory).base + offset }
    /// The view as the C code expects it; `step` is the distance between two time steps, in floats.
    func kernelView(step: Int = 0) -> ck_view {
        ck_view(base: pointer, row: Int64(rowStride), column: Int64(columnStride), step: Int64(step))
    }
}

/// Working memory that grows as needed.
final class Workspace {
    private var memory: CPUMemory?
    func pointer(_ count: Int) throws -> UnsafeMutablePointer<Float> {
        if memory == nil || memory!.count < count { memory = try CPUMemory(count) }
        return memory!.base
    }
}
