extension PointwiseProgram {
    /// Returns the outputs for one element, computed on the host in Double.
    ///
    /// - Parameters:
    ///   - inputs: one number for each of the program's inputs.
    ///   - scalars: the values of the program's runtime scalars.
    ///   - column: the column of the element, which is the value of `columnIndex`.
    /// - Precondition: the program draws no random numbers.
    public func evaluate(_ inputs: [Double], scalars: [Double] = [], column: Int = 0) -> [Double] {
        precondition(inputs.count == inputCount && scalars.count == scalarCount && !usesRandomNumbers)
        return withValues(input: { inputs[$0] }, scalar: { scalars[$0] }, column: column) { values in
            outputs.map { values[$0] }
        }
    }

    /// Calls `body` with the results of all instructions.
    func withValues<Result>(
        input: (Int) -> Double, scalar: (Int) -> Double = { _ in 0 }, column: Int = 0,
        _ body: (UnsafeMutableBufferPointer<Double>) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: max(instructions.count, 1)) { values in
            for (index, instruction) in instructions.enumerated() {
                let operands = instruction.operands
                func x(_ number: Int) -> Double { number < operands.count ? values[operands[number]] : 0 }
                values[index] =
                    switch instruction.operation {
                    case .input(let number): input(number)
                    case .scalar(let number): scalar(number)
                    case .columnIndex: Double(column)
                    default: instruction.operation.evaluate(x(0), x(1), x(2))
                    }
            }
            return body(values)
        }
    }
}
