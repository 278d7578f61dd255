import RecurrentCore

/// A recurrent operator of ONNX whose equations are those of a cell.
struct RecognizedOperator {
    let template: OperatorTemplate
    /// What the template's parameters stand for, by their names; those that are missing are 0.
    private let combinations: [String: Unifier.Combination]

    /// Looks for the operator that computes a step; nil if none does.
    init?(_ step: TracedStep) {
        // An operator's output is its first state.
        guard step.cell.outputCount == 1, let cell = Equations(step) else { return nil }
        let functions = OperatorFunction.all(constants: cell.constants).filter {
            $0.operations.isSubset(of: cell.operations)
        }
        for template in Self.templates(states: step.results.count, functions: functions) {
            // The widths play no part in the equations.
            guard
                let traced = try? TracedStep(template, inputWidth: 1, hiddenWidth: 1, masked: false, zoneout: nil),
                let equations = Equations(traced), let match = Unifier(equations, cell).matched()
            else { continue }
            self.template = template
            combinations = Dictionary(
                uniqueKeysWithValues: match.combinations.map { (template.parameters[$0].name, $1) })
            return
        }
        return nil
    }

    private static func templates(states: Int, functions: [OperatorFunction]) -> [OperatorTemplate] {
        let any = functions + [.identity]
        if states == 2 {
            return [false, true].flatMap { hasPeepholes in
                functions.flatMap { f in
                    any.flatMap { g in
                        any.map { OperatorTemplate(kind: .lstm(hasPeepholes: hasPeepholes), functions: [f, g, $0]) }
                    }
                }
            }
        }
        guard states == 1 else { return [] }
        let kinds: [OperatorTemplate.Kind] = [true, false].flatMap { isReversed in
            [true, false].map { .gru(isAfter: $0, isReversed: !isReversed) }
        }
        return any.map { OperatorTemplate(kind: .rnn, functions: [$0]) }
            + kinds.flatMap { kind in
                functions.filter { kind.allows($0) }.flatMap { f in
                    any.map { OperatorTemplate(kind: kind, functions: [f, $0]) }
                }
            }
    }

    /// Returns what a parameter of the operator is made of; nil if it is 0.
    func combination(_ name: String) -> Unifier.Combination? {
        guard let combination = combinations[name], !combination.isEmpty else { return nil }
        guard case .gru(_, isReversed: true) = template.kind, name.hasSuffix("_z") else { return combination }
        return combination.mapValues { -$0 }
    }
}

extension OperatorTemplate.Kind {
    /// Whether the gates may have a function: 1 − f(a) is f(−a) only for the logistic function.
    fileprivate func allows(_ function: OperatorFunction) -> Bool {
        if case .gru(_, isReversed: true) = self { function.name == "Sigmoid" } else { true }
    }
}
