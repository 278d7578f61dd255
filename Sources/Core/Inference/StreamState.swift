/// The states of all layers of one stream, on the host: what a model knows about a sequence.
///
/// It can be kept, saved (`Codable`) and given to any stream of any session of a model of the same form.
public struct StreamState: Sendable, Hashable, Codable {
    /// The name of the cell.
    public let cell: String
    /// The number of recurrent layers.
    public let layers: Int
    /// The names of the cell's states, in the order of ``RecurrentCell/stateNames``.
    public let stateNames: [String]
    /// The width H of each state.
    public let width: Int
    /// The numbers: layer by layer from the bottom up, in each layer state by state, H numbers each.
    public var numbers: [Float]

    /// The numbers of one state of one layer, [H].
    public subscript(layer layer: Int, state state: Int) -> ArraySlice<Float> {
        let first = (layer * stateNames.count + state) * width
        return numbers[first..<first + width]
    }

    init(of model: TrainedModel, numbers: [Float]) {
        cell = model.cell.name
        layers = model.configuration.layers
        stateNames = model.cell.stateNames
        width = model.configuration.hiddenSize
        self.numbers = numbers
    }

    /// Checks that the states are those of a model of this form.
    func check(_ model: TrainedModel) throws {
        let other = StreamState(of: model, numbers: [])
        func text(_ state: StreamState) -> String {
            "cell '\(state.cell)' with \(state.layers) layer\(state.layers == 1 ? "" : "s") of width \(state.width)"
        }
        guard (cell, layers, width) == (other.cell, other.layers, other.width), stateNames == other.stateNames else {
            throw RecurrentError.invalidOption("a state of \(text(self)) doesn't fit a model of \(text(other))")
        }
        let count = layers * stateNames.count * width
        guard numbers.count == count else {
            throw RecurrentError.invalidOption("a state of \(text(self)) has \(count) numbers, not \(numbers.count)")
        }
    }
}
