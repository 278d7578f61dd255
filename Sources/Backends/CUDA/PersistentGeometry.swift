/// How a persistent loop is laid over a GPU.
///
/// A block takes `rows` rows of the batch through all T steps by itself: rows don't
/// depend on one another, so that blocks never wait for each other. It keeps as much of
/// the recurrent weights as fits in its registers (256 KiB) and in shared memory (227 KiB
/// on an H100, 163 on an A100) and reads the rest from the L2 cache in each step.
///
/// A thread has 4, 8, 12 or 16 columns of a weight and a slice of its rows; a row of a
/// thread is what lies in registers, in shared memory or in the L2. Rows from the L2 go
/// through a ring of registers: each is asked for once the one before it in the ring has
/// been used, the first ones of a step in the step before.
///
/// Cycles of a product [rows, L] · [L, J]: shared memory gives 128 bytes a cycle, to the
/// weights and to the operand, of which a thread reads four numbers for four rows; the L2
/// gives some 40 to one block when all read, and after some 700 cycles, so that 28 KB must
/// be on their way; and there are 128 multiply–adds a cycle. A weight in a register costs
/// nothing more. To which come about 150 cycles for a product's barriers and sums and 350
/// for a kernel, which waits for no memory but its own. One row a block:
///
/// | | weights | registers | shared memory | L2 | cycles a step | at 1.7 GHz |
/// | --- | ---: | ---: | ---: | ---: | ---: | ---: |
/// | GRU, H 50 | 30 kB | all | | | 630 | 0.4 µs |
/// | RNN, H 200 | 160 kB | all | | | 920 | 0.5 µs |
/// | GRU, H 200 | 480 kB | 27 % | 44 % | 29 % | 4130 | 2.4 µs |
/// | its backward loop | 480 kB | 33 % | 47 % | 20 % | 3370 | 2.0 µs |
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

    /// A pointwise program in the loop: its columns, and how many numbers of an element
    /// come from the device's memory.
    package struct Kernel: Sendable, Equatable {
        package let columns: Int, loads: Int
        package init(columns: Int, loads: Int) {
            self.columns = columns
            self.loads = loads
        }
    }

    /// Where a product's weight lies. Its inner rows go four by four to slices, each
    /// summed by threads of its own. Of a slice's rows the first come from the L2, the
    /// next are in shared memory, the last in registers.
    package struct Layout: Sendable, Equatable {
        /// Threads of a slice.
        package let lanes: Int
        package let slices: Int
        /// Fours of rows in a slice; in the slices from `long` on one less.
        package let fours: Int, long: Int
        package fileprivate(set) var inRegisters = 0, inSharedMemory = 0
        package var rows: Int { 4 * fours }
        /// Read from the L2 in each step.
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

    /// Of the batch, for each block.
    package let rows: Int
    package let blocks: Int
    package let threads: Int
    /// Columns of a thread, in fours.
    package let width: Int
    /// Rows of a thread that are on their way from the L2; 0 if all weights stay.
    package let depth: Int
    /// Of each product.
    package let layouts: [Layout]
    /// Of each kernel: how many of a thread's elements are loaded a step ahead.
    package let ahead: [Int]
    /// In bytes.
    package let sharedMemory: Int
    /// Expected, of a step.
    package let cycles: Int
    /// Expected, of all there is before the first step: a launch, and weights that stay.
    package let cyclesBefore: Int
    /// Expected, of a step as products and kernels of their own.
    private let cyclesApart: Int

    /// Whether it is expected to beat products and kernels of their own.
    package func isFast(steps: Int) -> Bool { cyclesBefore + steps * cycles <= steps * cyclesApart }

    /// What a block is made of.
    package struct Limits: Sendable {
        /// Of the device.
        package var processors: Int
        /// Bytes of shared memory, registers, and threads (a multiple of 32) that a block may have.
        package var shared: Int, registers: Int, threads: Int
        package init(processors: Int, shared: Int, registers: Int, threads: Int) {
            (self.processors, self.shared, self.registers, self.threads) = (processors, shared, registers, threads)
        }
    }

    /// More rows need more registers than are worth it.
    static let mostRows = 8

    /// The cheapest of all numbers of threads and widths.
    ///
    /// - Parameters:
    ///   - batch: rows in all.
    ///   - products: in the order of the step.
    ///   - kernels: likewise.
    ///   - staged: floats of shared memory for each row of the batch.
    ///   - constant: floats of shared memory besides.
    ///   - limits: of the device.
    /// - Returns: nil if not even the operands fit.
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

    /// - Parameters:
    ///   - ahead: how many of a thread's elements are loaded a step ahead, at most.
    ///   - resident: how many products' weights stay as a whole.
    ///   - free: floats of shared memory that operands leave.
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

        // Sums, operands, places of the weights; what is loaded ahead, and where; the rings.
        var registers = Self.registers(threads: threads, limits) - Self.usedRegisters - 4 * width * rows
        registers -= (rows > 2 ? 16 * width + 16 : 8 * rows - 4) + 16 * products.count
        registers -= zip(kernels, self.ahead).reduce(0) { $0 + ($1.0.loads + 8) * $1.1 }
        registers -= 4 * width * depth * (products.count - resident)
        // Sums of all slices of all rows.
        var left = free - zip(products, layouts).reduce(0) { $0 + $1.1.slices * rows * $1.1.lanes * 4 * width }
        guard registers >= 0, left >= 0 else { return nil }

        var cycles = 0
        for (index, product) in products.enumerated() {
            var layout = layouts[index]
            let row = layout.threads * 4 * width, unit = max(depth, 4)
            layout.inRegisters = min(registers / (4 * width), layout.rows)
            layout.inSharedMemory = min(left / row, layout.rows - layout.inRegisters)
            if layout.streamed > 0 {
                // Whole turns of the ring; of the rows that all slices have.
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

    /// Of a thread, for addresses and what lives briefly.
    private static let usedRegisters = 18

    /// A processor has four parts, each with its share of warps and registers.
    private static func registers(threads: Int, _ limits: Limits) -> Int {
        min(limits.registers / ((threads + 127) / 128 * 128) / 8 * 8, 248)
    }

    private static func cycles(_ layout: Layout, _ product: Product, rows: Int, width: Int, depth: Int) -> Int {
        let warps = (layout.threads + 31) / 32
        // A read or write of four floats takes a warp four cycles.
        let weights = 4 * warps * width * layout.inSharedMemory, operands = 4 * warps * rows * layout.fours
        let sums = 2 * 4 * warps * rows * width
        // Of the four parts, the one with the most warps adds for the longest.
        let additions = (warps + 3) / 4 * rows * 4 * width * layout.rows
        // What is on its way arrives after 700 cycles, and no more than 40 bytes in one.
        let bytes = layout.threads * 16 * width
        let fromL2 = layout.streamed == 0 ? 0 : max(bytes * layout.streamed / 40, 700 * layout.streamed / depth)
        // A sum's additions wait for one another.
        return max(weights + operands + sums, fromL2, additions, 4 * layout.rows) + 150 + 10 * layout.slices
    }
}
