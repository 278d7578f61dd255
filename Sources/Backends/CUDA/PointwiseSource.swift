import RecurrentCore

/// The layout of a run's matrices.
enum PointwiseLayout: Hashable {
    /// Any strides: an element is found by its row and column.
    case strided
    /// Row by row without gaps, so that an element has the same index in all matrices and
    /// `together` elements are read at a time; the inputs in `single` are one number for all elements.
    case packed(together: Int, single: Set<Int>)

    init(inputs: [MatrixView], outputs: [MatrixView]) {
        let single = inputs.indices.filter { inputs[$0].rowStride == 0 && inputs[$0].columnStride == 0 }
        let others = inputs.indices.filter { !single.contains($0) }.map { inputs[$0] } + outputs
        guard others.allSatisfy(\.isPacked) else {
            self = .strided
            return
        }
        let isAligned = outputs[0].count % 4 == 0 && others.allSatisfy { $0.address % 16 == 0 }
        self = .packed(together: isAligned ? 4 : 1, single: Set(single))
    }
}

/// CUDA C for a pointwise program.
enum PointwiseSource {
    /// Returns a kernel that runs `program` over every element.
    ///
    /// The kernel's argument holds the inputs and outputs, as views or as addresses; the rows
    /// and columns; the scalars; and a random key. A thread reads all inputs of an element
    /// before it writes any output, so that an output may also be an input.
    static func kernel(_ program: PointwiseProgram, _ layout: PointwiseLayout) -> KernelSource {
        let isStrided = layout == .strided
        var fields: [String] = []
        if program.inputCount > 0 {
            fields.append("\(isStrided ? "View " : "const float *")in[\(program.inputCount)];")
        }
        fields.append("\(isStrided ? "View " : "float *")out[\(program.outputs.count)];")
        fields.append("uint32 rows, columns;")
        if program.scalarCount > 0 { fields.append("float scalars[\(program.scalarCount)];") }
        if program.usesRandomNumbers { fields.append("RandomKey key;") }
        let body: String =
            switch layout {
            case .strided: strided(program)
            case .packed(let together, let single): packed(program, together: together, single: single)
            }
        return KernelSource(
            name: "pointwise",
            body: """
                typedef struct { \(fields.joined(separator: " ")) } Arguments;
                KERNEL pointwise(const Arguments a) {
                    const uint32 count = a.rows * a.columns;
                \(body)
                    }
                }

                """)
    }

    private static func strided(_ program: PointwiseProgram) -> String {
        let body = lines(
            program, indent: "        ",
            input: { "AT(a.in[\($0)], r, c)" }, scalar: { "a.scalars[\($0)]" },
            uniform: "op_uniform(a.key, (uint64)r * a.columns + c)", column: "(float)c")
        let writes = program.outputs.enumerated().map { "        AT(a.out[\($0)], r, c) = v\($1);" }
        return """
                for (uint32 i = BLOCK * THREADS + THREAD; i < count; i += BLOCKS * THREADS) {
                    const uint32 r = i / a.columns, c = i - r * a.columns;
            \((body + writes).joined(separator: "\n"))
            """
    }

    private static func packed(_ program: PointwiseProgram, together: Int, single: Set<Int>) -> String {
        let inputs = 0..<program.inputCount, type = together == 4 ? "Four" : "float"
        let parts = together == 4 ? ["x", "y", "z", "w"] : [""]
        func part(_ name: String, _ part: String) -> String { part.isEmpty ? name : "\(name).\(part)" }
        var text = inputs.filter(single.contains).map { "    const float in\($0) = a.in[\($0)][0];\n" }.joined()
        text +=
            "    for (uint32 i = BLOCK * THREADS + THREAD; i < count\(together == 4 ? " / 4u" : ""); i += BLOCKS * THREADS) {\n"
        for input in inputs where !single.contains(input) {
            text += "        const \(type) in\(input) = ((const \(type) *)a.in[\(input)])[i];\n"
        }
        if program.usesRandomNumbers {
            // The random number of an element is that of its index.
            text += "        const \(type) uniform = \(together == 4 ? "op_uniforms" : "op_uniform")(a.key, i);\n"
        }
        for output in program.outputs.indices { text += "        \(type) out\(output);\n" }
        for (k, name) in parts.enumerated() {
            let number = together == 4 ? "(4u * i + \(k)u)" : "i"
            let body = lines(
                program, indent: "            ",
                input: { single.contains($0) ? "in\($0)" : part("in\($0)", name) }, scalar: { "a.scalars[\($0)]" },
                uniform: part("uniform", name), column: "(float)(\(number) % a.columns)")
            let writes = program.outputs.enumerated().map { "            \(part("out\($0)", name)) = v\($1);" }
            text += "        {\n\((body + writes).joined(separator: "\n"))\n        }\n"
        }
        return text
            + program.outputs.indices.map { "        ((\(type) *)a.out[\($0)])[i] = out\($0);" }.joined(separator: "\n")
    }

    /// Returns one line per instruction, each of which defines a constant `v0`, `v1`, ….
    ///
    /// Other texts are given: `input` and `scalar` return how an input and a run's scalar are
    /// read, `uniform` is a random number and `column` the element's column as a float;
    /// `prefix` begins the constants' names.
    static func lines(
        _ program: PointwiseProgram, indent: String, input: (Int) -> String, scalar: (Int) -> String, uniform: String,
        column: String, prefix: String = "v"
    ) -> [String] {
        program.instructions.enumerated().map { index, instruction in
            let o = instruction.operands.map { "\(prefix)\($0)" }
            let value: String =
                switch instruction.operation {
                case .input(let number): input(number)
                case .scalar(let number): scalar(number)
                case .constant(let number): constant(number)
                case .uniform: uniform
                case .columnIndex: column
                case .negate: "-\(o[0])"
                case .absolute: "fabsf(\(o[0]))"
                case .sign: "op_sign(\(o[0]))"
                case .exp: "expf(\(o[0]))"
                case .log: "logf(\(o[0]))"
                case .sqrt: "sqrtf(\(o[0]))"
                case .tanh: "tanhf(\(o[0]))"
                case .sigmoid: "op_sigmoid(\(o[0]))"
                case .sin: "op_sine(\(o[0]), 0u)"
                case .cos: "op_sine(\(o[0]), 1u)"
                case .erf: "erff(\(o[0]))"
                case .add: "\(o[0]) + \(o[1])"
                case .subtract: "\(o[0]) - \(o[1])"
                case .multiply: "\(o[0]) * \(o[1])"
                case .divide: "\(o[0]) / \(o[1])"
                case .maximum: "op_maximum(\(o[0]), \(o[1]))"
                case .minimum: "op_minimum(\(o[0]), \(o[1]))"
                case .greater: "\(o[0]) > \(o[1]) ? 1.0f : 0.0f"
                case .equal: "\(o[0]) == \(o[1]) ? 1.0f : 0.0f"
                case .select: "\(o[0]) != 0.0f ? \(o[1]) : \(o[2])"
                case .product: preconditionFailure("a product inside a pointwise program")
                }
            return "\(indent)const float \(prefix)\(index) = \(value);"
        }
    }

    /// Returns the text of a constant with exactly its bits, including infinities.
    static func constant(_ number: Double) -> String {
        "bits_to_float(0x\(String(Float(number).bitPattern, radix: 16))u)"
    }
}
