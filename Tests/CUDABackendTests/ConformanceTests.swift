import CUDABackend
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// The whole backend on the emulated device: its kernels as host C.
struct EmulatedConformanceTests {
    @Test(arguments: BackendPart.allCases) func everyFunctionAgreesWithReference(part: BackendPart) throws {
        try checkBackend(CUDABackend(driver: EmulatedDevice()), against: ReferenceBackend(), parts: [part], tolerance: 1e-5)
    }
}
