import CUDABackend
import Foundation
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Synchronization
import Testing
import URNNCell
import VanillaRNNCell

/// The GPU of this machine, if it has one.
enum GPU {
    static let problem: String? = {
        do {
            _ = try CUDABackend()
            return nil
        } catch { return "\(error)" }
    }()

    /// Whether there is a GPU, usable or not, that isn't hidden by `CUDA_VISIBLE_DEVICES`.
    static let isThere: Bool = {
        if ["", "-1"].contains(ProcessInfo.processInfo.environment["CUDA_VISIBLE_DEVICES"]) { return false }
        let files = ["/dev/nvidia0", "/dev/nvidiactl", "/proc/driver/nvidia/version"]
        return files.contains { FileManager.default.fileExists(atPath: $0) } || CUDALibraries.deviceCount > 0
    }()
}

/// Tests that need a GPU; without one, each is reported as skipped. On a machine with a GPU
/// that can't be used, each test fails and says why.
@Suite(.enabled(if: GPU.problem == nil || GPU.isThere, "no GPU: \(GPU.problem ?? "")"), .serialized)
struct GPUTests {
    @Test(arguments: BackendPart.allCases) func everyFunctionAgreesWithReference(part: BackendPart) throws {
        try checkBackend(CUDABackend(), against: ReferenceBackend(), parts: [part], tolerance: 1e-4)
    }

    @Test(arguments: DeviceChecks.cells.keys.sorted()) func everyCellAgreesWithReference(cell: String) throws {
        try checkCell(DeviceChecks.cells[cell]!(), on: CUDABackend(), against: ReferenceBackend())
    }

    /// Persistent kernels with several rows per block, and with weights that don't fit into
    /// shared memory (H 200, GRU).
    @Test(arguments: DeviceChecks.standardCells, [50, 200]) func largeCellsAgreeWithReference(cell: String, hidden: Int)
        throws
    {
        for loops in [CUDALoops.persistent, .recorded] {
            try checkCell(
                DeviceChecks.cells[cell]!(), on: CUDABackend(driver: CUDABackend().driver, loops: loops),
                against: ReferenceBackend(), inputWidth: 13, hiddenWidth: hidden, steps: 12,
                batch: hidden == 50 ? 300 : 83,
                scale: 0.07)
        }
    }

    @Test(arguments: DeviceChecks.manifolds.indices) func manifoldUpdates(index: Int) throws {
        try checkManifoldUpdate(
            DeviceChecks.manifolds[index], on: CUDABackend(), sizes: [1, 2, 3, 17, 200],
            isExact: DeviceChecks.manifolds[index].name.hasPrefix("exact")
                || DeviceChecks.manifolds[index].name == "cayley")
    }

