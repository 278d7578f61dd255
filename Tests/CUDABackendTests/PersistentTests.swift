import CUDABackend
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// Time loops as one kernel, run on the emulated device.
struct PersistentTests {
    /// Forward, backward, different lengths; rows that don't fill the last block.
    @Test(arguments: DeviceChecks.emulatedCells) func everyCellAgreesWithReference(cell: String) throws {
        let device = EmulatedDevice(blockSize: 8)
        try checkCell(
            DeviceChecks.cells[cell]!(), on: CUDABackend(driver: device, loops: .persistent), against: ReferenceBackend(),
            inputWidth: 3, hiddenWidth: 10, steps: 9, batch: 5, tolerance: 1e-5)
        #expect(device.kernelNames.isSuperset(of: ["persistent_forward", "persistent_backward"]))
    }

    /// What a block of the emulated device has.
    struct Chip: Sendable {
        var blockSize = 8
        var sharedMemory = 227 << 10
        var registers = 65536
    }

    /// With weights that stay in registers, in shared memory, in both, in part or not
    /// at all; in slices (the widest block), and with more columns than threads.
    @Test(
        arguments: DeviceChecks.standardCells,
        [
            Chip(sharedMemory: 600, registers: 0), Chip(sharedMemory: 1200, registers: 0), Chip(sharedMemory: 2400, registers: 0),
            Chip(sharedMemory: 1200, registers: 80 * 32), Chip(registers: 76 * 32), Chip(registers: 0),
            Chip(blockSize: 16, sharedMemory: 1600, registers: 80 * 64), Chip(blockSize: 4, sharedMemory: 800),
        ])
    func weightsMayOverflow(cell: String, chip: Chip) throws {
        let device = EmulatedDevice(blockSize: chip.blockSize, sharedMemory: chip.sharedMemory, registers: chip.registers)
        try checkCell(
            DeviceChecks.cells[cell]!(), on: CUDABackend(driver: device, loops: .persistent), against: ReferenceBackend(),
            inputWidth: 3, hiddenWidth: 13, steps: 4, batch: 3, tolerance: 1e-5)
        #expect(device.kernelNames.isSuperset(of: ["persistent_forward", "persistent_backward"]))
    }

    @Test(arguments: DeviceChecks.standardCells) func trainingAgreesWithReference(cell: String) throws {
        let make = DeviceChecks.cells[cell]!, device = EmulatedDevice(blockSize: 8)
        let sizes = DeviceChecks.Sizes(layers: 2)
        let tested = try DeviceChecks.train(make(), on: CUDABackend(driver: device), sizes: sizes, updates: 3)
        let expected = try DeviceChecks.train(make(), on: ReferenceBackend(), sizes: sizes, updates: 3)
        #expect(DeviceChecks.largestDifference(tested.losses, expected.losses) <= 1e-5)
        #expect(DeviceChecks.largestDifference(tested.values, expected.values) <= 1e-3)
        // Small ones are chosen without being asked for, and nothing is recorded.
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
                batch: batch, products: [.init(inner: inner, outer: outer)], kernels: [min(inner, outer)], processors: 132,
                shared: shared, registers: 65536, most: 1024)
        }
        let rnn = try #require(geometry(200, 200, batch: 80)), cut = rnn.layouts[0]
        #expect(rnn.rows == 1 && rnn.blocks == 80 && rnn.threads == 448 && rnn.isFast)
        #expect(cut.slices == 2 && cut.rows == 100 && cut.inRegisters == 84 && cut.inSharedMemory == 16)
        // The operand, one slice's sums, the weight.
        #expect(rnn.sharedMemory == 4 * (200 + 200 + 2 * 16 * 200))
        let gru = try #require(geometry(200, 600, batch: 80)), whole = gru.layouts[0]
        #expect(gru.threads == 608 && gru.sharedMemory <= 227 << 10 && gru.isFast)
        #expect(whole.slices == 1 && whole.inRegisters == 52 && whole.inSharedMemory == 96 && whole.streamed == 52)
        let large = try #require(geometry(1024, 4096, batch: 64))
        #expect(!large.isFast && large.threads == 1024)
        #expect(geometry(50, 150, batch: 133)!.rows == 2 && geometry(50, 150, batch: 133)!.blocks == 67)
        #expect(geometry(50, 150, batch: 132 * 8 + 1) == nil)
        #expect(geometry(1000, 1000, batch: 1, shared: 3999) == nil)
    }
}
