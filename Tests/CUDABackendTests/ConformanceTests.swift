import CUDABackend
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// The whole backend on the emulated device, which runs its kernels as C on the host.
struct EmulatedConformanceTests {
    @Test(arguments: BackendPart.allCases) func everyFunctionAgreesWithReference(part: BackendPart) throws {
        try checkBackend(
            CUDABackend(driver: EmulatedDevice()), against: ReferenceBackend(), parts: [part], tolerance: 1e-5)
    }

    /// The model's products have rounded factors, but not the manifold's.
    @Test(arguments: CUDAPrecision.allCases, ["urnn abs", "ugru tanh after"])
    func weightsStayOrthogonal(precision: CUDAPrecision, cell: String) throws {
        let backend = CUDABackend(driver: EmulatedDevice(blockSize: 32), precision: precision)
        #expect(try DeviceChecks.deviation(of: DeviceChecks.cells[cell]!(), on: backend, hidden: 10) < 1e-5)
    }

    /// Rows of logits that don't fit into shared memory, and rows whose column sums don't.
    @Test(arguments: [600, 750, 1 << 17]) func longRowsOfLogits(sharedMemory: Int) throws {
        try checkBackend(
            CUDABackend(driver: EmulatedDevice(blockSize: 32, sharedMemory: sharedMemory)), against: ReferenceBackend(),
            parts: [.crossEntropy], tolerance: 1e-5)
    }

    /// Blocks that each take several rows of logits, the last one fewer, and add up columns;
    /// also without room for the sums.
    @Test(arguments: [(12, nil), (13, nil), (12, 0.3), (13, 0.3)] as [(Int, Double?)], [240, 1 << 16])
    func manyRowsOfLogits(problem: (classes: Int, dropout: Double?), sharedMemory: Int) throws {
        let rows = 1030, width = 3, (classes, dropout) = problem
        func run(_ backend: any Backend) throws -> (loss: LossSums, gradients: [[Double]]) {
            var random = RandomStream(RandomKey(seed: 2, purpose: .test))
            func matrix(_ rows: Int, _ columns: Int) throws -> MatrixView {
                try backend.makeMatrix(
                    (0..<rows * columns).map { _ in random.uniform(in: -2...2) }, rows: rows, columns: columns)
            }
            let inputs = try matrix(rows, width), weight = try matrix(classes, width), bias = try matrix(1, classes)
            let gradients = ProjectionGradients(
                inputs: try matrix(rows, width), weight: try matrix(classes, width), bias: try matrix(1, classes))
            let sums = try backend.makeSoftmaxCrossEntropy(classes: classes, width: width, excludedClass: nil)(
                inputs: inputs, weight: weight, bias: bias,
                targets: (0..<rows).map { Int32($0 * 7 % (classes + 1)) - 1 },
                dropout: dropout.map { ($0, RandomKey(seed: 1, purpose: .dropout)) }, gradients: gradients)
            return (sums, [gradients.inputs, gradients.weight, gradients.bias].map { backend.download($0) })
        }
        let tested = try run(CUDABackend(driver: EmulatedDevice(blockSize: 8, sharedMemory: sharedMemory))),
            expected = try run(ReferenceBackend())
        #expect(tested.loss.correct == expected.loss.correct && tested.loss.count == expected.loss.count)
        #expect(abs(tested.loss.totalLoss - expected.loss.totalLoss) < 1e-3)
        for (ours, theirs) in zip(tested.gradients, expected.gradients) {
            #expect(DeviceChecks.largestDifference(ours, theirs) < 1e-6)
        }
    }
}
