/// The states of a cell before a time step, [H] each, by their number or their name:
///
///     let (h, c) = (states[0], states[1])
///     let memory = states.c
///
/// A name that collections have for something else, such as `last`, is written `states[dynamicMember: "last"]`. A state
/// that the cell doesn't have is an error of ``StepCompiler`` and of every layer of the cell.
@dynamicMemberLookup
public struct CellStates: Sendable, RandomAccessCollection {
    let values: [SymbolicValue]
    let names: [String]
    let trace: CellTrace

    public var startIndex: Int { 0 }
    public var endIndex: Int { values.count }

    /// The state with this number in ``RecurrentCell/stateNames``, counted from 0.
    public subscript(position: Int) -> SymbolicValue {
        guard values.indices.contains(position) else {
            let count = names.count == 1 ? "one state, \(names[0])" : "\(names.count) states, \(names.listed)"
            trace.note("reads state \(position), but has \(count), counted from 0; name all of them in 'stateNames'")
            return 0
        }
        return values[position]
    }

    /// The state with this name in ``RecurrentCell/stateNames``.
    public subscript(dynamicMember name: String) -> SymbolicValue {
        guard let index = names.firstIndex(of: name) else {
            trace.note(
                "reads state '\(name)', but its states are \(names.listed)\(CellTrace.suggestion(name, in: names))")
            return 0
        }
        return values[index]
    }
}
