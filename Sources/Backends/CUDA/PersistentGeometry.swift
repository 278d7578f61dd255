/// How a persistent loop is mapped onto a GPU.
///
/// A block takes `rows` rows of the batch through all T steps by itself: rows don't
/// depend on one another, so blocks never wait for each other. A block keeps as much of
/// the recurrent weights as fits in its registers (256 KiB) and in shared memory (227 KiB
/// on an H100, 163 on an A100) and reads the rest from the L2 cache in each step.
///
/// A thread has 4, 8, 12 or 16 columns of a weight and a slice of its rows; each row of a
/// thread is in registers, in shared memory or in the L2. Rows from the L2 go through a
/// ring of registers: each is requested once the row before it in the ring has been used,
/// and the first rows of a step are requested in the step before.
///
/// The cycles of a product [rows, L] · [L, J]: shared memory delivers 128 bytes per cycle, for
/// the weights and for the operand, of which a thread reads four numbers for four rows; the L2
/// delivers some 40 to one block when all blocks read, with a latency of some 700 cycles, so
/// that 28 KB must be in flight; and there are 128 multiply–adds per cycle. A weight in a
/// register costs nothing more. Added to this are about 150 cycles for a product's barriers and
/// sums and 350 for a kernel, which waits only for its own loads. With one row per block:
///
/// | | weights | registers | shared memory | L2 | cycles per step | at 1.7 GHz |
/// | --- | ---: | ---: | ---: | ---: | ---: | ---: |
/// | GRU, H 50 | 30 kB | all | | | 630 | 0.4 µs |
/// | RNN, H 200 | 160 kB | all | | | 920 | 0.5 µs |
/// | GRU, H 200 | 480 kB | 27 % | 44 % | 29 % | 4130 | 2.4 µs |
/// | its backward loop | 480 kB | 33 % | 47 % | 20 % | 3370 | 2.0 µs |
///
/// A separate product and a separate kernel, started from a graph, take some 4 µs and 2.5 µs.
package struct PersistentGeometry: Sendable, Equatable {
    /// The inner and outer size of a product in the loop.
    package struct Product: Sendable, Equatable {
        package let inner: Int, outer: Int
        package init(inner: Int, outer: Int) {
            self.inner = inner
            self.outer = outer
        }
    }

    /// A pointwise program in the loop: its columns, and how many numbers each element
    /// loads from the device's memory.
    package struct Kernel: Sendable, Equatable {
        package let columns: Int, loads: Int
        package init(columns: Int, loads: Int) {
            self.columns = columns
            self.loads = loads
        }
    }

    /// Where a product's weight is kept. Its inner rows are distributed in fours over slices,
    /// each of which has its own threads. Of a slice's rows the first come from the L2, the
    /// next are in shared memory, and the last are in registers.
    package struct Layout: Sendable, Equatable {
        /// The number of threads of a slice.
        package let lanes: Int
        package let slices: Int
        /// The fours of rows in a slice; slices from `long` on have one less.
        package let fours: Int, long: Int
        package fileprivate(set) var inRegisters = 0, inSharedMemory = 0
        package var rows: Int { 4 * fours }
        /// The rows that are read from the L2 in each step.
        package var streamed: Int { rows - inRegisters - inSharedMemory }
        package var threads: Int { lanes * slices }

        fileprivate init(_ product: Product, width: Int, threads: Int) {
            lanes = (product.outer + 4 * width - 1) / (4 * width)
            let all = (product.inner + 3) / 4
            slices = min(threads / lanes, all)
            fours = slices > 0 ? (all + slices - 1) / slices : 0
            long = slices > 0 ? all - slices * (fours - 1) : 0
        }
    }

    /// The rows of the batch that each block takes.
    package let rows: Int
    package let blocks: Int
    package let threads: Int
    /// The columns of a thread, in fours.
    package let width: Int
    /// The rows of a thread that are in flight from the L2; 0 if all weights stay.
    package let depth: Int
    /// The layout of each product's weight.
    package let layouts: [Layout]
    /// For each kernel, how many of a thread's elements are loaded a step ahead.
    package let ahead: [Int]
    /// A block's shared memory, in bytes.
    package let sharedMemory: Int
    /// The expected cycles of a step.
    package let cycles: Int
    /// The expected cycles before the first step: a launch, and loading the weights that stay.
    package let cyclesBefore: Int
    /// The expected cycles of a step as separate products and kernels.
    private let cyclesApart: Int

    /// Returns whether the loop is expected to beat separate products and kernels.
    package func isFast(steps: Int) -> Bool { cyclesBefore + steps * cycles <= steps * cyclesApart }

    /// The limits of a device and its blocks.
    package struct Limits: Sendable {
        /// The number of the device's processors.
        package var processors: Int
        /// The bytes of shared memory, registers, and threads (a multiple of 32) that a block may have.
        package var shared: Int, registers: Int, threads: Int
        package init(processors: Int, shared: Int, registers: Int, threads: Int) {
            (self.processors, self.shared, self.registers, self.threads) = (processors, shared, registers, threads)
        }
    }

    /// The most rows of a block; more would take too many registers.
    static let mostRows = 8

    /// Creates the cheapest geometry over all numbers of threads, widths and depths, or returns
    /// nil if not even the operands fit.
    ///
    /// - Parameters:
    ///   - batch: The number of rows in the batch.
    ///   - products: The products, in the order of the step.
    ///   - kernels: The kernels, in the order of the step.
    ///   - staged: The floats of shared memory for each row of the batch.
    ///   - constant: The floats of shared memory that don't depend on the batch.
    ///   - limits: The device's limits.
    package init?(
        batch: Int, products: [Product], kernels: [Kernel], staged: Int, constant: Int, limits: Limits
    ) {
        let rows = (batch + limits.processors - 1) / max(limits.processors, 1)
        guard batch > 0, rows <= Self.mostRows else { return nil }
        var best: PersistentGeometry?
        for threads in stride(from: 32, through: limits.threads, by: 32) {
            for width in 1...4 where width == 1 || width * rows <= 8 {
                for ahead in [1, 2, 4] {
                    for resident in (0...products.count).reversed() {
                        for depth in resident == products.count ? [0] : [2, 4, 8] {
                            let candidate = PersistentGeometry(
                                batch: batch, rows: rows, products: products, kernels: kernels, threads: threads,
                                width: width, ahead: ahead, resident: resident, depth: depth,
                                free: limits.shared / 4 - rows * staged - constant, limits: limits)
                            if let candidate, candidate.cycles < best?.cycles ?? .max { best = candidate }
                        }
                    }
                }
            }
        }
        guard let best else { return nil }
        self = best
    }

    /// Creates one candidate, or returns nil if it doesn't fit.
    ///
    /// `ahead` is the most elements of a thread that are loaded a step ahead, `resident` the
    /// number of products whose whole weight stays in registers and shared memory, and `free`
    /// the floats of shared memory that the operands leave.
    private init?(
        batch: Int, rows: Int, products: [Product], kernels: [Kernel], threads: Int, width: Int, ahead: Int,
        resident: Int,
        depth: Int, free: Int, limits: Limits
    ) {
        self.rows = rows
        (self.threads, self.width, self.depth) = (threads, width, depth)
        blocks = (batch + rows - 1) / rows
        var layouts = products.map { Layout($0, width: width, threads: threads) }
        guard layouts.allSatisfy({ $0.slices > 0 }) else { return nil }
        let elements = kernels.map { (rows * $0.columns + threads - 1) / threads }
        self.ahead = elements.map { min($0, max(ahead / max(kernels.count, 1), 1)) }

        // Registers for sums, operands and weights' addresses; for elements loaded ahead and their
        // indices; and for the rings.
        var registers = Self.registers(threads: threads, limits) - Self.usedRegisters - 4 * width * rows
        registers -= (rows > 2 ? 16 * width + 16 : 8 * rows - 4) + 16 * products.count
        registers -= zip(kernels, self.ahead).reduce(0) { $0 + ($1.0.loads + 8) * $1.1 }
        registers -= 4 * width * depth * (products.count - resident)
        // Shared memory for the sums of all slices and rows.
        var left = free - zip(products, layouts).reduce(0) { $0 + $1.1.slices * rows * $1.1.lanes * 4 * width }
        guard registers >= 0, left >= 0 else { return nil }

        var cycles = 0
        for (index, product) in products.enumerated() {
            var layout = layouts[index]
            let row = layout.threads * 4 * width, unit = max(depth, 4)
            layout.inRegisters = min(registers / (4 * width), layout.rows)
            layout.inSharedMemory = min(left / row, layout.rows - layout.inRegisters)
            if layout.streamed > 0 {
                // Streamed rows are whole turns of the ring, of rows that all slices have.
                let streamed = (layout.streamed + unit - 1) / unit * unit
                guard index >= resident, streamed <= layout.rows - (layout.long < layout.slices ? 4 : 0) else {
                    return nil
                }
                layout.inSharedMemory = min(layout.inSharedMemory, layout.rows - streamed)
                layout.inRegisters = layout.rows - streamed - layout.inSharedMemory
            }
            registers -= 4 * width * layout.inRegisters
            left -= layout.inSharedMemory * row
            layouts[index] = layout
            cycles += Self.cycles(layout, product, rows: rows, width: width, depth: depth)
        }
        for (elements, ahead) in zip(elements, self.ahead) {
            cycles += 350 + 60 * (elements - 1) + 500 * (elements - ahead)
        }
        self.layouts = layouts
        self.cycles = cycles
        sharedMemory = limits.shared / 4 * 4 - 4 * left
        let staying = layouts.reduce(0) { $0 + $1.threads * 16 * width * ($1.inRegisters + $1.inSharedMemory) }
        cyclesBefore = 3000 + staying / 40
        cyclesApart = 1700 * 4 * products.count + 4250 * kernels.count
    }

    /// The registers of a thread that addresses and temporary values take.
    private static let usedRegisters = 18

    /// Returns the registers that each thread may have: a processor has four parts, each with its
    /// share of warps and registers.
    private static func registers(threads: Int, _ limits: Limits) -> Int {
        min(limits.registers / ((threads + 127) / 128 * 128) / 8 * 8, 248)
    }

    private static func cycles(_ layout: Layout, _ product: Product, rows: Int, width: Int, depth: Int) -> Int {
        let warps = (layout.threads + 31) / 32
        // A warp's read or write of four floats per lane takes four cycles.
        let weights = 4 * warps * width * layout.inSharedMemory, operands = 4 * warps * rows * layout.fours
        let sums = 2 * 4 * warps * rows * width
        // The part with the most warps takes longest for its additions.
        let additions = (warps + 3) / 4 * rows * 4 * width * layout.rows
        // Data arrives after 700 cycles, and at most 40 bytes per cycle.
        let bytes = layout.threads * 16 * width
        let fromL2 = layout.streamed == 0 ? 0 : max(bytes * layout.streamed / 40, 700 * layout.streamed / depth)
        // A sum's additions wait for one another.
        return max(weights + operands + sums, fromL2, additions, 4 * layout.rows) + 150 + 10 * layout.slices
    }
}
