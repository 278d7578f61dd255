extension StepPlanner {
    /// Plans the backward loop: one kernel per level, each followed by the GEMMs whose
    /// δ it completes.
    mutating func emitBackward(_ gradients: inout StepGradients) {
        var available = saved
        for (index, result) in step.results.enumerated() where available[result] == nil && step.leafKind(result) == nil
        {
            available[result] = stateAfterStep(index)
        }
        placeDeltas()

        // The values to compute, and their places. The δ of hoisted products and the
        // gradients of the states overwrite memory that earlier kernels read, so the last
        // kernel writes them.
        var outputs: [(value: Value, place: PlanOperand, level: Int)] = []
        for (index, group) in step.groups.enumerated() where !group.isHoisted {
            for (product, place) in zip(group.products, deltaPlaces(index)) {
                let delta = gradients.deltas[product]!
                outputs.append((delta, place, gradients.level(of: delta, in: step)))
            }
        }
        var lastLevel = outputs.map(\.level).max() ?? 0
        let late: [Value] =
            step.groups.filter(\.isHoisted).flatMap { $0.products.map { gradients.deltas[$0]! } }
            + gradients.states.compactMap { $0 } + gradients.vectors.map(\.adjoint)
            + [gradients.input].compactMap { $0 }
        for value in late { lastLevel = max(lastLevel, gradients.level(of: value, in: step)) }
        for (index, group) in step.groups.enumerated() where group.isHoisted {
            for (product, place) in zip(group.products, deltaPlaces(index)) {
                outputs.append((gradients.deltas[product]!, place, lastLevel))
            }
        }
        placeVectorAdjoints(gradients, level: lastLevel, into: &outputs)
        let fed = Set(gradients.directState.values)
        for (index, adjoint) in gradients.states.enumerated() {
            if let value = adjoint ?? (fed.contains(index) ? nil : zero) {
                outputs.append((value, place(of: .stateGradient(index)), lastLevel))
            }
        }

        for level in 0...lastLevel {
            if level == lastLevel, let input = gradients.input {
                // A separate kernel, so that it can be skipped where the gradient isn't needed.
                let place = PlanOperand(buffer: buffer(.inputGradient), columns: step.inputWidth)
                backwardLoop.append(kernel([(input, place)], available: available))
            }
            let due = outputs.filter { $0.level == level }
            if !due.isEmpty {
                backwardLoop.append(kernel(due.map { ($0.value, $0.place) }, available: available))
                for (value, place, _) in due { available[value] = available[value] ?? place }
            }
            for group in step.groups.indices where backProductBuffers[group] != nil {
                let deltaLevel = step.groups[group].products.map {
                    gradients.level(of: gradients.deltas[$0]!, in: step)
                }.max()!
                if deltaLevel == level {
                    backwardLoop += backwardProducts(group, place(of: .backProduct(group: group)), accumulate: false)
                }
            }
        }
        var written = Set(gradients.states.indices.filter { gradients.states[$0] != nil })
        for (group, state) in gradients.directState.sorted(by: { $0.key < $1.key }) {
            backwardLoop += backwardProducts(
                group, place(of: .stateGradient(state)), accumulate: written.contains(state))
            written.insert(state)
        }
    }

    private var zero: Value? {
        step.graph.nodes.firstIndex { $0.operation == .constant(0) }
    }

    private mutating func placeDeltas() {
        for (index, group) in step.groups.enumerated() where !group.isHoisted {
            deltaBuffers[index] = addBuffer("delta.\(index)", .perStep, columns: group.rows.count)
            if step.knownLeaf(.backProduct(group: index)) != nil {
                backProductBuffers[index] = addBuffer("back.\(index)", .scratch, columns: hidden)
            }
        }
    }

    /// Returns the buffer of a group's δ; those of a hoisted group overwrite its products.
    func deltaBuffer(_ group: Int) -> Int {
        step.groups[group].isHoisted ? groupBuffers[group]! : deltaBuffers[group]!
    }

    func deltaPlaces(_ group: Int) -> [PlanOperand] {
        step.groups[group].products.indices.map {
            PlanOperand(buffer: deltaBuffer(group), column: $0 * hidden, columns: hidden)
        }
    }

    /// Returns the products that send a group's δ back to its operand.
    func backwardProducts(_ group: Int, _ result: PlanOperand, accumulate: Bool) -> [PlanOperation] {
        products(
            of: group, PlanOperand(buffer: deltaBuffer(group), columns: step.groups[group].rows.count),
            isTransposed: false, into: result, accumulate: accumulate)
    }

    /// Finds places for the adjoints of the vectors. An adjoint is often a δ, which is kept
    /// anyway; the others get new columns.
    private mutating func placeVectorAdjoints(
        _ gradients: StepGradients, level: Int, into outputs: inout [(value: Value, place: PlanOperand, level: Int)]
    ) {
        for output in outputs { adjoints[output.value, default: []].append(output.place) }
        var missing: [Value] = []
        for (_, adjoint) in gradients.vectors where adjoints[adjoint] == nil && !missing.contains(adjoint) {
            missing.append(adjoint)
        }
        guard !missing.isEmpty else { return }
        let buffer = addBuffer("adjoints", .perStep, columns: missing.count * hidden)
        for (position, adjoint) in missing.enumerated() {
            let place = PlanOperand(buffer: buffer, column: position * hidden, columns: hidden)
            adjoints[adjoint] = [place]
            outputs.append((adjoint, place, level))
        }
    }
}
