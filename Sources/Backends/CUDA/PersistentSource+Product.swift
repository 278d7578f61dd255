/// The products of a persistent loop.
///
/// Thread `THREAD` has slice `THREAD / lanes` and, of the weight's columns, the fours
/// `lane`, `lane + lanes`, …, so that neighbouring threads read adjacent fours.
extension PersistentSource {
    /// Returns the offset of each of a thread's fours of columns from the first, in fours.
    private func places(_ layout: PersistentGeometry.Layout) -> [Int] { (0..<geometry.width).map { $0 * layout.lanes } }

    /// Returns the text of a four of row `start + l` of the weight, `place` fours after the thread's first.
    private func four(_ number: Int, _ l: String, _ place: Int) -> String {
        let layout = geometry.layouts[number], row = geometry.width * layout.lanes
        if isPacked[number] {
            return "(\(l) < count\(number) ? FROM_L2(from\(number) + (\(l)) * \(row)u + \(place)u) : none)"
        }
        return """
            weight_four(a.weight[\(number)], a.weight_row[\(number)], a.weight_column[\(number)], start\(number) + (\(l)), \
            4u * (lane\(number) + \(place)u), start\(number) + count\(number), \(program.products[number].size.outer)u)
            """
    }

    /// Returns the text that determines the thread's rows and columns, and fills its shared memory.
    func placeWeight(_ number: Int) -> String {
        let layout = geometry.layouts[number], product = program.products[number].size, width = geometry.width
        let isUneven = layout.long < layout.slices
        let start =
            "4u * (slice\(number) * \(layout.fours)u - (slice\(number) > \(layout.long)u ? slice\(number) - \(layout.long)u : 0u))"
        let rows = "(slice\(number) < \(layout.long)u ? \(layout.rows)u : \(layout.rows - 4)u)"
        var text = """
                // Product \(number): [rows, \(product.inner)] by [\(product.inner), \(product.outer)].
                const int mine\(number) = THREAD < \(layout.threads)u;
                const uint32 slice\(number) = mine\(number) ? THREAD / \(layout.lanes)u : 0u;
                const uint32 lane\(number) = mine\(number) ? THREAD - slice\(number) * \(layout.lanes)u : 0u;
                const uint32 start\(number) = \(isUneven ? start : "slice\(number) * \(layout.rows)u");
                const uint32 past\(number) = start\(number) + \(isUneven ? rows : "\(layout.rows)u");
                const uint32 count\(number) = (past\(number) < \(product.inner)u ? past\(number) : \(product.inner)u) - start\(number);

            """
        if isPacked[number] {
            text += """
                    const Four *const from\(number) = (const Four *)a.weight[\(number)] + start\(number) * \(width * layout.lanes)u + lane\(number);

                """
        }
        if layout.inSharedMemory > 0 {
            let lines = places(layout).enumerated().map { k, place in
                "            store[(l * \(width)u + \(k)u) * \(layout.threads)u] = \(four(number, "\(layout.streamed)u + l", place));\n"
            }
            // If it were unrolled further, its loads would take registers that hold another weight.
            text += """
                    if (mine\(number)) {
                        Four *const store = (Four *)(memory + \(weights[number])u) + THREAD;
                        _Pragma("unroll \(max(8 / width, 1))")
                        for (uint32 l = 0; l < \(layout.inSharedMemory)u; l++) {
                \(lines.joined())        }
                    }

                """
        }
        return text
    }

    /// Returns the text that loads the rows kept in registers for all steps, and the ring's first rows.
    func keepWeight(_ number: Int) -> String {
        let layout = geometry.layouts[number], width = geometry.width
        var text = ""
        if layout.inRegisters > 0 {
            let lines = places(layout).enumerated().map { k, place in
                let l = "\(layout.streamed + layout.inSharedMemory)u + l"
                return "        kept\(number)[l * \(width)u + \(k)u] = \(four(number, l, place));\n"
            }
            text += """
                    Four kept\(number)[\(layout.inRegisters * width)];
                    _Pragma("unroll")
                    for (uint32 l = 0; l < \(layout.inRegisters)u; l++) {
                \(lines.joined())    }

                """
        }
        for q in 0..<(layout.streamed > 0 ? geometry.depth : 0) {
            for (k, place) in places(layout).enumerated() {
                text +=
                    "    Four ring\(number)_\(q)_\(k) = FROM_L2(from\(number) + \(q * width * layout.lanes + place)u);\n"
            }
        }
        return text
    }

    /// Returns the text of `sums of slice ← operand · weight`, for all rows of the block.
    func productStep(_ number: Int) -> String {
        let layout = geometry.layouts[number], product = program.products[number]
        let stride = program.slots[product.slot].stride
        var text = """
                    BARRIER();
                    if (mine\(number)) {
                        const float *const operand = memory + \(slots[product.slot] + product.column)u + start\(number);
                        const Four *const shared = (const Four *)(memory + \(weights[number])u) + THREAD;
                        Four \(sumNames.map { "\($0) = {0.0f, 0.0f, 0.0f, 0.0f}" }.joined(separator: ", "));

            """
        text += terms(number, stride: stride)
        for r in 0..<geometry.rows {
            let row = "(slice\(number) * \(geometry.rows)u + \(r)u) * \(geometry.outer(layout))u"
            for (k, place) in places(layout).enumerated() {
                text +=
                    "            *(Four *)(memory + \(sums[number])u + \(row) + 4u * (lane\(number) + \(place)u)) = s\(r)_\(k);\n"
            }
        }
        return text + "        }"
    }

