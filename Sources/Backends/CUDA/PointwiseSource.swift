import RecurrentCore

/// CUDA C for a pointwise program.
enum PointwiseSource {
    /// A kernel that runs `program` over every element.
    ///
    /// Its argument: the inputs' and outputs' views, rows and columns, the scalars, a
    /// random key. A thread reads all inputs of an element before it writes any
    /// output, so that an output may be an input.
    static func kernel(_ program: PointwiseProgram) -> KernelSource {
        var fields: [String] = []
        if program.inputCount > 0 { fields.append("View in[\(program.inputCount)];") }
        fields.append("View out[\(program.outputs.count)];")
        fields.append("uint32 rows, columns;")
        if program.scalarCount > 0 { fields.append("float scalars[\(program.scalarCount)];") }
        if program.usesRandomNumbers { fields.append("RandomKey key;") }
        let body = lines(
            program, indent: "        ",
            input: { "AT(a.in[\($0)], r, c)" }, scalar: { "a.scalars[\($0)]" },
            uniform: "op_uniform(a.key, (uint64)r * a.columns + c)", column: "(float)c")
        let writes = program.outputs.enumerated().map { "        AT(a.out[\($0)], r, c) = v\($1);" }
        return KernelSource(
            name: "pointwise",
            body: """
                typedef struct { \(fields.joined(separator: " ")) } Arguments;
                KERNEL pointwise(const Arguments a) {
                    const uint32 count = a.rows * a.columns;
                    for (uint32 i = BLOCK * THREADS + THREAD; i < count; i += BLOCKS * THREADS) {
                        const uint32 r = i / a.columns, c = i - r * a.columns;
                \(body.joined(separator: "\n"))
                \(writes.joined(separator: "\n"))
                    }
                }

                """)
    }

    /// One line per instruction, each a constant `v0`, `v1`, …
    ///
    /// - Parameters:
    ///   - input: how an input is read.
    ///   - scalar: how a run's scalar is read.
    ///   - uniform: a random number.
    ///   - column: the element's column as a float.
    ///   - prefix: of the constants' names.
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

    /// Every bit of it, infinities too.
    static func constant(_ number: Double) -> String {
        "bits_to_float(0x\(String(Float(number).bitPattern, radix: 16))u)"
    }
}
