import CUDABackend
import Foundation
import RecurrentCore
import Testing

/// Too little memory, and kernels that are kept on disk.
struct MemoryTests {
    @Test func memoryIsUsedAgain() throws {
        let device = EmulatedDevice(capacity: 1 << 20), backend = CUDABackend(driver: device)
        let before = device.memory().free
        for _ in 0..<100 { _ = try backend.allocate(10_000) }
        #expect(before - device.memory().free < 100_000)
    }

    @Test func whatOthersLeftMakesRoom() throws {
        let backend = CUDABackend(driver: EmulatedDevice(capacity: 1 << 20))
        _ = try backend.allocate(150_000)
        // A block of another size, which doesn't fit beside the first.
        let view = try backend.makeMatrix([Float](repeating: 1, count: 200_000), rows: 1, columns: 200_000)
        #expect(throws: RecurrentError.self) { try backend.allocate(150_000) }
        #expect(backend.download(view, as: Float.self).allSatisfy { $0 == 1 })
    }

    /// Column sums borrow memory and can't throw.
    @Test func whatCannotThrowIsReportedLater() throws {
        let backend = CUDABackend(driver: EmulatedDevice(capacity: 854_016))
        let source = try backend.allocate(rows: 1000, columns: 200), sums = try backend.allocate(rows: 1, columns: 200)
        backend.sumColumns(source, beta: 0, into: sums)
        #expect(throws: RecurrentError.self) { try backend.allocate(1) }
        _ = try backend.allocate(1)
    }

    @Test func aDamagedKernelOnDiskIsNotUsed() throws {
        let folder = NSTemporaryDirectory() + "urnn-kernels-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let cache = KernelCache(folder: folder, architecture: "sm_90", compiler: 13000)
        let image = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        #expect(cache.image(of: "kernel") == nil)
        cache.keep(image, of: "kernel")
        #expect(cache.image(of: "kernel") == image)
        #expect(KernelCache(folder: folder, architecture: "sm_90", compiler: 13000).image(of: "kernel") == image)
        #expect(KernelCache(folder: folder, architecture: "sm_80", compiler: 13000).image(of: "kernel") == nil)
        #expect(KernelCache(folder: folder, architecture: "compute_90", compiler: 13000).image(of: "kernel") == nil)
        #expect(KernelCache(folder: folder, architecture: "sm_90", compiler: 12090).image(of: "kernel") == nil)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(names.count == 1)
        let path = "\(folder)/\(names[0])", whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for position in [0, 20, 500, whole.count - 1] {
            var damaged = whole
            damaged[position] ^= 1
            try damaged.write(to: URL(fileURLWithPath: path))
            #expect(cache.image(of: "kernel") == nil, "byte \(position)")
        }
        try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: path))
        #expect(cache.image(of: "kernel") == nil)
        // After it is compiled again, it is kept again.
        cache.keep(image, of: "kernel")
        #expect(cache.image(of: "kernel") == image)
        // A folder that can't be created isn't an error.
        KernelCache(folder: "/dev/null/kernels", architecture: "sm_90", compiler: 1).keep(image, of: "kernel")
    }
}