    private var sumNames: [String] { (0..<geometry.rows).flatMap { r in (0..<geometry.width).map { "s\(r)_\($0)" } } }

    /// Returns the text of the product of the operand's four at row `l` of the slice and four rows of
    /// the weight. `weight` returns the text of four `k` of row `j`, and `after` the text after row `j`.
    private func four(
        _ l: String, stride: Int, _ weight: (_ j: Int, _ k: Int) -> String, after: (Int) -> String = { _ in "" }
    ) -> String {
        let indent = String(repeating: " ", count: 16), component = ["x", "y", "z", "w"]
        func read(_ r: Int) -> String {
            "\(indent)const Four h\(r) = *(const Four *)(operand + \(l) + \(r * stride)u);\n"
        }
        func weights(_ j: Int) -> String {
            (0..<geometry.width).map { "\(indent)const Four w\(j)_\($0) = \(weight(j, $0));\n" }.joined()
        }
        func add(_ r: Int, _ j: Int) -> String {
            indent
                + (0..<geometry.width).map { "add_row(&s\(r)_\($0), h\(r).\(component[j]), w\(j)_\($0));" }.joined(
                    separator: " ") + "\n"
        }
        let rows = 0..<geometry.rows
        if rows.count <= 2 {
            // Each row of the weight is used for all rows of the batch, so that its registers are soon free.
            return rows.map(read).joined()
                + (0..<4).map { j in weights(j) + rows.map { add($0, j) }.joined() + after(j) }.joined()
        }
        // All four rows of the weight are used for each row of the batch, so that few of the
        // batch's are in registers at a time.
        return (0..<4).map(weights).joined() + rows.map { r in read(r) + (0..<4).map { add(r, $0) }.joined() }.joined()
            + (0..<4).map(after).joined()
    }

    private func terms(_ number: Int, stride: Int) -> String {
        let layout = geometry.layouts[number], width = geometry.width, depth = geometry.depth
        let (streamed, inShared, inRegisters) = (layout.streamed, layout.inSharedMemory, layout.inRegisters)
        let row = width * layout.lanes
        // Fours of rows in shared memory; the remaining rows share a four with registers.
        let whole = inShared / 4, rest = inShared % 4
        func sharedFours(_ range: String) -> String {
            """
                        _Pragma("unroll \(max(4 / width / (geometry.rows > 2 ? 2 : 1), 1))")
                        for (uint32 q = \(range); q++) {
            \(four("\(streamed)u + 4u * q", stride: stride) { "shared[((4u * q + \($0)u) * \(width)u + \($1)u) * \(layout.threads)u]" })            }

            """
        }
        var text = "", done = 0
        if streamed > 0 {
            let unit = max(depth, 4), turns = streamed / unit
            let each = whole / turns
            done = each * turns
            text += """
                            const Four *here = from\(number);
                            _Pragma("unroll 1")
                            for (uint32 i = 0; i < \(turns)u; i++) {
                                // The last turn requests the next step's first rows.
                                const Four *const after = i + 1u < \(turns)u ? here + \(unit * row)u : from\(number);

                """
            // The L2 takes long, so rows in shared memory are summed in the meantime.
            if each > 0 { text += sharedFours("\(each)u * i; q < \(each)u * (i + 1u)") }
            for f in 0..<unit / 4 {
                text += "                {\n"
                text += four("\(unit)u * i + \(4 * f)u", stride: stride) { j, k in
                    "ring\(number)_\((4 * f + j) % depth)_\(k)"
                } after: { j in
                    let q = 4 * f + j, wanted = q + depth
                    let base = wanted < unit ? "here + \(wanted * row)u" : "after + \((wanted - unit) * row)u"
                    return String(repeating: " ", count: 16)
                        + places(layout).enumerated().map { k, place in
                            "ring\(number)_\(q % depth)_\(k) = FROM_L2(\(base) + \(place)u);"
                        }.joined(separator: " ") + "\n"
                }
                text += "                }\n"
            }
            text += "                here = after;\n            }\n"
        }
        if done < whole { text += sharedFours("\(done)u; q < \(whole)u") }
        func shared(_ m: Int, _ k: Int) -> String {
            "shared[(\(4 * whole + m)u * \(width)u + \(k)u) * \(layout.threads)u]"
        }
        let first = rest > 0 ? 4 - rest : 0
        if rest > 0 {
            text += "            {\n"
            text += four("\(streamed + 4 * whole)u", stride: stride) { j, k in
                j < rest ? shared(j, k) : "kept\(number)[\((j - rest) * width + k)]"
            }
            text += "            }\n"
        }
        if inRegisters > first {
            let kept = four("\(layout.rows - inRegisters + first)u + l", stride: stride) { j, k in
                "kept\(number)[(\(first + j)u + l) * \(width)u + \(k)u]"
            }
            text += """
                            _Pragma("unroll")
                            for (uint32 l = 0; l < \(inRegisters - first)u; l += 4u) {
                \(kept)            }

                """
        }
        return text
    }
}
