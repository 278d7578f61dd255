/// How a persistent loop is laid over a GPU.
///
/// A block takes `rows` rows of the batch through all T steps by itself: rows don't
/// depend on one another, so that blocks never wait for each other. It keeps as much of
/// the recurrent weights as fits in its registers (256 KiB) and in shared memory (227 KiB
/// on an H100, 163 on an A100) and reads the rest from the L2 cache in each step.
///
/// Cycles of a step, for products [rows, L] · [L, J]: shared memory gives 128 bytes a
/// cycle, the L2 some 40 to one block when all read, and there are 128 multiply–adds a
/// cycle; a weight in a register costs nothing more. To which come about 900 cycles for
/// every operation of the step, whose operands make their way through the L2, and its
/// barriers. One row a block:
///
/// | | weights | registers | shared memory | L2 | cycles a step | at 1.7 GHz |
/// | --- | ---: | ---: | ---: | ---: | ---: | ---: |
/// | GRU, H 50 | 30 kB | all | | | 65 + 1800 | 1.1 µs |
/// | RNN, H 200 | 160 kB | 84 % | 16 % | | 650 + 1800 | 1.4 µs |
/// | GRU, H 200 | 480 kB | 26 % | 48 % | 26 % | 3120 + 1800 | 2.9 µs |
/// | its backward loop | 480 kB | 28 % | 47 % | 25 % | 3140 + 1800 | 2.9 µs |
///
/// A product and a kernel of their own, started from a graph, take some 4 µs and 2.5 µs.
package struct PersistentGeometry: Sendable, Equatable {
    /// A product in the loop: inner and outer size.
    package struct Product: Sendable, Equatable {
        package let inner: Int, outer: Int
        package init(inner: Int, outer: Int) {
            self.inner = inner
            self.outer = outer
        }
    }

    /// Where a product's weight lies. Its inner rows are cut into slices, each summed by
    /// threads of its own; the first rows of a slice are in registers, the next in shared
    /// memory.
    package struct Layout: Sendable, Equatable {
        /// Threads of a slice, one for each column; nil if there are more columns than
        /// threads: then it is one slice, and a thread goes through several columns.
        package let lanes: Int?
        package let slices: Int
        /// Rows of a slice. Here and below in fours; the last slice may reach past the end.
        package let rows: Int
        package fileprivate(set) var inRegisters = 0, inSharedMemory = 0
        /// What is read from the L2 in each step.
        package var streamed: Int { rows - inRegisters - inSharedMemory }

        fileprivate init(_ product: Product, most: Int) {
            let lanes = (product.outer + 31) / 32 * 32
            self.lanes = lanes <= most ? lanes : nil
            slices = max(min(PersistentGeometry.wanted(most) / lanes, product.inner * 16 / most), 1)
            rows = ((product.inner + slices - 1) / slices + 3) / 4 * 4
        }
    }

    /// Of the batch, for each block.
    package let rows: Int
    package let blocks: Int
    package let threads: Int
    /// Of each product.
    package let layouts: [Layout]
    /// Floats of one staged row of an operand: the longest.
    package let stagedRow: Int
    /// Floats for the sums of all slices but the first.
    package let partialSums: Int
    /// In bytes.
    package let sharedMemory: Int
    /// Whether it is expected to beat products and kernels of their own.
    package let isFast: Bool

    /// More rows need more registers than are worth it.
    static let mostRows = 8
    /// Enough threads to hide latencies; more would leave each too few registers.
    private static func wanted(_ most: Int) -> Int { most * 5 / 8 }

    /// - Parameters:
    ///   - batch: rows in all.
    ///   - products: in the order of the step.
    ///   - kernels: columns of each pointwise program.
    ///   - processors: of the device.
    ///   - shared: bytes of shared memory that a block may have.
    ///   - registers: of a block.
    ///   - most: threads of a block at most; a multiple of 32.
    /// - Returns: nil if not even the operands fit.
    package init?(
        batch: Int, products: [Product], kernels: [Int], processors: Int, shared: Int, registers: Int, most: Int
    ) {
        let rows = (batch + processors - 1) / max(processors, 1)
        guard batch > 0, rows <= Self.mostRows else { return nil }
        self.rows = rows
        blocks = (batch + rows - 1) / rows
        var layouts = products.map { Layout($0, most: most) }
        let widest = layouts.map { ($0.lanes ?? most) * $0.slices }.max() ?? 32
        let elements = min((kernels.max() ?? 0) * rows, Self.wanted(most))
        threads = max(widest, (elements + 31) / 32 * 32)
        stagedRow = layouts.map { $0.slices * $0.rows }.max() ?? 0
        partialSums = zip(products, layouts).map { ($1.slices - 1) * rows * $0.outer }.max() ?? 0

        // A processor has four parts, each with its share of warps and registers. Sums,
        // operands and addresses take some of a thread's.
        var free = min(registers / ((threads + 127) / 128 * 128) / 8 * 8, 255) - 34 - 8 * rows
        var left = shared / 4 - rows * stagedRow - partialSums
        guard left >= 0 else { return nil }
        var cycles = 900 * (products.count + kernels.count)
        for (index, product) in products.enumerated() {
            var layout = layouts[index]
            if layout.lanes != nil {
                layout.inRegisters = min(max(free, 0) / 4 * 4, layout.rows)
                free -= layout.inRegisters
            }
            let row = layout.slices * product.outer
            layout.inSharedMemory = min(left / row / 4 * 4, layout.rows - layout.inRegisters)
            left -= layout.inSharedMemory * row
            layouts[index] = layout
            // A thread reads each of its operand's fours, all threads of a warp the same.
            let operand = rows * layout.rows / 4 * layout.slices * ((product.outer + 31) / 32)
            cycles += max(
                4 * row * layout.inSharedMemory / 128 + operand, 4 * row * layout.streamed / 40,
                rows * product.inner * product.outer / 128)
            if layout.slices > 1 { cycles += 100 }
        }
        self.layouts = layouts
        sharedMemory = shared / 4 * 4 - 4 * left
        let apart = 1700 * (4 * products.count) + 4250 * kernels.count
        isFast = cycles <= apart
    }
}
