import RecurrentCore
import ReferenceBackend

extension FaultyBackend {
    func makeMatrixProgram(_ program: MatrixProgram, size: Int) throws -> any MatrixProgramExecutor {
        try FaultyMatrixProgram(program, size, fault, base)
    }
}

/// A matrix program with one mistake.
private final class FaultyMatrixProgram: MatrixProgramExecutor {
    private let base: any MatrixProgramExecutor
    private let fault: Fault?
    private let backend: any Backend
    private var runs = 0

    init(_ program: MatrixProgram, _ size: Int, _ fault: Fault?, _ backend: any Backend) throws {
        self.fault = fault
        self.backend = backend
        base = try backend.makeMatrixProgram(
            MatrixProgram(
                inputCount: program.inputCount, outputCount: program.outputCount, scratchCount: program.scratchCount,
                scalarCount: program.scalarCount, steps: program.steps.map { Self.change($0, fault) }), size: size)
    }

    private static func change(_ step: MatrixStep, _ fault: Fault?) -> MatrixStep {
        func changed(_ steps: [MatrixStep]) -> [MatrixStep] { steps.map { change($0, fault) } }
        switch (step, fault) {
        case (.product(let alpha, let a, let b, let beta, _, let result), .matrixAddendForgotten):
            return .product(alpha: alpha, a: a, b: b, beta: beta, addend: nil, result: result)
        case (.pointwise(let program, let inputs, let scalars, let outputs), .matrixTransposesIgnored):
            let plain = inputs.map { $0.register.map { .register($0) } ?? $0 }
            return .pointwise(program, inputs: plain, scalars: scalars, outputs: outputs)
        case (.branch(let condition, let then, let otherwise), .matrixBranchesSwapped):
            return .branch(condition, then: otherwise, otherwise: then)
        case (.loop(let most, let condition, let body), .matrixLoopsOnceMore):
            return .loop(atMost: most + 1, while: condition, changed(body))
        case (.exchange(let a, _), .matrixExchangesNothing): return .exchange(a, a)
        case (.norm(_, let result), .matrixNormOfZero):
            return .scalars(PointwiseProgram(inputs: 0) { _, _ in [0] }, inputs: [], outputs: [result])
        case (.requireFinite(let scalar, _), .matrixForgetsItsMessage): return .requireFinite(scalar, message: "")
        case (.branch(let condition, let then, let otherwise), _):
            return .branch(condition, then: changed(then), otherwise: changed(otherwise))
        case (.loop(let most, let condition, let body), _): return .loop(atMost: most, while: condition, changed(body))
        default: return step
        }
    }

    func run(inputs: [MatrixView], outputs: [MatrixView]) throws {
        do {
            try base.run(inputs: inputs, outputs: outputs)
        } catch  where fault == .matrixHidesNaN {}
        runs += 1
        // As if a counter had continued from where the previous run left it.
        if fault == .matrixKeepsScalars, runs > 1 { backend.fill(outputs[0], with: Double(runs)) }
    }
}
