/// The mistakes in a cell's equations that show only in their graph.
extension TracedStep {
    func mistake(_ text: String) -> RecurrentError { .cell("cell '\(cell.name)' \(text)") }

    /// Checks that there is a state, that each has a name of its own, and which of them are the output.
    func checkStates(_ names: [String]) throws {
        guard !names.isEmpty else { throw mistake("has no states; name at least one in 'stateNames'") }
        if let name = names.indices.first(where: { names[..<$0].contains(names[$0]) }).map({ names[$0] }) {
            throw mistake("names two of its states '\(name)'; each needs a name of its own")
        }
        guard (1...names.count).contains(cell.outputCount) else {
            throw mistake(
                "has \(cell.outputCount) as its 'outputCount', which must be from 1 to \(names.count), the number of its states"
            )
        }
    }

    /// Checks every operation of the equations: their operands, and whether widths agree.
    func checkEquations() throws {
        for value in graph.cone(of: results).sorted() {
            let node = graph.nodes[value]
            switch node.operation {
            case .product(let weight, let isTransposed):
                guard !isTransposed || parameters[weight].kind == .recurrentWeight else {
                    throw mistake(
                        "transposes its input weight '\(parameters[weight].name)'; only recurrent weights, which are square, can be transposed"
                    )
                }
                try checkProduct(parameters[weight], operand: node.operands[0])
            case .uniform:
                throw mistake("draws random numbers with `.uniform`, which no step can; use dropout or zoneout instead")
            default:
                guard inputWidth != hiddenWidth, let x = knownLeaf(.input), node.operands.contains(x) else { continue }
                throw RecurrentError.invalidOption(
                    "cell '\(cell.name)' combines its input with its states directly, so both must have the same "
                        + "width; the input has width \(inputWidth), the states \(hiddenWidth)")
            }
        }
        guard inputWidth != hiddenWidth, let x = knownLeaf(.input), results.contains(x) else { return }
        throw RecurrentError.invalidOption(
            "cell '\(cell.name)' returns its input as a state, so both must have the same width; the input has width "
                + "\(inputWidth), the states \(hiddenWidth)")
    }

    private func checkProduct(_ weight: CellParameter, operand: Value) throws {
        let rule = "the right operand of `•` is the input, a state, or what is computed from them"
        if let number = graph.constantValue(operand) {
            throw mistake("multiplies weight '\(weight.name)' by the constant \(number); \(rule)")
        }
        if case .vector(let index)? = leafKind(operand) {
            throw mistake(
                "multiplies weight '\(weight.name)' by its vector '\(parameters[index].name)' alone; \(rule)")
        }
        guard inputWidth != hiddenWidth else { return }
        let isInput = operand == knownLeaf(.input)
        if isInput, weight.kind != .inputWeight {
            throw mistake(
                "multiplies recurrent weight '\(weight.name)', which takes \(hiddenWidth) numbers, by the input, which has \(inputWidth); declare it as `.inputWeight(\"\(weight.name)\")`, or give input and states the same width"
            )
        }
        if !isInput, weight.kind == .inputWeight {
            throw mistake(
                "multiplies input weight '\(weight.name)', which takes \(inputWidth) numbers, by a value of the states' width, \(hiddenWidth); declare it as `.recurrentWeight(\"\(weight.name)\")`, or give input and states the same width"
            )
        }
    }
}
