import RecurrentCore

/// Softmax cross-entropy, one chunk of rows at a time: a product for the logits, a kernel
/// that replaces the logits by their gradient, and products for the other gradients. The
/// losses are copied to the host afterwards; nothing waits for them here.
final class CUDASoftmaxCrossEntropy: SoftmaxCrossEntropy {
    private let backend: CUDABackend
    private let classes: Int
    private let excludedClass: Int?
    /// Whether a row fits into shared memory, and whether the column sums fit beside it.
    private let staysInside: (row: Bool, sums: Bool)
    private var logits: CUDAMemory?
    private var targets: CUDAMemory?
    /// For each row, its loss and 1 if its prediction is correct, else 0.
    private var verdicts: CUDAMemory?
    /// The column sums of each block of rows.
    private var sums: CUDAMemory?
    /// The largest loss of a row.
    private var largest: CUDAMemory?

    /// The approximate number of logits that exist at once: 128 MiB.
    private static let chunkElements = 1 << 25

    init(classes: Int, excludedClass: Int?, on backend: CUDABackend) throws {
        self.classes = classes
        self.excludedClass = excludedClass
        self.backend = backend
        let limit = backend.driver.sharedMemory, threads = Self.threads(backend.driver)
        func fits(sums: Bool) -> Bool {
            SoftmaxKernels.sharedMemory(columns: classes, sums: sums, threads: threads) <= limit
        }
        staysInside = (fits(sums: false), fits(sums: true))
    }

    private struct Variant: Hashable { let isPacked: Bool, drops: Bool }
    private var functions: [Variant: any DeviceFunction] = [:]

    private func function(_ variant: Variant) throws -> any DeviceFunction {
        if let known = functions[variant] { return known }
        let made = try backend.function(
            staysInside.row
                ? SoftmaxKernels.rows(
                    isPacked: variant.isPacked, drops: variant.drops, sharedMemory: backend.driver.sharedMemory)
                : SoftmaxKernels.longRows)
        functions[variant] = made
        return made
    }

    private static func threads(_ driver: any DeviceDriver) -> Int { min(2 * driver.blockSize, 1024) }

    /// Returns the number of rows whose columns a block sums, one row after the other: few
    /// enough that all processors have work. The shapes alone decide.
    private func rowsOfABlock(_ rows: Int) -> Int {
        staysInside.sums ? min(max(rows / 256, 1), SoftmaxKernels.mostRows) : 1
    }

    private func reserve(_ memory: inout CUDAMemory?, _ count: Int) throws -> CUDAMemory {
        if memory == nil || memory!.count < count { memory = try CUDAMemory(count: count, pool: backend.pool) }
        return memory!
    }

    func callAsFunction(
        inputs: MatrixView, weight: MatrixView, bias: MatrixView, targets: [Int32],
        dropout: (rate: Double, key: RandomKey)?, gradients: ProjectionGradients?
    ) throws -> LossSums {
        try start(
            inputs: inputs, weight: weight, bias: bias, targets: targets, dropout: dropout, gradients: gradients
        ).sums()
    }

    func start(
        inputs: MatrixView, weight: MatrixView, bias: MatrixView, targets: [Int32],
        dropout: (rate: Double, key: RandomKey)?, gradients: ProjectionGradients?
    ) throws -> PendingLoss {
        let rows = inputs.rows, driver = backend.driver
        precondition(targets.count == rows && weight.rows == classes && targets.allSatisfy { Int($0) < classes })
        precondition(bias.columns == classes && bias.columnStride == 1)
        guard rows > 0 else { return PendingLoss(LossSums()) }
        let none = LossSums(over: targets, excludedClass: excludedClass)
        let targetMemory = try reserve(&self.targets, rows), verdictMemory = try reserve(&verdicts, 2 * rows)
        targets.withUnsafeBytes { driver.upload($0, to: targetMemory.address) }
        let chunk = min(max(1, Self.chunkElements / classes), rows)
        let memory = try reserve(&logits, chunk * classes)
        let isPacked = classes % 4 == 0 && bias.address % 16 == 0
        let function = try function(Variant(isPacked: isPacked, drops: dropout != nil))
        for start in stride(from: 0, to: rows, by: chunk) {
            let range = start..<min(start + chunk, rows), input = inputs.rows(range)
            let x = MatrixView(memory, rows: range.count, columns: classes)
            backend.gemm(input, weight.transposed, into: x)
            let each = gradients == nil ? 1 : rowsOfABlock(range.count), blocks = (range.count + each - 1) / each
            let sums =
                each > 1 ? MatrixView(try reserve(&self.sums, blocks * classes), rows: blocks, columns: classes) : nil
            let threads = Self.threads(driver)
            var arguments = KernelArguments()
            for address in [x.address, bias.address, targetMemory.address, verdictMemory.address, sums?.address ?? 0] {
                arguments.address(address)
            }
            for number in [start, range.count, each, classes, dropout == nil ? 0 : 1] { arguments.integer(number) }
            arguments.float(gradients == nil ? 0 : 1 / Double(max(none.count, 1)))
            arguments.float(dropout?.rate ?? 0)
            arguments.float(1 / (1 - (dropout?.rate ?? 0)))
            arguments.key(dropout?.key ?? RandomKey(seed: 0, purpose: .dropout))
            let shared =
                staysInside.row ? SoftmaxKernels.sharedMemory(columns: classes, sums: sums != nil, threads: threads) : 0
            driver.launch(
                function, LaunchShape(grid: (blocks, 1), block: threads, sharedMemory: shared), arguments: arguments)
            if let gradients {
                backend.gemm(x, weight, into: gradients.inputs.rows(range))
                backend.gemm(alpha: 1, x.transposed, input, beta: 1, gradients.weight)
                backend.sumColumns(sums ?? x, beta: 1, into: gradients.bias)
            }
        }
        var largest: MatrixView?
        if gradients != nil {
            let view = MatrixView(try reserve(&self.largest, 1), rows: 1, columns: 1)
            let losses = MatrixView(verdictMemory, rows: 1, columns: rows, rowStride: 2 * rows, columnStride: 2)
            backend.reduceRows(.maximum, losses, into: view)
            largest = view
        }
        let download = driver.startDownload(verdictMemory.address, bytes: 2 * rows * MemoryLayout<Float>.size)
        return PendingLoss(largest: largest) { [backend, excludedClass] in
            var results = [Float](repeating: 0, count: 2 * rows)
            results.withUnsafeMutableBytes { download.finish(into: $0) }
            if let error = backend.takeError() { throw error }
            var sums = none
            for row in 0..<rows {
                sums.totalLoss += Double(results[2 * row])
                if results[2 * row + 1] > 0, Int(targets[row]) != excludedClass { sums.correct += 1 }
            }
            return sums
        }
    }
}
