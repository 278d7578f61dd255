extension StepPlanner {
    /// Plans the epilogue: one GEMM per group for its weights' gradient, one column sum per run
    /// of adjacent vectors, and the gradient of the input.
    mutating func emitEpilogue(_ gradients: StepGradients) {
        for (index, table) in tables.sorted(by: { $0.key < $1.key }) {
            epilogue.append(.tokenSum(delta: deltas[index]!, table: table))
            deltas[index] = table
        }
        for (index, group) in step.groups.enumerated() {
            for block in 0..<group.blocks {
                let result = PlanOperand(
                    buffer: buffer(.parameterGradient(index: group.packed)),
                    columns: step.layout.packed[group.packed].columns, rows: group.rows.part(block, of: group.blocks))
                let delta = deltas[index]!.part(block, of: group.blocks)
                let operand = operands[index]!.part(block, of: group.blocks)
                epilogue.append(
                    group.isTransposed
                        ? .weightGradient(delta: operand, operand: delta, result: result)
                        : .weightGradient(delta: delta, operand: operand, result: result))
            }
        }
        emitVectorGradients(gradients)
        // The gradient of an embedding is added to what is there.
        var isWritten = gradients.input != nil || readsTokens
        let input = PlanOperand(
            buffer: buffer(readsTokens ? .embeddingGradient : .inputGradient), columns: step.inputWidth)
        for index in step.groups.indices where step.groups[index].isHoisted {
            epilogue += backwardProducts(index, input, accumulate: isWritten)
            isWritten = true
        }
    }

    private mutating func emitVectorGradients(_ gradients: StepGradients) {
        if !step.derived.isEmpty {
            derivedGradientBuffer = addBuffer(
                "gradient.derived", .derivedVectors, columns: step.derived.count * hidden)
        }
        var sums: [(delta: PlanOperand, result: PlanOperand)] = []
        for (vector, adjoint) in gradients.vectors {
            let result: PlanOperand
            var isOfInput = false
            switch vector {
            case .derived(let number): result = place(of: .derivedGradient(number))
            case .parameter(let index):
                result = place(of: .vectorGradient(index))
                isOfInput = step.parameters[index].kind == .inputBias
            }
            let places = adjoints[adjoint]!
            if let last = sums.last, last.result.buffer == result.buffer,
                last.result.column + last.result.columns == result.column,
                places.contains(where: {
                    $0.buffer == last.delta.buffer && $0.column == last.delta.column + last.delta.columns
                })
            {
                sums[sums.count - 1].delta.columns += hidden
                sums[sums.count - 1].result.columns += hidden
            } else {
                sums.append((preferredPlace(places, isOfInput: isOfInput), result))
            }
        }
        // Columns that are the δ of several vectors are added up once.
        for isDerived in [true, false] {
            let kind = sums.filter { ($0.result.buffer == derivedGradientBuffer) == isDerived }
            var written: Set<PlanOperand> = []
            for (delta, _) in kind where written.insert(delta).inserted {
                epilogue.append(
                    .vectorGradient(delta: summed(delta), results: kind.filter { $0.delta == delta }.map(\.result)))
            }
        }
        if !gradients.sources.isEmpty {
            epilogue.append(
                kernel(
                    gradients.sources.map { ($0.gradient, place(of: .vectorGradient($0.parameter))) }, available: [:]))
        }
    }

    /// Returns the place of the sums by token if these columns have been summed.
    private func summed(_ place: PlanOperand) -> PlanOperand {
        guard let group = tables.keys.first(where: { groupBuffers[$0] == place.buffer }) else { return place }
        return PlanOperand(buffer: tables[group]!.buffer, column: place.column, columns: place.columns)
    }

    /// Returns the place from which a vector's gradient is summed: hoisted δ for an input
    /// bias, the loop's δ for a recurrent bias, so that adjacent biases read adjacent columns.
    private func preferredPlace(_ places: [PlanOperand], isOfInput: Bool) -> PlanOperand {
        places.first { hoistedBuffers.contains($0.buffer) == isOfInput } ?? places[0]
    }
}
