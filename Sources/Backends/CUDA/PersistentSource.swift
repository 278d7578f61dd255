import RecurrentCore

/// CUDA C of a persistent loop.
///
/// A block reads and writes its own rows only, apart from weights, which nobody
/// writes. Within a block every operation begins with a barrier, so that it sees
/// what the operation before wrote, in shared memory and in the device's; a product
/// has a second one, between copying its operand's rows into shared memory and
/// reading them. All threads go through the same operations and barriers.
struct PersistentSource {
    private let geometry: PersistentGeometry
    private let isBackward: Bool
    private var loading: [String] = []
    private var steps: [String] = []
    private var products = 0
    /// Of the next resident weight, in floats.
    private var offset: Int

    init(_ geometry: PersistentGeometry, isBackward: Bool) {
        self.geometry = geometry
        self.isBackward = isBackward
        // The operand's rows come first: there they are aligned to 16 bytes.
        offset = geometry.rows * geometry.stagedRow
    }

    private func element(_ operand: Int, row: String, column: String) -> String {
        "a.o[\(operand)].data[(long long)(first + \(row)) * a.o[\(operand)].row + t * a.o[\(operand)].step + \(column)]"
    }

    /// `result ← operand · weight (+ result)`; each thread has a column for all rows, in
    /// four sums that are added in pairs.
    mutating func addProduct(a: Int, weight: Int, result: Int, inner: Int, outer: Int, accumulate: Bool) {
        let kept = geometry.resident[products], rows = 0..<geometry.rows, stride = geometry.stagedRow
        products += 1
        loading.append("""
                for (uint32 i = THREAD; i < \(kept * outer)u; i += THREADS) memory[\(offset)u + i] = a.o[\(weight)].data[i];
            """)
        func terms(_ range: Range<Int>, _ memory: String) -> String {
            guard !range.isEmpty else { return "" }
            let whole = range.lowerBound + range.count / 4 * 4
            let loads = (0..<4).map { "w\($0) = \(memory)[(l + \($0)u) * \(outer)u + c]" }.joined(separator: ", ")
            let four = rows.map { r in
                """
                                const Four h\(r) = *(const Four *)(memory + \(r * stride)u + l);
                                s\(r)0 = FMA(h\(r).x, w0, s\(r)0); s\(r)1 = FMA(h\(r).y, w1, s\(r)1);
                                s\(r)2 = FMA(h\(r).z, w2, s\(r)2); s\(r)3 = FMA(h\(r).w, w3, s\(r)3);
                """
            }.joined(separator: "\n")
            let one = rows.map { "s\($0)0 = FMA(memory[\($0 * stride)u + l], w0, s\($0)0);" }.joined(separator: " ")
            return """
                            _Pragma("unroll 4")
                            for (uint32 l = \(range.lowerBound)u; l < \(whole)u; l += 4u) {
                                const float \(loads);
                \(four)
                            }
                            for (uint32 l = \(whole)u; l < \(range.upperBound)u; l++) {
                                const float w0 = \(memory)[l * \(outer)u + c];
                                \(one)
                            }

                """
        }
        let write = rows.map { r in
            """
                            if (\(r)u < rows) \(element(result, row: "\(r)u", column: "c")) \(accumulate ? "+=" : "=") (s\(r)0 + s\(r)1) + (s\(r)2 + s\(r)3);
            """
        }.joined(separator: "\n")
        steps.append("""
                    BARRIER();
                    for (uint32 i = THREAD; i < \(geometry.rows * stride)u; i += THREADS) {
                        const uint32 r = i / \(stride)u, l = i - r * \(stride)u;
                        memory[i] = r < rows && l < \(inner)u ? \(element(a, row: "r", column: "l")) : 0.0f;
                    }
                    BARRIER();
                    for (uint32 c = THREAD; c < \(outer)u; c += THREADS) {
                        const float *const weight = a.o[\(weight)].data, *const kept = memory + \(offset)u;
                        float \(rows.flatMap { r in (0..<4).map { "s\(r)\($0) = 0.0f" } }.joined(separator: ", "));
            \(terms(0..<kept, "kept"))\(terms(kept..<inner, "weight"))\(write)
                    }
            """)
        offset += kept * outer
    }

    mutating func addKernel(
        _ program: PointwiseProgram, columns: Int, inputs: [(operand: Int, columnStride: Int)], outputs: [Int]
    ) {
        let lines = PointwiseSource.lines(
            program, indent: "            ",
            input: { element(inputs[$0].operand, row: "r", column: inputs[$0].columnStride == 0 ? "0" : "c") },
            scalar: { _ in preconditionFailure("a scalar in a recurrence") }, uniform: "", column: "(float)c")
        let writes = zip(outputs, program.outputs).map { "            \(element($0, row: "r", column: "c")) = v\($1);" }
        steps.append("""
                    BARRIER();
                    for (uint32 i = THREAD; i < rows * \(columns)u; i += THREADS) {
                        const uint32 r = i / \(columns)u, c = i - r * \(columns)u;
            \((lines + writes).joined(separator: "\n"))
                    }
            """)
    }

    func source(operands: Int) -> KernelSource {
        KernelSource(
            name: isBackward ? "persistent_backward" : "persistent_forward",
            body: """
                #ifdef HOST_EMULATION
                typedef struct { float x, y, z, w; } Four;
                #define FMA(a, b, c) ((a) * (b) + (c))
                #define AT_MOST(threads)
                #else
                typedef float4 Four;
                #define FMA(a, b, c) fmaf(a, b, c)
                #define AT_MOST(threads) __launch_bounds__(threads)
                #endif
                typedef struct { float *data; long long row, step; } Operand;
                typedef struct { Operand o[\(operands)]; uint32 batch, steps; } Arguments;
                KERNEL AT_MOST(\(geometry.threads)) persistent_\(isBackward ? "backward" : "forward")(const Arguments a) {
                    DYNAMIC_SHARED(float, memory);
                    const uint32 first = BLOCK * \(geometry.rows)u;
                    const uint32 rows = a.batch - first < \(geometry.rows)u ? a.batch - first : \(geometry.rows)u;
                \(loading.joined(separator: "\n"))
                    for (uint32 s = 0; s < a.steps; s++) {
                        const long long t = \(isBackward ? "a.steps - 1u - s" : "s");
                \(steps.joined(separator: "\n"))
                    }
                }

                """, sharedMemory: geometry.sharedMemory)
    }
}
