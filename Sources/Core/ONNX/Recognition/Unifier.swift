import RecurrentCore

/// Finds the parameters with which the equations of a template are those of a cell.
///
/// The template's weights and vectors are variables. A weight that multiplies some value stands for any sum of the
/// cell's weights that multiply it, and a vector for any sum of vectors and constants; for none, it is 0. Everything
/// else has to be the same.
struct Unifier {
    /// What a parameter of the template may be made of.
    enum Part: Hashable, Comparable {
        /// A vector of ones.
        case ones
        /// One of the cell's parameters, by its number.
        case parameter(Int)
    }
    /// The sum that a parameter of the template stands for: the coefficients of its parts.
    typealias Combination = [Part: Double]

    let template: Equations
    let cell: Equations
    /// What the template's parameters stand for; those that are missing are 0.
    private(set) var combinations: [Int: Combination] = [:]
    /// The cell's atoms for those of the template that are results of operations.
    private var images: [Int: Int] = [:]

    init(_ template: Equations, _ cell: Equations) {
        self.template = template
        self.cell = cell
    }

    /// What to do with a match of part of the equations; nil if the rest can't be matched then.
    private typealias Continuation = (Unifier) -> Unifier?

    /// Returns the unifier in which all new states agree; nil if there is none.
    func matched() -> Unifier? {
        // Each of the cell's operations is one of the template's, or there is no match.
        guard template.results.count == cell.results.count, cell.callCount <= template.callCount else { return nil }
        // Backwards: the first state may be made of the others' new values.
        return matchStates(Array(template.results.indices.reversed())[...])
    }

    private func matchStates(_ states: ArraySlice<Int>) -> Unifier? {
        guard let state = states.first else { return self }
        return match(template.results[state], cell.results[state]) { $0.matchStates(states.dropFirst()) }
    }

    private func match(_ pattern: Polynomial, _ value: Polynomial, then rest: Continuation) -> Unifier? {
        var candidates: [Int] = []
        Self.collectCalls(value, cell, into: &candidates)
        var calls: [Int] = []
        Self.collectCalls(pattern, template, into: &calls)
        return assign(calls[...], candidates) { unifier in
            var unifier = unifier
            return unifier.bind(pattern, value) ? rest(unifier) : nil
        }
    }

    /// Adds the results of operations among a polynomial's atoms, also those that weights multiply.
    private static func collectCalls(_ polynomial: Polynomial, _ equations: Equations, into calls: inout [Int]) {
        for product in polynomial.terms.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            for atom in product where !calls.contains(atom) {
                switch equations.atoms[atom] {
                case .call: calls.append(atom)
                case .product(_, let operand): collectCalls(operand, equations, into: &calls)
                default: break
                }
            }
        }
    }

    /// Tries for each of the template's calls each of the cell's that has the same operation and arguments.
    private func assign(_ calls: ArraySlice<Int>, _ candidates: [Int], then rest: Continuation) -> Unifier? {
        guard let call = calls.first else { return rest(self) }
        if images[call] != nil { return assign(calls.dropFirst(), candidates, then: rest) }
        guard case .call(let operation, let patterns) = template.atoms[call] else { return nil }
        for candidate in candidates {
            guard case .call(operation, let values) = cell.atoms[candidate] else { continue }
            for order in operation.isCommutative ? [values, values.reversed()] : [values] {
                let found = matchAll(zip(patterns, order).map { $0 }[...]) { unifier in
                    var unifier = unifier
                    unifier.images[call] = candidate
                    return unifier.assign(calls.dropFirst(), candidates, then: rest)
                }
                if let found { return found }
            }
        }
        return nil
    }

    private func matchAll(_ pairs: ArraySlice<(Polynomial, Polynomial)>, then rest: Continuation) -> Unifier? {
        guard let (pattern, value) = pairs.first else { return rest(self) }
        return match(pattern, value) { $0.matchAll(pairs.dropFirst(), then: rest) }
    }

    /// Returns the cell's atom for one of the template's that isn't a variable.
    private func image(_ atom: Int) -> Int? {
        switch template.atoms[atom] {
        case .call: images[atom]
        case .input, .state: cell.number(of: template.atoms[atom])
        case .vector, .product: nil
        }
    }

    /// A term of the template with one variable: what it stands for, and what else is in the product.
    private struct Variable {
        let parameter: Int
        /// The value that the weight multiplies; nil for a vector.
        let operand: Polynomial?
        let others: [Int]
        let coefficient: Double
        var combination: Combination = [:]

        /// Returns what the variable is in a term of the cell; nil if the term isn't of this form.
        func part(of product: [Int], in cell: Equations) -> Part? {
            var rest = product
            for atom in others {
                guard let place = rest.firstIndex(of: atom) else { return nil }
                rest.remove(at: place)
            }
            if rest.isEmpty { return operand == nil ? .ones : nil }
            guard rest.count == 1 else { return nil }
            switch cell.atoms[rest[0]] {
            case .vector(let number): return operand == nil ? .parameter(number) : nil
            case .product(let weight, let value): return operand?.isEqual(to: value) == true ? .parameter(weight) : nil
            default: return nil
            }
        }
    }

    /// Explains each term of the cell by one of the template, whose calls have images.
    private mutating func bind(_ pattern: Polynomial, _ value: Polynomial) -> Bool {
        var fixed: [[Int]: Double] = [:]
        var variables: [Variable] = [], absent: [Int] = []
        for (product, coefficient) in pattern.terms.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            var others: [Int] = [], variable: (parameter: Int, operand: Polynomial?)?
            var isAbsent = false
            for atom in product {
                switch template.atoms[atom] {
                case .vector, .product: guard variable == nil else { return false }
                default: break
                }
                switch template.atoms[atom] {
                case .vector(let number): variable = (number, nil)
                case .product(let weight, let operand):
                    guard let operand = operand.replacing(image) else {
                        isAbsent = true
                        continue
                    }
                    variable = (weight, operand)
                default:
                    if let image = image(atom) { others.append(image) } else { isAbsent = true }
                }
            }
            if let variable, !isAbsent {
                variables.append(
                    Variable(
                        parameter: variable.parameter, operand: variable.operand, others: others,
                        coefficient: coefficient))
            } else if variable == nil, !isAbsent {
                fixed[others.sorted(), default: 0] += coefficient
            } else if let variable {
                absent.append(variable.parameter)
            } else {
                return false
            }
        }
        for (product, coefficient) in value.terms {
            if let expected = fixed.removeValue(forKey: product) {
                guard Polynomial.areEqual(expected, coefficient) else { return false }
                continue
            }
            let place = variables.indices.lazy.compactMap { [cell] index in
                variables[index].part(of: product, in: cell).map { (index, $0) }
            }.first
            guard let (index, part) = place else { return false }
            variables[index].combination[part, default: 0] += coefficient / variables[index].coefficient
        }
        return fixed.isEmpty && variables.allSatisfy { agree($0.parameter, $0.combination) }
            && absent.allSatisfy { agree($0, [:]) }
    }

    /// Lets a parameter stand for a combination, if it doesn't stand for another one already.
    private mutating func agree(_ parameter: Int, _ combination: Combination) -> Bool {
        guard let known = combinations.updateValue(combination, forKey: parameter) else { return true }
        return known.count == combination.count
            && known.allSatisfy { key, value in combination[key].map { Polynomial.areEqual($0, value) } ?? false }
    }
}
