import CUDABackend
import ManifoldUpdates
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// Matrix programs as one kernel, run on the emulated device.
struct MatrixProgramTests {
    /// Returns a skew matrix with ‖B‖₂ of about `norm`, exact in Float.
    static func skew(_ n: Int, norm: Double) -> [Double] {
        var random = RandomStream(RandomKey(seed: 1, purpose: .test, stream: n))
        var values = [Double](repeating: 0, count: n * n)
        for i in 0..<n {
            for j in 0..<i {
                values[i * n + j] = Double(Float(norm / (2 * Double(n).squareRoot()) * random.normal()))
                values[j * n + i] = -values[i * n + j]
            }
        }
        return values
    }

    static func exponential(_ values: [Double], _ n: Int, on backend: any Backend) throws -> [Double] {
        // Like a weight among others: with an offset, and gaps between rows.
        let memory = try backend.makeMatrix(
            [Double](repeating: 7, count: n * (n + 3) + 1), rows: 1, columns: n * (n + 3) + 1
        ).memory
        let weight = MatrixView(memory, offset: 1, rows: n, columns: n, rowStride: n + 3)
        let exponential = try SkewExponential(size: n, on: backend)
        try exponential(try backend.makeMatrix(values, rows: n, columns: n), into: weight)
        let all: [Double] = backend.download(MatrixView(memory, rows: 1, columns: memory.count))
        #expect(
            (0..<all.count).allSatisfy { $0 > 0 && ($0 - 1) % (n + 3) < n || all[$0] == 7 },
            "a write outside the result")
        return (0..<n * n).map { all[1 + $0 / n * (n + 3) + $0 % n] }
    }

    static func deviation(_ w: [Double], _ n: Int) -> Double {
        var largest = 0.0
        for i in 0..<n {
            for j in 0...i {
                let product = (0..<n).reduce(i == j ? -1.0 : 0.0) { $0 + w[$1 * n + i] * w[$1 * n + j] }
                largest = max(largest, product.isFinite ? product.magnitude : .infinity)
            }
        }
        return largest
    }

    /// Sizes for all sizes of tiles, in one block and in several, with one warp and with two.
    @Test(arguments: [1, 2, 3, 17, 33, 50, 64, 100]) func theExponentialAgreesWithReference(size n: Int) throws {
        let devices = [(32, 1), (64, 5)].map { EmulatedDevice(blockSize: $0, processors: $1) }
        for norm in [0, 1e-3, 0.5, 1.1, 3, 30, 1e3] {
            let values = Self.skew(n, norm: norm), expected = try Self.exponential(values, n, on: ReferenceBackend())
            for device in devices {
                let backend = CUDABackend(driver: device), w = try Self.exponential(values, n, on: backend)
                let error = DeviceChecks.largestDifference(w, expected)
                #expect(error <= 1e-6 * (10 + norm), "n \(n), ‖B‖ \(norm): \(error)")
                #expect(Self.deviation(w, n) <= 1e-5, "n \(n), ‖B‖ \(norm)")
                #expect(try Self.exponential(values, n, on: backend) == w, "n \(n), ‖B‖ \(norm): other bits")
            }
        }
        #expect(devices.allSatisfy { $0.kernelNames.contains("matrix_program") })
    }

    /// Huge B, which are scaled before the sixth power is taken.
    @Test func hugeParametersStayOrthogonal() throws {
        for norm in [1e5, 1e12] {
            let w = try Self.exponential(Self.skew(17, norm: norm), 17, on: CUDABackend(driver: EmulatedDevice()))
            #expect(Self.deviation(w, 17) <= 1e-5, "\(norm)")
        }
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, 1e30]) func whatIsNotFiniteStaysVisible(value: Double) throws {
        let backend = CUDABackend(driver: EmulatedDevice())
        for n in [3, 50] {
            var values = Self.skew(n, norm: 1)
            values[1] = value
            #expect(try Self.exponential(values, n, on: backend).allSatisfy(\.isNaN))
            // The barrier's counter is in order for the next run.
            #expect(try Self.deviation(Self.exponential(Self.skew(n, norm: 1), n, on: backend), n) <= 1e-5)
        }
    }

    /// Shared memory in which the operands don't fit at once, or not at all, and a matrix that is
    /// too large: the last two run as separate calls.
    @Test func littleSharedMemory() throws {
        for bytes in [20_000, 12_000] {
            let device = EmulatedDevice(sharedMemory: bytes)
            try checkBackend(
                CUDABackend(driver: device), against: ReferenceBackend(), parts: [.matrixPrograms], tolerance: 1e-5)
            #expect(device.kernelNames.contains("matrix_program"))
        }
        let geometry = try #require(MatrixGeometry(size: 200, processors: 132, shared: 20_000, blockSize: 256))
        #expect(geometry.pieces > 1 && geometry.sharedMemory <= 20_000)
        let device = EmulatedDevice(sharedMemory: 1000)
        let w = try Self.exponential(Self.skew(17, norm: 3), 17, on: CUDABackend(driver: device))
        #expect(Self.deviation(w, 17) <= 1e-5)
        #expect(!device.kernelNames.contains("matrix_program"))
        let tracing = TracingDevice(), large = CUDABackend(driver: tracing), n = MatrixGeometry.mostSize + 1
        let exponential = try SkewExponential(size: n, on: large)
        try exponential(try large.allocate(rows: n, columns: n), into: try large.allocate(rows: n, columns: n))
        let calls = tracing.takeTrace()
        #expect(calls.contains(.product(m: n, n: n, k: n)) && !calls.contains { "\($0)".contains("matrix_program") })
    }

    @Test func geometryFollowsTheChip() throws {
        func geometry(_ n: Int, processors: Int = 132) -> MatrixGeometry? {
            MatrixGeometry(size: n, processors: processors, shared: 227 << 10, blockSize: 256)
        }
        let small = try #require(geometry(50)), middle = try #require(geometry(200)),
            large = try #require(geometry(512))
        #expect(small.blocks == 8 && small.tileRows == 16 && small.piece == 8 && small.pitch == 12)
        #expect(middle.blocks == 91 && middle.tileRows == 16 && middle.piece == 28 && middle.pitch == 28)
        #expect(large.blocks == 128 && large.tileRows == 64 && large.pieces == 1 && large.sharedMemory <= 227 << 10)
        #expect(try #require(geometry(16)).blocks == 1)
        for n in 1...512 {
            for processors in [1, 84, 108, 132] {
                let found = try #require(geometry(n, processors: processors))
                #expect(found.blocks <= processors && found.warps * found.pieces * found.piece >= n)
                #expect(found.tilesDown * found.tileRows >= n && found.tilesAcross * 32 >= n && found.pitch % 8 == 4)
            }
        }
    }

    /// There is no product, no norm on the host and no wait.
    @Test(arguments: [50, 200, 512]) func theExponentialIsOneLaunch(size: Int) throws {
        let device = TracingDevice(), backend = CUDABackend(driver: device)
        let exponential = try SkewExponential(size: size, on: backend)
        let skew = try backend.allocate(rows: size, columns: size),
            weight = try backend.allocate(rows: size, columns: size)
        _ = device.takeTrace()
        try exponential(skew, into: weight)
        let calls = device.takeTrace()
        #expect(calls.count == 1 && calls[0].isLaunch, "\(calls)")
    }
}
