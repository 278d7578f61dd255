import CUDABackend
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// Time loops as one kernel, run on the emulated device.
struct PersistentTests {
    /// Forward and backward loops, different lengths, and rows that don't fill the last block.
    @Test(arguments: DeviceChecks.emulatedCells) func everyCellAgreesWithReference(cell: String) throws {
        let device = EmulatedDevice(blockSize: 8)
        try checkCell(
            DeviceChecks.cells[cell]!(), on: CUDABackend(driver: device, loops: .persistent),
            against: ReferenceBackend(),
            inputWidth: 3, hiddenWidth: 10, steps: 9, batch: 5, tolerance: 1e-5)
        #expect(device.kernelNames.isSuperset(of: ["persistent_forward", "persistent_backward"]))
    }

    /// One unit and one input, at which weights have the shapes of vectors.
    @Test(arguments: DeviceChecks.standardCells + DeviceChecks.otherCells) func theSmallestSizes(cell: String) throws {
        try checkCell(
            DeviceChecks.cells[cell]!(), on: CUDABackend(driver: EmulatedDevice(blockSize: 8), loops: .persistent),
            against: ReferenceBackend(), inputWidth: 1, hiddenWidth: 1, steps: 4, batch: 3, tolerance: 1e-5)
    }

    /// The limits of a block of the emulated device.
    struct Chip: Sendable {
        var blockSize: Int
        var sharedMemory: Int
        /// The registers of a thread, for blocks of at most 128 threads.
        var registers: Int

        /// The geometry of a GRU's forward loop with 25 units and two rows per block.
        var geometry: PersistentGeometry? {
            PersistentGeometry(
                batch: 3, products: [.init(inner: 25, outer: 75)], kernels: [.init(columns: 25, loads: 3)], staged: 32,
                constant: 192,
                limits: .init(processors: 2, shared: sharedMemory, registers: 128 * registers, threads: 4 * blockSize))
        }
    }
    static let chips = [
        Chip(blockSize: 8, sharedMemory: 2500, registers: 80), Chip(blockSize: 8, sharedMemory: 3000, registers: 80),
        Chip(blockSize: 8, sharedMemory: 6500, registers: 88), Chip(blockSize: 8, sharedMemory: 4500, registers: 104),
        Chip(blockSize: 8, sharedMemory: 8000, registers: 80), Chip(blockSize: 8, sharedMemory: 1 << 17, registers: 72),
        Chip(blockSize: 16, sharedMemory: 5000, registers: 96),
        Chip(blockSize: 16, sharedMemory: 1 << 17, registers: 128),
        Chip(blockSize: 16, sharedMemory: 9000, registers: 112),
    ]

    /// Weights that stay in registers, in shared memory, in both, in part or not at all,
    /// and in slices of different lengths.
    @Test(arguments: DeviceChecks.standardCells, chips)
    func weightsMayOverflow(cell: String, chip: Chip) throws {
        let device = EmulatedDevice(
            blockSize: chip.blockSize, sharedMemory: chip.sharedMemory, registers: 128 * chip.registers)
        try checkCell(
            DeviceChecks.cells[cell]!(), on: CUDABackend(driver: device, loops: .persistent),
            against: ReferenceBackend(),
            inputWidth: 3, hiddenWidth: 25, steps: 4, batch: 3, tolerance: 1e-5)
        // The smallest chips have no room for two products, or for a GRU's backward loop.
        let hasRoom =
            cell.hasSuffix("before") ? chip.registers > 104 : chip.sharedMemory > 4000 || !cell.contains("gru")
        #expect(!hasRoom || device.kernelNames.isSuperset(of: ["persistent_forward", "persistent_backward"]))
    }

    @Test func theChipsCoverEveryLayout() throws {
        let all = try Self.chips.map { try #require($0.geometry) }, layouts = all.map { $0.layouts[0] }
        #expect(Set(all.map(\.depth)) == [0, 2, 4, 8])
        #expect(layouts.contains { $0.streamed == $0.rows })
        #expect(layouts.contains { $0.streamed > 0 && $0.inSharedMemory % 4 > 0 && $0.inRegisters > 0 })
        #expect(layouts.contains { $0.streamed > 0 && $0.long < $0.slices })
        #expect(layouts.contains { $0.inRegisters == $0.rows })
        #expect(
            zip(all, layouts).contains {
                $1.inSharedMemory / 4 >= 2 * $1.streamed / max($0.depth, 4) && $1.streamed > 0
            })
    }

