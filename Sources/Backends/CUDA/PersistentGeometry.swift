/// How a persistent loop is laid over a GPU.
///
/// A block takes `rows` rows of the batch through all T steps by itself: rows don't
/// depend on one another, so that blocks never wait for each other. It keeps as much of
/// the recurrent weights in shared memory as fits (227 KiB on an H100, 163 on an A100)
/// and reads the rest from the L2 cache in each step.
///
/// Cycles of a step, for products [rows, L] · [L, J] with R rows a block: shared memory
/// gives 128 bytes a cycle, the L2 some 48 to one block when all read, and there are 128
/// multiply–adds a cycle; to which come about 900 cycles for every operation of the step,
/// whose operands make their way through the L2, and its barriers.
///
/// | | weights | on chip | cycles a step | at 1.7 GHz |
/// | --- | ---: | ---: | ---: | ---: |
/// | GRU, H 50 | 30 kB | all | 235 + 1800 | 1.2 µs |
/// | RNN, H 200 | 160 kB | all | 1250 + 1800 | 1.8 µs |
/// | GRU, H 200 | 480 kB | 48 % | 1816 + 5180 + 1800 | 5.2 µs |
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

    /// Of the batch, for each block.
    package let rows: Int
    package let blocks: Int
    package let threads: Int
    /// Of each product's weight, how many of the `inner` rows stay in shared memory.
    package let resident: [Int]
    /// Floats of one staged row of an operand: the longest, in fours.
    package let stagedRow: Int
    /// In bytes.
    package let sharedMemory: Int
    /// Whether it is expected to beat products and kernels of their own.
    package let isFast: Bool

    /// More rows need more registers than are worth it.
    static let mostRows = 8

    /// - Parameters:
    ///   - batch: rows in all.
    ///   - products: in the order of the step.
    ///   - kernels: columns of each pointwise program.
    ///   - processors: of the device.
    ///   - shared: bytes of shared memory that a block may have.
    ///   - most: threads of a block at most; a multiple of 32.
    /// - Returns: nil if not even the operands fit.
    package init?(batch: Int, products: [Product], kernels: [Int], processors: Int, shared: Int, most: Int) {
        rows = (batch + processors - 1) / max(processors, 1)
        guard batch > 0, rows <= Self.mostRows else { return nil }
        blocks = (batch + rows - 1) / rows
        let widest = max(products.map(\.outer).max() ?? 0, (kernels.max() ?? 0) * rows)
        threads = min(max((widest + 31) / 32 * 32, 32), most)
        stagedRow = ((products.map(\.inner).max() ?? 0) + 3) / 4 * 4
        var left = shared / 4 - rows * stagedRow
        guard left >= 0 else { return nil }
        var resident: [Int] = []
        for product in products {
            let fitting = left / product.outer
            // All of it, or rows in fours.
            let kept = fitting >= product.inner ? product.inner : fitting / 4 * 4
            resident.append(kept)
            left -= kept * product.outer
        }
        self.resident = resident
        sharedMemory = shared / 4 * 4 - 4 * left

        var cycles = 900 * (products.count + kernels.count)
        for (product, kept) in zip(products, resident) {
            let memory = 4 * product.outer * kept / 128 + 4 * product.outer * (product.inner - kept) / 48
            cycles += max(memory, rows * product.inner * product.outer / 128)
        }
        let apart = 1700 * (4 * products.count) + 4250 * kernels.count
        isFast = cycles <= apart
    }
}
