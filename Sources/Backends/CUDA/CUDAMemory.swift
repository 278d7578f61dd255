import RecurrentCore
import Synchronization

/// Memory of the device, which is returned to the pool with the last reference.
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

/// A pool that keeps freed memory for the next request of the same size. All work is done
/// in the order of the calls, so memory can be reused at once.
final class CUDAPool: Sendable {
    private let driver: any DeviceDriver
    private let free = Mutex<[Int: [DeviceAddress]]>([:])

    init(_ driver: any DeviceDriver) { self.driver = driver }

    deinit { releaseAll() }

    /// Returns a size rounded up, so that a slightly smaller batch finds the same block.
    static func size(_ bytes: Int) -> Int {
        let unit = max(512, 1 << max(Int.bitWidth - bytes.leadingZeroBitCount - 4, 0))
        return (bytes + unit - 1) / unit * unit
    }

    func take(_ size: Int) throws -> DeviceAddress {
        if let known = free.withLock({ $0[size]?.popLast() }) { return known }
        do { return try driver.allocate(bytes: size) } catch {
            // Freeing the memory that is kept may be enough.
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

/// Row numbers on the device, and the order in which a scatter adds the rows.
final class CUDAIndices: IndexMemory, Sendable {
    private struct Contents {
        var indices: [Int32] = []
        var largest: Int32 = -1
        /// The number of distinct rows, or nil until they are sorted.
        var segments: Int?
    }

    let count: Int
    /// Three lists of Int32: `count` indices; `count` positions sorted by index; and where
    /// each index's positions begin (at most `count + 1` numbers).
    let memory: CUDAMemory
    private let contents = Mutex(Contents())

    init(_ indices: [Int32], pool: CUDAPool, driver: any DeviceDriver) throws {
        count = indices.count
        memory = try CUDAMemory(count: 3 * indices.count + 1, pool: pool)
        update(indices, driver: driver)
    }

    var largest: Int32 { contents.withLock { $0.largest } }
    var order: DeviceAddress { memory.address + DeviceAddress(4 * count) }
    var starts: DeviceAddress { memory.address + DeviceAddress(8 * count) }

    func update(_ indices: [Int32], driver: any DeviceDriver) {
        precondition(indices.count == count && indices.allSatisfy { $0 >= 0 })
        indices.withUnsafeBytes { driver.upload($0, to: memory.address) }
        contents.withLock { $0 = Contents(indices: indices, largest: indices.max() ?? -1) }
    }

    /// Determines the order for a scatter, unless that has been done. It is done this late
    /// because the device has work by then, and a gather needs no order.
    /// - Returns: The number of distinct rows.
    func sort(driver: any DeviceDriver) -> Int {
        contents.withLock { contents in
            if let known = contents.segments { return known }
            let indices = contents.indices
            var numbers = Self.positions(indices, largest: contents.largest)
            var last: Int32 = -1
            for position in 0..<count {
                let index = indices[Int(numbers[position])]
                if index != last { numbers.append(Int32(position)) }
                last = index
            }
            let segments = numbers.count - count
            numbers.append(Int32(count))
            numbers.withUnsafeBytes { driver.upload($0, to: order) }
            contents.segments = segments
            return segments
        }
    }

    /// Returns the positions sorted by index, then by position, with a radix sort of 11 bits at a time.
    static func positions(_ indices: [Int32], largest: Int32) -> [Int32] {
        var order = (0..<Int32(indices.count)).map { $0 }, next = order, shift: Int32 = 0
        // The list of where each index's positions begin is appended later.
        order.reserveCapacity(2 * indices.count + 1)
        repeat {
            var places = [Int](repeating: 0, count: 2049)
            for index in indices { places[Int(index >> shift & 2047) + 1] += 1 }
            for digit in 1...2048 { places[digit] += places[digit - 1] }
            for position in order {
                let digit = Int(indices[Int(position)] >> shift & 2047)
                next[places[digit]] = position
                places[digit] += 1
            }
            swap(&order, &next)
            shift += 11
        } while shift < 31 && largest >> shift > 0
        return order
    }
}
