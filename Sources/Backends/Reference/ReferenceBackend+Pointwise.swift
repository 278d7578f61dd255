import RecurrentCore

extension ReferenceBackend {
    final class Compiled: Kernel {
        let program: PointwiseProgram
        init(_ program: PointwiseProgram) { self.program = program }
    }

    public func compile(_ program: PointwiseProgram) throws -> any Kernel { Compiled(program) }

    public func run(
        _ kernel: any Kernel, inputs: [MatrixView], outputs: [MatrixView], scalars: [Double], key: RandomKey?
    ) {
        let program = kernel.program
        precondition(inputs.count == program.inputCount && outputs.count == program.outputs.count)
        precondition(scalars.count == program.scalarCount)
        precondition(key != nil || !program.usesRandomNumbers, "a program with random numbers needs a key")
        guard let first = outputs.first else { return }
        for view in inputs + outputs {
            precondition(view.rows == first.rows && view.columns == first.columns, "pointwise: shapes disagree")
        }
        let sources = inputs.map(Strided.init), targets = outputs.map(Strided.init)
        // Each instruction runs over a whole piece of a row; all of the piece's
        // inputs are read before its outputs are written.
        let width = min(first.columns, 256)
        let count = program.instructions.count
        let values = UnsafeMutablePointer<Double>.allocate(capacity: max((count + 1) * width, 1))
        defer { values.deallocate() }
        let zeros = values + count * width
        zeros.initialize(repeating: 0, count: width)
        for r in 0..<first.rows {
            for start in stride(from: 0, to: first.columns, by: max(width, 1)) {
                let n = min(width, first.columns - start)
                for (index, instruction) in program.instructions.enumerated() {
                    let result = values + index * width
                    switch instruction.operation {
                    case .input(let i): for j in 0..<n { result[j] = sources[i][r, start + j] }
                    case .scalar(let i): for j in 0..<n { result[j] = scalars[i] }
                    case .columnIndex: for j in 0..<n { result[j] = Double(start + j) }
                    case .uniform:
                        for j in 0..<n {
                            result[j] = Philox.uniform(key!, index: UInt64(r * first.columns + start + j))
                        }
                    default:
                        let x = instruction.operands.map { values + $0 * width }
                        let a = x.count > 0 ? x[0] : zeros, b = x.count > 1 ? x[1] : zeros,
                            c = x.count > 2 ? x[2] : zeros
                        for j in 0..<n { result[j] = instruction.operation.evaluate(a[j], b[j], c[j]) }
                    }
                }
                for (target, index) in zip(targets, program.outputs) {
                    for j in 0..<n { target[r, start + j] = values[index * width + j] }
                }
            }
        }
    }
}
