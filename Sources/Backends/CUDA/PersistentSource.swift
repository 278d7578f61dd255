import RecurrentCore

/// CUDA C for a persistent loop.
///
/// A block reads and writes only its own rows, apart from weights, which are never
/// written. Every operation begins with a barrier, so that it sees what the operation
/// before wrote to shared memory; all threads go through the same operations and
/// barriers. A kernel's element belongs to one thread in all steps.
///
/// Shared memory holds the rows that operations pass on (slots), the sums of products'
/// slices, and weights. The slots and sums are initially zero.
struct PersistentSource {
    let program: PersistentProgram
    let geometry: PersistentGeometry
    /// For each product, whether its weight is packed and has whole fours of columns, so
    /// that four numbers are read at once.
    let isPacked: [Bool]
    private let isBackward: Bool
    /// The offsets in floats of each slot, and of the sums and the weight of each product.
    let slots: [Int], sums: [Int], weights: [Int]
    /// The floats before the weights, which are set to zero.
    private let zeros: Int
    /// The distinct strides in the kernel's argument, and each operand's index among them.
    let strides: [(row: Int, step: Int)]
    let strideOf: [Int]

    init(_ program: PersistentProgram, _ geometry: PersistentGeometry, isPacked: [Bool], isBackward: Bool) {
        self.program = program
        self.geometry = geometry
        self.isPacked = isPacked
        self.isBackward = isBackward
        var offset = 0
        func next(_ count: Int) -> Int {
            defer { offset += count }
            return offset
        }
        slots = program.slots.map { next($0.stride * ($0.isSingle ? 1 : geometry.rows)) }
        sums = geometry.layouts.map { next($0.slices * geometry.rows * geometry.outer($0)) }
        zeros = offset
        weights = geometry.layouts.map { next($0.inSharedMemory * $0.threads * 4 * geometry.width) }
        var strides: [(row: Int, step: Int)] = []
        strideOf = program.operands.map { operand in
            let wanted = (row: operand.view.rowStride, step: operand.stepStride)
            if let known = strides.firstIndex(where: { $0 == wanted }) { return known }
            strides.append(wanted)
            return strides.count - 1
        }
        self.strides = strides
    }

    /// Returns the text of element (r, c) of operand `number` in step `time`.
    func element(_ number: Int, row: String = "r", column: String = "c", time: String = "t") -> String {
        let stride = strideOf[number]
        return "a.data[\(number)][(first + \(row)) * a.row[\(stride)] + \(time) * a.step[\(stride)] + \(column)]"
    }

    /// Returns the text of element (r, c) in shared memory: what a kernel wrote plus each product's sums.
    func shared(_ value: PersistentProgram.Value, column: Int) -> String {
        var terms: [String] = []
        if let slot = value.slot { terms.append(self.slot(slot, column: column)) }
        for product in value.products {
            let layout = geometry.layouts[product], outer = geometry.outer(layout)
            let parts = (0..<layout.slices).map {
                "memory[\(sums[product] + $0 * geometry.rows * outer + column)u + r * \(outer)u + c]"
            }
            terms.append(Self.added(parts[...]))
        }
        return Self.added(terms[...])
    }
    func slot(_ number: Int, column: Int) -> String {
        let slot = program.slots[number]
        return
            "memory[\(slots[number] + column)u\(slot.isSingle || geometry.rows == 1 ? "" : " + r * \(slot.stride)u") + c]"
    }

    /// Returns a sum that is added in pairs, since a long chain of additions would wait for one another.
    private static func added(_ terms: ArraySlice<String>) -> String {
        if terms.count == 1 { return terms.first! }
        let half = terms.startIndex + (terms.count + 1) / 2
        return "(\(added(terms[..<half])) + \(added(terms[half...])))"
    }