    /// The weights' layouts on an H100 for the models that are trained, with one row per
    /// block and with three.
    @Test(arguments: DeviceChecks.standardCells, [2, 5]) func largeCellsAgreeWithReference(cell: String, batch: Int)
        throws
    {
        let device = EmulatedDevice(blockSize: 256)
        try checkCell(
            DeviceChecks.cells[cell]!(), on: CUDABackend(driver: device, loops: .persistent),
            against: ReferenceBackend(),
            inputWidth: 3, hiddenWidth: 200, steps: 3, batch: batch, scale: 0.07, tolerance: 1e-5)
        #expect(device.kernelNames.isSuperset(of: ["persistent_forward", "persistent_backward"]))
    }

    @Test(arguments: DeviceChecks.standardCells + DeviceChecks.otherCells) func trainingAgreesWithReference(
        cell: String
    ) throws {
        let make = DeviceChecks.cells[cell]!, device = EmulatedDevice(blockSize: 8)
        let sizes = DeviceChecks.Sizes(layers: 2)
        let tested = try DeviceChecks.train(make(), on: CUDABackend(driver: device), sizes: sizes, updates: 3)
        let expected = try DeviceChecks.train(make(), on: ReferenceBackend(), sizes: sizes, updates: 3)
        #expect(DeviceChecks.largestDifference(tested.losses, expected.losses) <= 1e-5)
        #expect(DeviceChecks.largestDifference(tested.values, expected.values) <= 1e-3)
        // Small loops are chosen automatically, and nothing is recorded.
        #expect(device.kernelNames.contains("persistent_backward") && device.recordedRuns == 0)
    }

    @Test func whatDoesNotFitIsRecorded() throws {
        let device = EmulatedDevice(blockSize: 8, sharedMemory: 16)
        _ = try DeviceChecks.train(DeviceChecks.cells["gru tanh after"]!(), on: CUDABackend(driver: device), updates: 3)
        #expect(!device.kernelNames.contains("persistent_forward") && device.recordedRuns == 4)
    }

    @Test func geometryFollowsTheChip() throws {
        func geometry(_ inner: Int, _ outer: Int, batch: Int, shared: Int = 227 << 10) -> PersistentGeometry? {
            PersistentGeometry(
                batch: batch, products: [.init(inner: inner, outer: outer)],
                kernels: [.init(columns: min(inner, outer), loads: 3)], staged: inner + 4, constant: outer,
                limits: .init(processors: 132, shared: shared, registers: 65536, threads: 1024))
        }
        let rnn = try #require(geometry(200, 200, batch: 80)), cut = rnn.layouts[0]
        #expect(rnn.rows == 1 && rnn.blocks == 80 && rnn.threads == 256 && rnn.isFast(steps: 2))
        // All weights are in registers: 25 threads side by side with 8 columns each, and 10 slices of 20 rows.
        #expect(rnn.depth == 0 && rnn.width == 2 && cut.lanes == 25 && cut.slices == 10)
        #expect(cut.rows == 20 && cut.inRegisters == 20 && cut.inSharedMemory == 0)
        // Shared memory holds the operand, the biases and the slices' sums.
        #expect(rnn.sharedMemory == 4 * (204 + 200 + 10 * 200))
        let gru = try #require(geometry(200, 600, batch: 80)), whole = gru.layouts[0]
        #expect(gru.sharedMemory <= 227 << 10 && gru.depth > 0)
        // Loading the weights takes longer than one step without them.
        #expect(gru.isFast(steps: 35) && !gru.isFast(steps: 1) && gru.cyclesBefore > 8000)
        #expect(whole.slices * whole.rows >= 200 && whole.lanes * 4 * gru.width >= 600)
        #expect(
            whole.inRegisters > 0 && whole.inSharedMemory > 0 && whole.streamed > 0 && whole.streamed < whole.rows / 3)
        // As much as fits stays in shared memory; the ring holds enough for 700 cycles.
        #expect(gru.sharedMemory + 16 * gru.width * whole.threads * 4 > 227 << 10)
        #expect(16 * gru.width * gru.depth * whole.threads >= 24_000)
        let large = try #require(geometry(1024, 4096, batch: 64))
        #expect(!large.isFast(steps: 1000))
        #expect(geometry(50, 150, batch: 133)!.rows == 2 && geometry(50, 150, batch: 133)!.blocks == 67)
        #expect(geometry(50, 150, batch: 132 * 8 + 1) == nil)
        #expect(geometry(1000, 1000, batch: 1, shared: 3999) == nil)
        #expect(geometry(50, 16 * 1024 + 1, batch: 1) == nil)
    }
}
