import RecurrentCore

/// CUDA C for a matrix program as one kernel.
///
/// An element belongs to the same thread in all steps, so that only data read by other
/// blocks needs a barrier: factors of products, transposed inputs and column sums. Two
/// masks, of the matrices written and of those read by other blocks since the last
/// barrier, determine when; all blocks come to the same result.
struct MatrixSource {
    /// The number of matrices that the masks have bits for; the last bit is for the column sums.
    static let mostMatrices = 31

    private let program: MatrixProgram
    private let geometry: MatrixGeometry
    /// The scratch registers whose places change.
    private let exchanged: Set<Int>
    private var lines: [String] = []
    private var depth = 1

    static func kernel(_ program: MatrixProgram, _ geometry: MatrixGeometry) -> KernelSource {
        var source = MatrixSource(program, geometry)
        source.emit(program.steps)
        return KernelSource(
            name: "matrix_program", body: MatrixRoutines.text(geometry) + source.text,
            sharedMemory: geometry.sharedMemory)
    }

    private init(_ program: MatrixProgram, _ geometry: MatrixGeometry) {
        self.program = program
        self.geometry = geometry
        var exchanged: Set<Int> = []
        program.forEachStep { if case .exchange(let a, let b) = $0 { exchanged.formUnion([a, b]) } }
        self.exchanged = exchanged
    }

    private var givenCount: Int { program.inputCount + program.outputCount }

    private var text: String {
        let places = exchanged.sorted().map { "    uint32 place\($0) = \($0 - givenCount)u;\n" }.joined()
        let scalars = (0..<program.scalarCount).map { "    float s\($0) = 0.0f;\n" }.joined()
        return """
            typedef struct { Matrix given[\(givenCount)]; float *scratch, *sums; uint32 *arrived; } Arguments;

            KERNEL AT_MOST(\(geometry.threads)) matrix_program(const Arguments a) {
                const Matrix none = {0, 0u, 0u};
                uint32 written = 0u, read = 0u;
            \(places)\(scalars)\(lines.joined(separator: "\n"))
            }

            """
    }

    // MARK: Names

    private func place(_ register: Int) -> String {
        exchanged.contains(register) ? "place\(register)" : "\(register - givenCount)u"
    }

    private func matrix(_ register: Int) -> String {
        register < givenCount ? "a.given[\(register)]" : "scratch_matrix(a.scratch, \(place(register)))"
    }
    private func matrix(_ operand: MatrixOperand) -> String {
        guard case .register(let number, let isTransposed) = operand else {
            preconditionFailure("the unit matrix as a factor")
        }
        return isTransposed ? "transposed(\(matrix(number)))" : matrix(number)
    }
    private func bits(_ registers: [Int]) -> String {
        registers.isEmpty
            ? "0u"
            : Set(registers).sorted().map { register in
                register < givenCount ? "(1u << \(register))" : "(1u << (\(givenCount)u + \(place(register))))"
            }.joined(separator: " | ")
    }
    private func value(_ scalar: MatrixScalar) -> String {
        switch scalar {
        case .constant(let number): PointwiseSource.constant(number)
        case .register(let number): "s\(number)"
        }
    }

    // MARK: Steps

    private mutating func add(_ line: String) {
        lines.append(
            line.split(separator: "\n", omittingEmptySubsequences: false).map {
                String(repeating: "    ", count: depth) + $0
            }
            .joined(separator: "\n"))
    }

    private mutating func block(_ head: String, _ body: (inout MatrixSource) -> Void) {
        add(head + " {")
        depth += 1
        body(&self)
        depth -= 1
        add("}")
    }

