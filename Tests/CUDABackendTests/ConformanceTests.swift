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

    /// Rounded factors in the model's products, none in the manifold's.
    @Test(arguments: CUDAPrecision.allCases, ["urnn abs", "ugru tanh after"])
    func weightsStayOrthogonal(precision: CUDAPrecision, cell: String) throws {
        let backend = CUDABackend(driver: EmulatedDevice(blockSize: 32), precision: precision)
        #expect(try DeviceChecks.deviation(of: DeviceChecks.cells[cell]!(), on: backend, hidden: 10) < 1e-5)
    }
}
