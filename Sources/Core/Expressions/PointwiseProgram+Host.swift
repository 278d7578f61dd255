extension PointwiseProgram {
    /// The outputs for one element, computed on the host in Double.
    ///
    /// - Parameters:
    ///   - inputs: one number for each of the program's inputs.
    ///   - column: what `columnIndex` gives.
    /// - Precondition: the program draws no random numbers.
    public func evaluate(_ inputs: [Double], scalars: [Double] = [], column: Int = 0) -> [Double] {
        precondition(inputs.count == inputCount && scalars.count == scalarCount && !usesRandomNumbers)
        var values: [Double] = []
        values.reserveCapacity(instructions.count)
        for instruction in instructions {
            let x = instruction.operands.map { values[$0] } + [0, 0, 0]
            switch instruction.operation {
            case .input(let index): values.append(inputs[index])
            case .scalar(let index): values.append(scalars[index])
            case .columnIndex: values.append(Double(column))
            default: values.append(instruction.operation.evaluate(x[0], x[1], x[2]))
            }
        }
        return outputs.map { values[$0] }
    }
}
