extension StepPlanner {
    /// Plans the backward loop: one kernel per level, each followed by the GEMMs whose
    /// δ it completes.
    mutating func emitBackward(_ gradients: inout StepGradients) {
        var available = saved
        for (index, result) in step.results.enumerated() where available[result] == nil && step.leafKind(result) == nil
        {
            available[result] = stateAfterStep(index)
        }
        // The values to compute, and their places. The δ of hoisted products and the
        // gradients of the states overwrite memory that earlier kernels read, so the last
        // kernel writes them.
        let all: [Value] =
            Array(gradients.deltas.values) + gradients.states.compactMap { $0 } + gradients.vectors.map(\.adjoint)
            + [gradients.input].compactMap { $0 }
        let lastLevel = all.map { gradients.level(of: $0, in: step) }.max() ?? 0
        placeDeltas(&gradients, lastLevel: lastLevel)
        var outputs: [(value: Value, place: PlanOperand, level: Int)] = []
        for (index, group) in step.groups.enumerated() {
            for (product, place) in zip(group.products, deltaPlaces(index))
            where !outputs.contains(where: { $0.place == place }) {
                let delta = gradients.deltas[product]!
                let isInHoisted = hoistedBuffers.contains(place.buffer)
                outputs.append((delta, place, isInHoisted ? lastLevel : gradients.level(of: delta, in: step)))
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

    var zero: Value? {
        step.graph.nodes.firstIndex { $0.operation == .constant(0) }
    }

    /// Finds a place for the δ of each group. Those of hoisted products overwrite the products. Other groups share columns
    /// with groups that have the same δ, and get a buffer if there are none.
    private mutating func placeDeltas(_ gradients: inout StepGradients, lastLevel: Int) {
        var placed: [(values: [Value], place: PlanOperand)] = []
        let hoisted = step.groups.indices.filter { step.groups[$0].isHoisted }
        for index in hoisted + step.groups.indices.filter({ !step.groups[$0].isHoisted }) {
            let group = step.groups[index], values = group.products.map { gradients.deltas[$0]! }
            if !group.isHoisted, step.knownLeaf(.backProduct(group: index)) != nil {
                backProductBuffers[index] = addBuffer("back.\(index)", .scratch, columns: hidden)
            }
            // What hoisted products leave to the last kernel is known too late for an earlier product.
            let isLate = values.contains { gradients.level(of: $0, in: step) == lastLevel }
            let place =
                shared(
                    values,
                    in: group.isHoisted ? [] : placed.filter { isLate || !hoistedBuffers.contains($0.place.buffer) })
                ?? PlanOperand(
                    buffer: group.isHoisted
                        ? groupBuffers[index]! : addBuffer("delta.\(index)", .perStep, columns: group.rows.count),
                    columns: group.rows.count)
            placed.append((values, place))
            deltas[index] = place
        }
    }

    /// Returns the columns that hold these δ side by side; nil if there are none.
    private func shared(_ values: [Value], in placed: [(values: [Value], place: PlanOperand)]) -> PlanOperand? {
        for (others, place) in placed {
            guard let range = others.firstRange(of: values) else { continue }
            return PlanOperand(
                buffer: place.buffer, column: place.column + range.lowerBound * hidden, columns: range.count * hidden)
        }
        return nil
    }

    /// The buffers of hoisted products.
    var hoistedBuffers: Set<Int> {
        Set(step.groups.indices.filter { step.groups[$0].isHoisted }.map { groupBuffers[$0]! })
    }

    private func deltaPlaces(_ group: Int) -> [PlanOperand] {
        let all = deltas[group]!, count = step.groups[group].products.count
        return (0..<count).map { all.part($0, of: count) }
    }

    /// Returns the products that send a group's δ back to its operand.
    func backwardProducts(_ group: Int, _ result: PlanOperand, accumulate: Bool) -> [PlanOperation] {
        products(of: group, deltas[group]!, isBackward: true, into: result, accumulate: accumulate)
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
