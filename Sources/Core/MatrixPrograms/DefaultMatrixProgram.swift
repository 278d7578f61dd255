extension Backend {
    public func makeMatrixProgram(_ program: MatrixProgram, size: Int) throws -> any MatrixProgramExecutor {
        try DefaultMatrixProgram(program, size: size, on: self)
    }
}

/// An executor that runs a matrix program step by step through a backend's own functions:
/// it defines what a program means, and backends without a faster implementation use it.
/// The host makes the decisions, so it waits for every norm.
public final class DefaultMatrixProgram: MatrixProgramExecutor {
    /// The program that is run.
    public let program: MatrixProgram
    /// The number n of rows and columns of each matrix.
    public let size: Int
    private let backend: any Backend
    private let steps: [Step]
    private let identity: MatrixView?
    private let norm: ColumnNorm?
    /// The matrices of all registers; those given at a run are set only during that run.
    private var matrices: [MatrixView?]
    private var scalars: [Double]

    /// A step together with its kernel: for a small matrix, looking the kernel up by its
    /// program would take longer than running it.
    private indirect enum Step {
        case plain(MatrixStep)
        case pointwise(any Kernel, inputs: [MatrixOperand], scalars: [MatrixScalar], outputs: [Int])
        case branch(MatrixCondition, then: [Step], otherwise: [Step])
        case loop(atMost: Int, while: MatrixCondition, [Step])

        static func all(_ steps: [MatrixStep], _ kernels: [PointwiseProgram: any Kernel]) -> [Step] {
            steps.map { step in
                switch step {
                case .pointwise(let program, let inputs, let scalars, let outputs):
                    .pointwise(kernels[program]!, inputs: inputs, scalars: scalars, outputs: outputs)
                case .branch(let condition, let then, let otherwise):
                    .branch(condition, then: all(then, kernels), otherwise: all(otherwise, kernels))
                case .loop(let most, let condition, let body): .loop(atMost: most, while: condition, all(body, kernels))
                default: .plain(step)
                }
            }
        }
    }

    /// Compiles the program's kernels and allocates its scratch matrices, [size, size] each.
    ///
    /// - Throws: what the backend throws if there is no memory or a kernel can't be compiled.
    public init(_ program: MatrixProgram, size: Int, on backend: any Backend) throws {
        self.program = program
        self.size = size
        self.backend = backend
        var usesIdentity = false, usesNorm = false, programs: Set<PointwiseProgram> = []
        program.forEachStep { step in
            switch step {
            case .pointwise(let program, let inputs, _, _):
                programs.insert(program)
                usesIdentity = usesIdentity || inputs.contains(.identity)
            case .norm: usesNorm = true
            default: break
            }
        }
        var kernels: [PointwiseProgram: any Kernel] = [:]
        for program in programs { kernels[program] = try backend.compile(program) }
        steps = Step.all(program.steps, kernels)
        identity =
            usesIdentity
            ? try backend.makeMatrix(
                (0..<size * size).map { $0 / size == $0 % size ? Float(1) : 0 }, rows: size, columns: size) : nil
        norm = usesNorm ? try ColumnNorm(size: size, on: backend) : nil
        matrices = [MatrixView?](repeating: nil, count: program.inputCount + program.outputCount)
        for _ in 0..<program.scratchCount { matrices.append(try backend.allocate(rows: size, columns: size)) }
        scalars = [Double](repeating: 0, count: program.scalarCount)
    }

    public func run(inputs: [MatrixView], outputs: [MatrixView]) throws {
        precondition(
            inputs.count == program.inputCount && outputs.count == program.outputCount,
            "the matrix program has \(program.inputCount) inputs and \(program.outputCount) outputs")
        for (index, view) in (inputs + outputs).enumerated() {
            precondition(
                view.rows == size && view.columns == size && view.columnStride == 1, "a matrix has the wrong shape")
            matrices[index] = view
        }
        defer { for index in 0..<inputs.count + outputs.count { matrices[index] = nil } }
        for index in scalars.indices { scalars[index] = 0 }
        try run(steps)
    }

    private func matrix(_ operand: MatrixOperand) -> MatrixView {
        switch operand {
        case .register(let number, let isTransposed): isTransposed ? matrices[number]!.transposed : matrices[number]!
        case .identity: identity!
        }
    }

    private func value(_ scalar: MatrixScalar) -> Double {
        switch scalar {
        case .constant(let value): value
        case .register(let number): scalars[number]
        }
    }

    private func holds(_ condition: MatrixCondition) -> Bool {
        condition.program.withValues(input: { scalars[condition.inputs[$0]] }) { $0[condition.program.outputs[0]] != 0 }
    }

    private func run(_ steps: [Step]) throws {
        for step in steps {
            switch step {
            case .plain(let step): try run(step)
            case .pointwise(let kernel, let inputs, let numbers, let outputs):
                backend.run(
                    kernel, inputs: inputs.map { matrix($0) }, outputs: outputs.map { matrices[$0]! },
                    scalars: numbers.map { value($0) })
            case .branch(let condition, let then, let otherwise): try run(holds(condition) ? then : otherwise)
            case .loop(let most, let condition, let body):
                for _ in 0..<most {
                    guard holds(condition) else { break }
                    try run(body)
                }
            }
        }
    }

    private func run(_ step: MatrixStep) throws {
        switch step {
        case .product(let alpha, let a, let b, let beta, let addend, let result):
            let target = matrices[result]!
            if let addend, addend != result { backend.copy(matrices[addend]!, to: target) }
            backend.gemm(alpha: value(alpha), matrix(a), matrix(b), beta: addend == nil ? 0 : value(beta), target)
        case .exchange(let a, let b): matrices.swapAt(a, b)
        case .norm(let number, let result): scalars[result] = norm!(matrices[number]!)
        case .scalars(let program, let inputs, let outputs):
            program.withValues(input: { scalars[inputs[$0]] }) { values in
                for (output, value) in zip(outputs, program.outputs) { scalars[output] = values[value] }
            }
        case .requireFinite(let scalar, let message):
            guard scalars[scalar].isFinite else { throw RecurrentError.linearAlgebra(message) }
        case .pointwise, .branch, .loop: preconditionFailure("the step should have been prepared")
        }
    }
}

extension MatrixProgram {
    /// Calls `body` with every step, including those inside branches and loops.
    public func forEachStep(_ body: (MatrixStep) -> Void) {
        func visit(_ steps: [MatrixStep]) {
            for step in steps {
                body(step)
                switch step {
                case .branch(_, let then, let otherwise):
                    visit(then)
                    visit(otherwise)
                case .loop(_, _, let steps): visit(steps)
                default: break
                }
            }
        }
        visit(steps)
    }
}
