import RecurrentCore

/// CUDA C of a persistent loop.
///
/// A block reads and writes its own rows only, apart from weights, which nobody
/// writes. Within a block every operation begins with a barrier, so that it sees
/// what the operation before wrote, in shared memory and in the device's; a product
/// has a second one, between copying its operand's rows into shared memory and
/// reading them, and a third, before the sums of slices are added. All threads go
/// through the same operations and barriers.
///
/// Shared memory holds the operand's rows, the slices' sums, and weights.
struct PersistentSource {
    private let geometry: PersistentGeometry
    private let isBackward: Bool
    private var loading: [String] = []
    private var steps: [String] = []
    private var products = 0
    /// In floats: of the slices' sums, and of the next weight.
    private let firstPartial: Int
    private var offset: Int

    init(_ geometry: PersistentGeometry, isBackward: Bool) {
        self.geometry = geometry
        self.isBackward = isBackward
        // The operand's rows come first: there they are aligned to 16 bytes.
        firstPartial = geometry.rows * geometry.stagedRow
        offset = firstPartial + geometry.partialSums
    }

    private func element(_ operand: Int, row: String, column: String) -> String {
        "a.o[\(operand)].data[(long long)(first + \(row)) * a.o[\(operand)].row + t * a.o[\(operand)].step + \(column)]"
    }