    var source: KernelSource {
        let name = isBackward ? "persistent_backward" : "persistent_forward"
        let steps = program.steps.map { step in
            switch step {
            case .product(let number): productStep(number)
            case .kernel(let number): kernelStep(number)
            }
        }
        let weightCount = max(program.products.count, 1)
        return KernelSource(
            name: name,
            body: Self.definitions + """
                typedef struct {
                    float *data[\(program.operands.count)];
                    const float *weight[\(weightCount)];
                    uint32 row[\(strides.count)], step[\(strides.count)];
                    uint32 weight_row[\(weightCount)], weight_column[\(weightCount)];
                    uint32 batch, steps;
                } Arguments;
                KERNEL AT_MOST(\(geometry.threads)) \(name)(const Arguments a) {
                    DYNAMIC_SHARED(float, memory);
                    const uint32 first = BLOCK * \(geometry.rows)u;
                    const Four none = {0.0f, 0.0f, 0.0f, 0.0f};
                    const uint32 rows = a.batch - first < \(geometry.rows)u ? a.batch - first : \(geometry.rows)u;
                    uint32 t = \(isBackward ? "a.steps - 1u" : "0u");
                    for (uint32 i = THREAD; i < \(zeros)u; i += THREADS) memory[i] = 0.0f;
                    BARRIER();
                \(initialValues)
                \((program.products.indices.map(placeWeight) + program.products.indices.map(keepWeight)).joined(separator: "\n"))
                \(program.kernels.indices.map(loadAhead).joined(separator: "\n"))
                    for (uint32 s = 0; s < a.steps; s++) {
                        // The last step loads its own numbers again.
                        const uint32 next = s + 1u < a.steps ? \(isBackward ? "t - 1u" : "t + 1u") : t;
                \(steps.joined(separator: "\n"))
                        t = next;
                    }
                \(finalValues.isEmpty ? "" : "    BARRIER();\n\(finalValues)")
                }

                """, sharedMemory: geometry.sharedMemory)
    }

    private static let definitions = """
        DEVICE void add_row(Four *sum, float h, Four w) {
            sum->x = FMA(h, w.x, sum->x);
            sum->y = FMA(h, w.y, sum->y);
            sum->z = FMA(h, w.z, sum->z);
            sum->w = FMA(h, w.w, sum->w);
        }
        // Four columns of a row of a weight with any strides; 0 beyond its end.
        DEVICE Four weight_four(const float *data, uint32 row, uint32 column, uint32 l, uint32 c, uint32 inner, uint32 outer) {
            Four w;
            w.x = l < inner && c < outer ? data[l * row + c * column] : 0.0f;
            w.y = l < inner && c + 1u < outer ? data[l * row + (c + 1u) * column] : 0.0f;
            w.z = l < inner && c + 2u < outer ? data[l * row + (c + 2u) * column] : 0.0f;
            w.w = l < inner && c + 3u < outer ? data[l * row + (c + 3u) * column] : 0.0f;
            return w;
        }

        """

    /// Returns loops over the elements, one for all lines with the same rows and columns.
    private func loops(_ lines: [(columns: Int, hasRows: Bool, text: String)]) -> String {
        var text = ""
        for hasRows in [false, true] {
            for columns in Set(lines.map(\.columns)).sorted() {
                let here = lines.filter { $0.columns == columns && $0.hasRows == hasRows }.map {
                    "        \($0.text)\n"
                }
                if here.isEmpty { continue }
                text += """
                        for (uint32 i = THREAD; i < \(hasRows ? "rows * " : "")\(columns)u; i += THREADS) {
                            const uint32 r = i / \(columns)u, c = i - r * \(columns)u;
                    \(here.joined())    }

                    """
            }
        }
        return text
    }
    private var initialValues: String {
        loops(
            program.constants.map { operand, slot in
                (program.slots[slot].columns.count, false, "\(self.slot(slot, column: 0)) = a.data[\(operand)][c];")
            }
                + program.carried.map { carried in
                    // A value that consists only of sums begins as the first of them.
                    let product = carried.value.slot == nil ? carried.value.products[0] : 0
                    let place =
                        carried.value.slot.map { slot($0, column: 0) }
                        ?? "memory[\(sums[product])u + r * \(geometry.outer(geometry.layouts[product]))u + c]"
                    return (carried.columns, true, "\(place) = \(element(carried.operand));")
                })
    }
    private var finalValues: String {
        loops(
            program.carried.filter(\.isStored).map {
                ($0.columns, true, "\(element($0.operand)) = \(shared($0.value, column: 0));")
            })
    }
}

extension PersistentGeometry {
    /// Returns the columns of a weight, rounded up to whole threads.
    func outer(_ layout: Layout) -> Int { layout.lanes * 4 * width }
}