    private mutating func emit(_ steps: [MatrixStep]) {
        for (index, step) in steps.enumerated() {
            switch step {
            case .product(let alpha, let a, let b, let beta, let addend, let result):
                // The column sums cost little while the result is at hand.
                var isMeasured = false
                if index + 1 < steps.count, case .norm(let next, _) = steps[index + 1] { isMeasured = next == result }
                add("BEFORE(\(bits([a, b].compactMap(\.register))), \(bits([result]))\(isMeasured ? " | SUMS" : ""))")
                add(
                    """
                    product(\(value(alpha)), \(matrix(a)), \(matrix(b)), \(value(beta)), \(addend.map { matrix($0) } ?? "none"), \
                    \(matrix(result)), \(isMeasured ? "a.sums" : "0"));
                    """)
            case .pointwise(let program, let inputs, let scalars, let outputs): emit(program, inputs, scalars, outputs)
            case .exchange(let a, let b):
                add("{ const uint32 p = \(place(a)); \(place(a)) = \(place(b)); \(place(b)) = p; }")
            case .norm(let number, let result):
                var isMeasured = false
                if index > 0, case .product(_, _, _, _, _, let before) = steps[index - 1] {
                    isMeasured = before == number
                }
                if !isMeasured {
                    add("BEFORE(0u, SUMS)")
                    add("sum_magnitudes(\(matrix(number)), a.sums);")
                }
                add("BEFORE(SUMS, 0u)")
                add("s\(result) = largest_sum(a.sums);")
            case .scalars(let program, let inputs, let outputs):
                block("") { source in
                    source.emitScalars(program, inputs)
                    for (output, value) in zip(outputs, program.outputs) { source.add("s\(output) = v\(value);") }
                }
            case .branch(let condition, let then, let otherwise):
                block("") { source in
                    source.emitScalars(condition.program, condition.inputs)
                    source.block("if (v\(condition.program.outputs[0]) != 0.0f)") { $0.emit(then) }
                    if !otherwise.isEmpty { source.block("else") { $0.emit(otherwise) } }
                }
            case .loop(let most, let condition, let body):
                block("for (uint32 i = 0u; i < \(most)u; i++)") { source in
                    source.emitScalars(condition.program, condition.inputs)
                    source.add("if (v\(condition.program.outputs[0]) == 0.0f) break;")
                    source.emit(body)
                }
            case .requireFinite(let scalar, _):
                let outputs = Array(program.inputCount..<givenCount)
                block("if (!(fabsf(s\(scalar)) <= LARGEST))") { source in
                    source.add("BEFORE(0u, \(source.bits(outputs)))")
                    for output in outputs { source.add("fill_with_nan(\(source.matrix(output)));") }
                    source.add("return;")
                }
            }
        }
    }

    /// Emits a program over scalars as constants `v0`, `v1`, ….
    private mutating func emitScalars(_ program: PointwiseProgram, _ inputs: [Int]) {
        let text = PointwiseSource.lines(
            program, indent: "", input: { "s\(inputs[$0])" },
            scalar: { _ in preconditionFailure("a run's scalar in a program of scalars") }, uniform: "", column: "0.0f")
        for line in text { add(line) }
    }

    /// Emits a pointwise program over every thread's elements; all inputs are read before the first
    /// output is written.
    private mutating func emit(
        _ program: PointwiseProgram, _ inputs: [MatrixOperand], _ scalars: [MatrixScalar], _ outputs: [Int]
    ) {
        let turned = inputs.compactMap { operand in
            if case .register(let number, true) = operand { number } else { nil }
        }
        add("BEFORE(\(bits(turned)), \(bits(outputs)))")
        block("") { source in
            for (index, input) in inputs.enumerated() {
                if let number = input.register { source.add("const Matrix in\(index) = \(source.matrix(number));") }
            }
            for (index, output) in outputs.enumerated() {
                source.add("const Matrix out\(index) = \(source.matrix(output));")
            }
            let together = min(source.geometry.elements, 4)
            source.block("FOR_EACH_TILE") { source in
                source.block("for (uint32 e = 0u; e < \(source.geometry.elements)u; e += \(together)u)") { source in
                    for e in 0..<together {
                        source.add(
                            "const uint32 r\(e) = FIRST_ROW + THREAD / 32u + \(source.geometry.warps)u * (e + \(e)u);")
                        source.add("const int is\(e) = r\(e) < SIZE && COLUMN < SIZE;")
                        for (index, input) in inputs.enumerated() {
                            let value: String =
                                switch input {
                                case .identity: "r\(e) == COLUMN ? 1.0f : 0.0f"
                                case .register(_, false):
                                    "FROM_L2(in\(index).data + (is\(e) ? r\(e) * in\(index).stride + COLUMN : 0u))"
                                case .register(_, true):
                                    "FROM_L2(in\(index).data + (is\(e) ? COLUMN * in\(index).stride + r\(e) : 0u))"
                                }
                            source.add("const float x\(e)_\(index) = \(value);")
                        }
                    }
                    for e in 0..<together {
                        let text = PointwiseSource.lines(
                            program, indent: "", input: { "x\(e)_\($0)" }, scalar: { source.value(scalars[$0]) },
                            uniform: "",
                            column: "(float)COLUMN", prefix: "v\(e)_")
                        for line in text { source.add(line) }
                    }
                    for e in 0..<together {
                        for (index, value) in program.outputs.enumerated() {
                            source.add(
                                "if (is\(e)) out\(index).data[r\(e) * out\(index).stride + COLUMN] = v\(e)_\(value);")
                        }
                    }
                }
            }
        }
    }
}
