import CUDABackend
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// Whole training steps on the emulated device, with time loops that are recorded and
/// replayed.
struct RecordingTests {
    @Test(arguments: DeviceChecks.standardCells + DeviceChecks.otherCells) func trainingAgreesWithReference(
        cell: String
    ) throws {
        let make = DeviceChecks.cells[cell]!, device = EmulatedDevice(blockSize: 32)
        let tested = try DeviceChecks.train(make(), on: CUDABackend(driver: device, loops: .recorded))
        let expected = try DeviceChecks.train(make(), on: ReferenceBackend())
        #expect(DeviceChecks.largestDifference(tested.losses, expected.losses) <= 1e-5)
        // The tolerance allows for Adam's division by the root of small numbers.
        #expect(DeviceChecks.largestDifference(tested.values, expected.values) <= 1e-3)
        // Of five steps the first runs call by call; the others replay forward and backward loops.
        #expect(device.recordedRuns == 8)
    }

    /// Products of blocks have no place in a persistent kernel.
    @Test func blocksAreRecorded() throws {
        let device = EmulatedDevice(blockSize: 8)
        try checkCell(
            StructuredCell(), on: CUDABackend(driver: device, loops: .persistent), against: ReferenceBackend(),
            inputWidth: 3, hiddenWidth: 10, steps: 9, batch: 5, tolerance: 1e-5)
        #expect(!device.kernelNames.contains { $0.hasPrefix("persistent") })
    }

    @Test func aDeviceThatCannotRecordGoesOnStepByStep() throws {
        let device = EmulatedDevice(blockSize: 32, canRecord: false)
        let make = DeviceChecks.cells["gru tanh after"]!
        let tested = try DeviceChecks.train(make(), on: CUDABackend(driver: device, loops: .recorded))
        let recorded = try DeviceChecks.train(
            make(), on: CUDABackend(driver: EmulatedDevice(blockSize: 32), loops: .recorded))
        #expect(device.recordedRuns == 0)
        #expect(tested.losses == recorded.losses && tested.values == recorded.values)
    }
}