    /// `result ← operand · weight (+ result)`. A thread has a column of a slice of the
    /// weight for all rows, in four sums that are added in pairs; then the slices' sums
    /// are added in order.
    mutating func addProduct(a: Int, weight: Int, result: Int, inner: Int, outer: Int, accumulate: Bool) {
        let number = products, layout = geometry.layouts[number], rows = 0..<geometry.rows, stride = geometry.stagedRow
        let (slice, inRegisters, inShared) = (layout.rows, layout.inRegisters, layout.inSharedMemory)
        let reachesPast = layout.slices * slice > inner
        products += 1

        // Row `l` of slice `g`, which may not be there.
        func element(_ l: String) -> String {
            let value = "a.o[\(weight)].data[(g * \(slice)u + \(l)) * \(outer)u + c]"
            return reachesPast ? "(g * \(slice)u + \(l) < \(inner)u ? \(value) : 0.0f)" : value
        }
        let place = layout.lanes.map { "const uint32 g = THREAD / \($0)u, c = THREAD - g * \($0)u;" }
        let isMine = "g < \(layout.slices)u && c < \(outer)u"
        if inRegisters > 0 {
            loading.append("""
                    float kept\(number)[\(inRegisters)];
                    {
                        \(place!)
                        _Pragma("unroll")
                        for (uint32 l = 0; l < \(inRegisters)u; l++) kept\(number)[l] = \(isMine) ? \(element("l")) : 0.0f;
                    }
                """)
        }
        if inShared > 0 {
            loading.append("""
                    for (uint32 i = THREAD; i < \(layout.slices * inShared * outer)u; i += THREADS) {
                        const uint32 r = i / \(outer)u, c = i - r * \(outer)u, g = r / \(inShared)u, l = \(inRegisters)u + r - g * \(inShared)u;
                        memory[\(offset)u + i] = \(element("l"));
                    }
                """)
        }

        // Four rows of the weight, from `l` on, with the operand's.
        func four(_ l: String, _ w: [String], indent: String) -> String {
            rows.map { r in
                """
                \(indent)const Four h\(r) = *(const Four *)(operand + \(r * stride)u + \(l));
                \(indent)s\(r)0 = FMA(h\(r).x, \(w[0]), s\(r)0); s\(r)1 = FMA(h\(r).y, \(w[1]), s\(r)1);
                \(indent)s\(r)2 = FMA(h\(r).z, \(w[2]), s\(r)2); s\(r)3 = FMA(h\(r).w, \(w[3]), s\(r)3);
                """
            }.joined(separator: "\n")
        }
        func sharedFours(_ range: String) -> String {
            let loads = (0..<4).map { "w\($0) = shared[(4u * q + \($0)u) * \(outer)u]" }.joined(separator: ", ")
            return """
                            _Pragma("unroll 4")
                            for (uint32 q = \(range); q++) {
                                const float \(loads);
                \(four("\(inRegisters)u + 4u * q", ["w0", "w1", "w2", "w3"], indent: String(repeating: " ", count: 20)))
                            }

                """
        }
        let streamed = layout.streamed / 4, each = streamed > 0 ? inShared / 4 / streamed : 0
        var terms = ""
        if streamed > 0 {
            // The L2 takes long: what is in shared memory is summed meanwhile.
            let first = inRegisters + inShared
            let loads = (0..<4).map { "v\($0) = \(element("l + \($0)u"))" }.joined(separator: ", ")
            terms += """
                            _Pragma("unroll \(each > 0 ? 2 : 4)")
                            for (uint32 i = 0; i < \(streamed)u; i++) {
                                const uint32 l = \(first)u + 4u * i;
                                const float \(loads);
                \(each > 0 ? sharedFours("\(each)u * i; q < \(each)u * (i + 1u)") : "")                {
                \(four("l", ["v0", "v1", "v2", "v3"], indent: String(repeating: " ", count: 20)))
                                }
                            }

                """
        }
        if each * streamed < inShared / 4 { terms += sharedFours("\(each * streamed)u; q < \(inShared / 4)u") }
        if inRegisters > 0 {
            terms += """
                            _Pragma("unroll")
                            for (uint32 l = 0; l < \(inRegisters)u; l += 4u) {
                \(four("l", (0..<4).map { "kept\(number)[l + \($0)u]" }, indent: String(repeating: " ", count: 20)))
                            }

                """
        }
        let sums = "float \(rows.flatMap { r in (0..<4).map { "s\(r)\($0) = 0.0f" } }.joined(separator: ", "));"
        let pointers = """
                        const float *const operand = memory + g * \(slice)u, *const shared = memory + \(offset)u + g * \(inShared * outer)u + c;
            """
        func sum(_ r: Int) -> String { "(s\(r)0 + s\(r)1) + (s\(r)2 + s\(r)3)" }
        func partial(_ g: String, _ r: Int) -> String { "memory[\(firstPartial)u + ((\(g) - 1u) * \(rows.count)u + \(r)u) * \(outer)u + c]" }
        func write(indent: String) -> String {
            rows.map { r in
                let others = (1..<layout.slices).map { " + " + partial("\($0)u", r) }.joined()
                return "\(indent)if (\(r)u < rows) \(self.element(result, row: "\(r)u", column: "c")) \(accumulate ? "+=" : "=") \(sum(r))\(others);"
            }.joined(separator: "\n")
        }
        let columns = layout.lanes == nil
            ? """
                        for (uint32 c = THREAD; c < \(outer)u; c += THREADS) {
                            const uint32 g = 0u;
                            \(sums)
                \(pointers)
                \(terms)\(write(indent: String(repeating: " ", count: 16)))
                        }
                """
            : """
                        \(place!)
                        \(sums)
                        if (\(isMine)) {
                \(pointers)
                \(terms)\(layout.slices > 1 ? "                if (g > 0u) { \(rows.map { "\(partial("g", $0)) = \(sum($0));" }.joined(separator: " ")) }\n" : "")            }
                \(layout.slices > 1 ? "            BARRIER();\n" : "")            if (\(layout.slices > 1 ? "g == 0u && c < \(outer)u" : isMine)) {
                \(write(indent: String(repeating: " ", count: 16)))
                            }
                """
        steps.append("""
                    {
                        BARRIER();
                        for (uint32 i = THREAD; i < \(rows.count * stride)u; i += THREADS) {
                            const uint32 r = i / \(stride)u, l = i - r * \(stride)u;
                            memory[i] = r < rows && l < \(inner)u ? \(self.element(a, row: "r", column: "l")) : 0.0f;
                        }
                        BARRIER();
            \(columns)
                    }
            """)
        offset += layout.slices * inShared * outer
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
