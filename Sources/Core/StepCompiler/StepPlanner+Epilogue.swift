extension StepPlanner {
    /// Plans the epilogue: one GEMM per group for its weights' gradient, one column sum per run
    /// of adjacent vectors, and the gradient of the input.
    mutating func emitEpilogue(_ gradients: StepGradients) {
        for (index, group) in step.groups.enumerated() {
            for block in 0..<group.blocks {
                let result = PlanOperand(
                    buffer: buffer(.parameterGradient(index: group.packed)),
                    columns: step.layout.packed[group.packed].columns, rows: group.rows.part(block, of: group.blocks))
                epilogue.append(
                    .weightGradient(
                        delta: deltas[index]!.part(block, of: group.blocks),
                        operand: operands[index]!.part(block, of: group.blocks), result: result))
            }
        }
        emitVectorGradients(gradients)
        var isWritten = gradients.input != nil
        for index in step.groups.indices where step.groups[index].isHoisted {
            epilogue += backwardProducts(
                index, PlanOperand(buffer: buffer(.inputGradient), columns: step.inputWidth), accumulate: isWritten)
            isWritten = true
        }
    }

    private mutating func emitVectorGradients(_ gradients: StepGradients) {
        var sums: [(delta: PlanOperand, result: PlanOperand)] = []
        for (parameter, adjoint) in gradients.vectors {
            let location = step.layout.locations[parameter]
            let result = PlanOperand(
                buffer: buffer(.parameterGradient(index: location.packed)), column: location.start, columns: hidden,
                rows: 0..<1)
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
                sums.append((preferredPlace(places, for: parameter), result))
            }
        }
        // Columns that are the δ of several vectors are added up once.
        var written: Set<PlanOperand> = []
        for (delta, _) in sums where written.insert(delta).inserted {
            epilogue.append(
                .vectorGradient(delta: delta, results: sums.filter { $0.delta == delta }.map(\.result)))
        }
    }

    /// Returns the place from which a vector's gradient is summed: hoisted δ for an input
    /// bias, the loop's δ for a recurrent bias, so that adjacent biases read adjacent columns.
    private func preferredPlace(_ places: [PlanOperand], for parameter: Int) -> PlanOperand {
        let hoisted = Set(step.groups.indices.filter { step.groups[$0].isHoisted }.map { groupBuffers[$0]! })
        let wantsHoisted = step.parameters[parameter].kind == .inputBias
        return places.first { hoisted.contains($0.buffer) == wantsHoisted } ?? places[0]
    }
}
