extension StepPlanner {
    /// Plans the prelude and the forward loop.
    mutating func emitForward(saving values: [Value]) {
        placeProducts()
        let lastLevel = step.groups.map(\.level).max() ?? 0
        let training = buffers.contains { $0.role == .outputGradient }

        // A saved value that an earlier kernel computes anyway is written by that kernel;
        // the others are written by the last one, where they may overwrite hoisted
        // products that are no longer needed.
        var open = values.filter { !isHoistedProduct($0) }
        for value in values where isHoistedProduct(value) { saved[value] = products[value] }
        var available: [Value: PlanOperand] = [:]
        for group in step.groups.indices where step.groups[group].isHoisted {
            for product in step.groups[group].products { available[product] = products[product] }
        }

        var writtenStates: Set<Int> = []
        for level in 0...lastLevel {
            let isLast = level == lastLevel
            var outputs: [(value: Value, place: PlanOperand)] = []
            let next = step.groups.indices.filter { step.groups[$0].level == level + 1 }
            for group in next {
                let operand = step.groups[group].operand
                if operands[group] != nil { continue }
                if let leaf = step.leafKind(operand) {
                    operands[group] = place(of: leaf)
                } else {
                    // The gradient of the weight reads the operand after the loop, when products are gone: those in the
                    // loop with their step, and hoisted ones as δ has taken their place.
                    let isGone = training && step.groupOf[operand] != nil
                    let known = outputs.first { $0.value == operand }?.place ?? (isGone ? nil : available[operand])
                    if let known {
                        operands[group] = known
                        continue
                    }
                    // A new state goes where it belongs, unless the old one is still needed.
                    let state = step.results.indices.first {
                        step.results[$0] == operand && !writtenStates.contains($0)
                            && !readsState($0, values, after: level, known: Set(available.keys))
                    }
                    if let state { writtenStates.insert(state) }
                    let place =
                        state.map(stateAfterStep)
                        ?? PlanOperand(
                            buffer: addBuffer("operand.\(group)", training ? .perStep : .scratch, columns: hidden),
                            columns: hidden)
                    operands[group] = place
                    outputs.append((operand, place))
                }
            }
            if isLast {
                outputs += step.results.enumerated().filter { !writtenStates.contains($0.offset) }.map {
                    ($1, stateAfterStep($0))
                }
            }
            let computed = step.graph.cone(of: outputs.map(\.value), stoppingAt: Set(available.keys))
            let due = open.filter { isLast || computed.contains($0) }
            open.removeAll { isLast || computed.contains($0) }
            for (value, place) in zip(due, savePlaces(for: due, inHoisted: isLast)) {
                saved[value] = place
                outputs.append((value, place))
            }
            if !outputs.isEmpty {
                forwardLoop.append(kernel(outputs, available: available))
                for (value, place) in outputs { available[value] = place }
            }
            for group in next {
                forwardLoop += forwardProducts(
                    group, into: PlanOperand(buffer: groupBuffers[group]!, columns: step.groups[group].rows.count))
                for product in step.groups[group].products { available[product] = products[product] }
            }
        }
    }

    /// Whether a state's value before the step is needed for the new states, for what is saved or for a product, once the
    /// kernel of a level has run.
    private func readsState(_ index: Int, _ saved: [Value], after level: Int, known: Set<Value>) -> Bool {
        guard let old = step.knownLeaf(.state(index)) else { return false }
        let operands = step.groups.filter { $0.level > level }.map(\.operand)
        if operands.contains(old) { return true }
        let known = known.union(step.groups.filter { $0.level == level + 1 }.map(\.operand))
        let open = (step.results + saved + operands).filter { !known.contains($0) }
        return step.graph.cone(of: open, stoppingAt: known).contains(old)
    }

    private func isHoistedProduct(_ value: Value) -> Bool {
        step.groupOf[value].map { step.groups[$0].isHoisted } ?? false
    }

    private mutating func placeProducts() {
        for (index, group) in step.groups.enumerated() {
            let buffer = addBuffer(
                (group.isHoisted ? "hoisted." : "products.") + "\(index)", group.isHoisted ? .perStep : .scratch,
                columns: group.rows.count)
            groupBuffers[index] = buffer
            for (position, product) in group.products.enumerated() {
                products[product] = PlanOperand(buffer: buffer, column: position * hidden, columns: hidden)
            }
            guard group.isHoisted else { continue }
            operands[index] = place(of: .input)
            let result = PlanOperand(buffer: buffer, columns: group.rows.count)
            if readsTokens {
                let table = PlanOperand(
                    buffer: addBuffer("table.\(index)", .perToken, columns: group.rows.count), columns: group.rows.count
                )
                tables[index] = table
                prelude += forwardProducts(index, into: table)
                prelude.append(.lookup(table: table, result: result))
            } else {
                prelude += forwardProducts(index, into: result)
            }
        }
    }

    private func forwardProducts(_ group: Int, into result: PlanOperand) -> [PlanOperation] {
        products(of: group, operands[group]!, isBackward: false, into: result)
    }

    /// Returns a place for each value: columns of hoisted products that the backward pass
    /// doesn't need (if `inHoisted`), then columns of a new buffer.
    private mutating func savePlaces(for values: [Value], inHoisted: Bool) -> [PlanOperand] {
        var places: [PlanOperand] = []
        if inHoisted {
            let taken = Set(saved.values)
            for group in step.groups where group.isHoisted {
                places += group.products.map { products[$0]! }.filter { !taken.contains($0) }
            }
        }
        places = Array(places.prefix(values.count))
        let missing = values.count - places.count
        if missing > 0 {
            let buffer = addBuffer("saved.\(buffers.count)", .perStep, columns: missing * hidden)
            places += (0..<missing).map { PlanOperand(buffer: buffer, column: $0 * hidden, columns: hidden) }
        }
        return places
    }
}