    /// Sizes for tiles of every size, with blocks that fill the GPU.
    @Test(arguments: [50, 200, 300, 512]) func theExponentialAgreesWithReference(size n: Int) throws {
        let backend = try CUDABackend()
        for norm in [0.3, 1, 3, 30] {
            let values = MatrixProgramTests.skew(n, norm: norm)
            let w = try MatrixProgramTests.exponential(values, n, on: backend)
            let error = DeviceChecks.largestDifference(
                w, try MatrixProgramTests.exponential(values, n, on: ReferenceBackend()))
            #expect(error <= 1e-6 * (10 + norm), "n \(n), ‖B‖ \(norm): \(error)")
            #expect(MatrixProgramTests.deviation(w, n) <= 1e-5, "n \(n), ‖B‖ \(norm)")
            for _ in 0..<20 {
                #expect(
                    try MatrixProgramTests.exponential(values, n, on: backend) == w, "n \(n), ‖B‖ \(norm): other bits")
            }
        }
    }

    @Test(arguments: DeviceChecks.standardCells, [CUDALoops.persistent, .recorded])
    func trainingAgreesWithReference(cell: String, loops: CUDALoops) throws {
        let make = DeviceChecks.cells[cell]!
        let backend = CUDABackend(driver: try CUDABackend().driver, loops: loops)
        let sizes = DeviceChecks.Sizes(vocabulary: 101, embedding: 20, hidden: 24, steps: 12, batch: 10, layers: 2)
        let tested = try DeviceChecks.train(make(), on: backend, sizes: sizes)
        let expected = try DeviceChecks.train(make(), on: ReferenceBackend(), sizes: sizes)
        #expect(DeviceChecks.largestDifference(tested.losses, expected.losses) <= 1e-4)
        #expect(DeviceChecks.largestDifference(tested.values, expected.values) <= 1e-2)
    }

    /// A host that is a batch ahead of the device gets the same bits and the same end.
    @Test(arguments: [0.1, 1e30]) func trainingReadsLossesLate(rate: Double) throws {
        let isSteady = rate < 1
        let cell: any RecurrentCell = isSteady ? URNN() : VanillaRNN()
        let late = try LateLossTests.train(cell, late: true, rate: rate, on: CUDABackend())
        let prompt = try LateLossTests.train(cell, late: false, rate: rate, on: CUDABackend())
        #expect(late.log.steps == prompt.log.steps && late.log.losses == prompt.log.losses)
        #expect(late.end == prompt.end && late.end.contains("the loss became") == !isSteady, "\(late.end)")
        // The weights of a run that diverged depend on when it ended.
        #expect(isSteady ? late.values == prompt.values : late.values.allSatisfy { $0.isFinite })
    }

    @Test(arguments: DeviceChecks.standardCells) func theSameSeedGivesTheSameBits(cell: String) throws {
        let sizes = DeviceChecks.Sizes(vocabulary: 997, embedding: 40, hidden: 50, steps: 20, batch: 30)
        let first = try DeviceChecks.train(DeviceChecks.cells[cell]!(), on: CUDABackend(), sizes: sizes)
        let second = try DeviceChecks.train(DeviceChecks.cells[cell]!(), on: CUDABackend(), sizes: sizes)
        #expect(first.losses == second.losses && first.values == second.values)
    }

    @Test func trainingOnRanksGivesTheSameBits() throws {
        let one = try DeviceChecks.trainOnRanks(1) { try CUDABackend() }
        let isSame = try DeviceChecks.trainOnRanks(2) { try CUDABackend() } == one
        #expect(isSame)
    }

    @Test(arguments: [CUDAPrecision.tf32, .bfloat16]) func roundedFactorsStayNear(precision: CUDAPrecision) throws {
        func product(_ backend: any Backend) throws -> [Double] {
            var random = RandomStream(RandomKey(seed: 1, purpose: .test))
            let n = 256
            func matrix() throws -> MatrixView {
                try backend.makeMatrix((0..<n * n).map { _ in random.uniform(in: -1...1) }, rows: n, columns: n)
            }
            let a = try matrix(), b = try matrix(), c = try backend.allocate(rows: n, columns: n)
            backend.gemm(a, b, into: c)
            return backend.download(c)
        }
        let error = DeviceChecks.largestDifference(
            try product(CUDABackend(precision: precision)), try product(ReferenceBackend()))
        // The error of rounding each factor to 10 or 7 bits, for 256 products of numbers up to 1.
        let bound = precision == .tf32 ? 0.05 : 0.4
        #expect(error > 1e-4 && error < bound, "\(error)")
    }

    @Test(arguments: CUDAPrecision.allCases, ["urnn abs", "ugru tanh after"])
    func weightsStayOrthogonal(precision: CUDAPrecision, cell: String) throws {
        let backend = try CUDABackend(precision: precision)
        #expect(try DeviceChecks.deviation(of: DeviceChecks.cells[cell]!(), on: backend, hidden: 200) < 1e-5)
    }

    @Test func aDeviceThatDoesNotExist() throws {
        #expect { try CUDABackend(device: 4096) } throws: { error in
            "\(error)".contains("there is no device 4096; there")
                && ("\(error)".hasSuffix("only device 0") || "\(error)".hasSuffix("from 0"))
        }
    }

    /// Sizes near those of the pieces that go through pinned memory, and larger than all of
    /// it; the host's memory is reused at once, and nothing waits for the device.
    @Test(arguments: [1, 1023, 1 << 19, (1 << 19) + 1, 5 << 20]) func copiesArriveWhole(count: Int) throws {
        let driver = try CUDABackend().driver
        let addresses = try (0..<4).map { _ in try driver.allocate(bytes: 4 * count) }
        defer { for address in addresses { driver.release(address) } }
        var source = [UInt32](repeating: 0, count: count)
        for (number, address) in addresses.enumerated() {
            for index in 0..<count { source[index] = UInt32(truncatingIfNeeded: index &* 4 &+ number) }
            source.withUnsafeBytes { driver.upload($0, to: address) }
        }
        let downloads = addresses.map { driver.startDownload($0, bytes: 4 * count) }
        // Later work must not affect earlier downloads.
        for address in addresses { driver.clear(address, bytes: 4 * count) }
        for (number, download) in downloads.enumerated() {
            var result = [UInt32](repeating: 0, count: count)
            result.withUnsafeMutableBytes { download.finish(into: $0) }
            #expect(result.indices.allSatisfy { result[$0] == UInt32(truncatingIfNeeded: $0 &* 4 &+ number) })
        }
        for address in addresses {
            var result = [UInt32](repeating: 1, count: count)
            result.withUnsafeMutableBytes { driver.download(address, into: $0) }
            #expect(result.allSatisfy { $0 == 0 })
        }
        #expect(driver.takeError() == nil)
    }

    /// Copies can't be part of a recording: then there is none, and no error remains.
    @Test func whatCannotBeRecordedIsNot() throws {
        let driver = try CUDABackend().driver
        let address = try driver.allocate(bytes: 4)
        defer { driver.release(address) }
        var number: UInt32 = 7
        withUnsafeBytes(of: number) { driver.upload($0, to: address) }
        let recording = try driver.record {
            driver.clear(address, bytes: 4)
            withUnsafeBytes(of: 9 as UInt32) { driver.upload($0, to: address) }
        }
        #expect(recording == nil && driver.takeError() == nil)
        withUnsafeMutableBytes(of: &number) { driver.download(address, into: $0) }
        #expect(number == 7)
        let cleared = try #require(try driver.record { driver.clear(address, bytes: 4) })
        cleared.run()
        withUnsafeMutableBytes(of: &number) { driver.download(address, into: $0) }
        #expect(number == 0 && driver.takeError() == nil)
    }

    /// Calls of another thread in the meantime aren't recorded but done.
    @Test func oneThreadRecordsWhileAnotherCopies() throws {
        let driver = try CUDABackend().driver
        let addresses = try (0..<2).map { _ in try driver.allocate(bytes: 4096) }
        defer { for address in addresses { driver.release(address) } }
        let recordings = Mutex(0), wrong = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 2) { thread in
            for round in 0..<200 {
                if thread == 0 {
                    let recording = try? driver.record { for _ in 0..<20 { driver.clear(addresses[0], bytes: 4096) } }
                    recording?.run()
                    if recording != nil { recordings.withLock { $0 += 1 } }
                } else {
                    let bytes = [UInt8](repeating: UInt8(round % 251), count: 4096)
                    bytes.withUnsafeBytes { driver.upload($0, to: addresses[1]) }
                    var result = [UInt8](repeating: 255, count: 4096)
                    result.withUnsafeMutableBytes { driver.download(addresses[1], into: $0) }
                    if result != bytes { wrong.withLock { $0 += 1 } }
                }
            }
        }
        #expect(recordings.withLock { $0 } == 200 && wrong.withLock { $0 } == 0 && driver.takeError() == nil)
    }

    /// Kernels are loaded and unloaded with their backends, even while they run.
    @Test func backendsComeAndGo() throws {
        for _ in 0..<20 {
            let backend = try CUDABackend()
            let view = try backend.allocate(rows: 100, columns: 100)
            backend.fill(view, with: 3)
            let sums = try backend.allocate(rows: 1, columns: 100)
            backend.sumColumns(view, beta: 0, into: sums)
            #expect(backend.download(sums, as: Float.self) == [Float](repeating: 300, count: 100))
            backend.fill(view, with: 1)
        }
    }

    @Test func memoryThatIsNotThere() throws {
        let backend = try CUDABackend()
        let (free, total) = backend.driver.memory()
        #expect(free > 0 && free <= total)
        #expect { _ = try backend.allocate(total / 2) } throws: { error in
            "\(error)".contains("no memory") && "\(error)".contains("smaller `batchSize`") && !"\(error)".contains("\n")
        }
        // The backend still works afterwards.
        let view = try backend.makeMatrix([1, 2, 3] as [Float], rows: 1, columns: 3)
        #expect(backend.download(view, as: Float.self) == [1, 2, 3])
    }
}
