import RecurrentCore
import Synchronization

/// Memory of the device, which goes back to the pool with the last reference.
final class CUDAMemory: Memory, Sendable {
    let address: DeviceAddress
    let count: Int
    private let size: Int
    private let pool: CUDAPool

    init(count: Int, pool: CUDAPool) throws {
        size = CUDAPool.size(max(count, 1) * MemoryLayout<Float>.size)
        address = try pool.take(size)
        self.count = count
        self.pool = pool
    }

    deinit { pool.giveBack(address, size) }
}

/// Keeps what was freed for the next request of the same size. All work is done in
/// the order of the calls, so that memory can change hands at once.
final class CUDAPool: Sendable {
    private let driver: any DeviceDriver
    private let free = Mutex<[Int: [DeviceAddress]]>([:])

    init(_ driver: any DeviceDriver) { self.driver = driver }

    deinit { releaseAll() }

    /// Rounded up, so that a batch that is a little smaller finds the same block.
    static func size(_ bytes: Int) -> Int {
        let unit = max(512, 1 << max(Int.bitWidth - bytes.leadingZeroBitCount - 4, 0))
        return (bytes + unit - 1) / unit * unit
    }

    func take(_ size: Int) throws -> DeviceAddress {
        if let known = free.withLock({ $0[size]?.popLast() }) { return known }
        do { return try driver.allocate(bytes: size) } catch {
            // What others have left may be enough.
            driver.synchronize()
            releaseAll()
            return try driver.allocate(bytes: size)
        }
    }

    func giveBack(_ address: DeviceAddress, _ size: Int) { free.withLock { $0[size, default: []].append(address) } }

    private func releaseAll() {
        let all = free.withLock { free in
            defer { free = [:] }
            return free.values.flatMap { $0 }
        }
        for address in all { driver.release(address) }
    }
}

/// Row numbers on the device, and in which order a scatter adds the rows.
final class CUDAIndices: IndexMemory, Sendable {
    private struct Contents {
        var segments = 0
        var largest: Int32 = -1
    }

    let count: Int
    /// `count` indices, `count` positions sorted by index, where each index's
    /// positions begin (at most `count + 1` numbers), all Int32.
    let memory: CUDAMemory
    private let contents = Mutex(Contents())

    init(_ indices: [Int32], pool: CUDAPool, driver: any DeviceDriver) throws {
        count = indices.count
        memory = try CUDAMemory(count: 3 * indices.count + 1, pool: pool)
        update(indices, driver: driver)
    }

    /// How many different rows there are.
    var segments: Int { contents.withLock { $0.segments } }
    var largest: Int32 { contents.withLock { $0.largest } }
    var order: DeviceAddress { memory.address + DeviceAddress(4 * count) }
    var starts: DeviceAddress { memory.address + DeviceAddress(8 * count) }

    func update(_ indices: [Int32], driver: any DeviceDriver) {
        precondition(indices.count == count && indices.allSatisfy { $0 >= 0 })
        // Keys that sort by index, then by position.
        let keys = indices.enumerated().map { UInt64($1) << 32 | UInt64($0) }.sorted()
        var numbers = indices
        numbers.reserveCapacity(3 * count + 1)
        for key in keys { numbers.append(Int32(truncatingIfNeeded: key)) }
        var last: UInt64?
        for (position, key) in keys.enumerated() where key >> 32 != last {
            numbers.append(Int32(position))
            last = key >> 32
        }
        let segments = numbers.count - 2 * count
        numbers.append(Int32(count))
        numbers.withUnsafeBytes { driver.upload($0, to: memory.address) }
        contents.withLock { $0 = Contents(segments: segments, largest: indices.max() ?? -1) }
    }
}
