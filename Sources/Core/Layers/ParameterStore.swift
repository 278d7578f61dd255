/// A model's parameters and their gradients, with one piece of memory for all values and
/// one for all gradients.
///
/// Layers declare what they need while the model is being built; after ``allocate(on:)``
/// each parameter has a view of its values and one of its gradient.
public final class ParameterStore {
    /// The name and shape of a declared parameter.
    public struct Parameter: Sendable {
        /// The name in the saved model, such as `rnn.weight_hh_l0`.
        public let name: String
        /// The number of rows; 1 for a vector.
        public let rows: Int
        /// The number of columns.
        public let columns: Int
        /// Whether the parameter is saved with one dimension.
        public let isVector: Bool
        let offset: Int
        /// The number of elements.
        public var count: Int { rows * columns }
        /// The shape in the saved model: [columns] for a vector, otherwise [rows, columns].
        public var shape: [Int] { isVector ? [columns] : [rows, columns] }
    }

    /// A block of a weight that must stay orthogonal or, as the real and the imaginary part of a matrix, unitary.
    public struct OrthogonalBlock: Sendable {
        /// The number of the parameter that contains the block.
        public let parameter: Int
        /// The rows of the parameter that form the block: n of them, or 2n for [A; S] of a unitary `A + iS`.
        public let rows: Range<Int>
        /// Whether the block is orthogonal or unitary.
        public let field: WeightField
        /// The name in messages and checkpoints, such as `rnn.weight_hh_l0.W_n`.
        public let name: String
        /// The number n of rows and columns of the matrix that is orthogonal or unitary.
        public var size: Int { rows.count / field.rows(size: 1) }
    }

    /// All declared parameters; the position of each is its number.
    public private(set) var entries: [Parameter] = []
    /// All blocks that must stay orthogonal, in the order of their declaration.
    public private(set) var orthogonalBlocks: [OrthogonalBlock] = []
    /// The numbers of the recurrent weights, to which `--clip-recurrent` applies.
    public private(set) var recurrentWeights: [Int] = []
    /// For each parameter that lacks elements of its matrix, such as those above the diagonal of a triangular weight, 1 where
    /// there is an element and 0 where there is none, row by row.
    private(set) var masks: [Int: [Double]] = [:]
    /// The number of elements that parameters lack.
    package var absentCount: Int { masks.values.reduce(0) { $0 + $1.count { $0 == 0 } } }
    /// The number of elements of all parameters together.
    public private(set) var count = 0
    private var storage: (values: any Memory, gradients: (any Memory)?)?

    /// Creates a store without parameters.
    public init() {}

    /// Adds a parameter and returns its number.
    public func declare(_ name: String, rows: Int, columns: Int, isVector: Bool = false, isRecurrent: Bool = false)
        -> Int
    {
        precondition(storage == nil, "parameters are declared before they are allocated")
        precondition(!entries.contains { $0.name == name }, "parameter '\(name)' declared twice")
        entries.append(Parameter(name: name, rows: rows, columns: columns, isVector: isVector, offset: count))
        count += rows * columns
        if isRecurrent { recurrentWeights.append(entries.count - 1) }
        return entries.count - 1
    }

    /// Declares that these rows of a parameter form a block that must stay orthogonal, or unitary if `field` is complex:
    /// the rows of A and then those of S, for a weight `A + iS`.
    public func constrain(_ parameter: Int, rows: Range<Int>, name: String, field: WeightField = .real) {
        precondition(
            rows.count == field.rows(size: entries[parameter].columns),
            "an orthogonal block is square, and a unitary one has twice as many rows as columns")
        orthogonalBlocks.append(OrthogonalBlock(parameter: parameter, rows: rows, field: field, name: name))
    }

    /// Declares which elements a parameter has; layers keep the others at zero.
    func mask(_ parameter: Int, _ mask: [Double]) {
        precondition(mask.count == entries[parameter].count, "a mask has a number for each element")
        masks[parameter] = mask
    }

    /// Allocates the memory for all declared parameters and their gradients; no more can be
    /// declared afterwards.
    ///
    /// - Throws: what the backend throws.
    public func allocate(on backend: any Backend) throws {
        storage = (try backend.allocate(max(count, 1)), try backend.allocate(max(count, 1)))
    }

    /// Uses values that are there already, for inference: there are no gradients.
    func share(_ values: any Memory) {
        precondition(values.count >= count, "\(values.count) values for \(count) elements of parameters")
        storage = (values, nil)
    }

    private var gradients: any Memory {
        guard let memory = storage?.gradients else { preconditionFailure("parameters for inference have no gradients") }
        return memory
    }

    /// Returns the values of the parameter with this number, [rows, columns].
    public func value(_ index: Int) -> MatrixView { view(storage!.values, index) }
    /// Returns the gradient of the parameter with this number, [rows, columns].
    public func gradient(_ index: Int) -> MatrixView { view(gradients, index) }

    /// The values of all parameters as one row, [1, count].
    public var allValues: MatrixView { MatrixView(storage!.values, rows: 1, columns: count) }
    /// The gradients of all parameters as one row, [1, count].
    public var allGradients: MatrixView { MatrixView(gradients, rows: 1, columns: count) }

    /// Returns the values of an orthogonal block, [n, n], or of a unitary one, [2n, n].
    public func value(of block: OrthogonalBlock) -> MatrixView { value(block.parameter).rows(block.rows) }
    /// Returns the gradient of an orthogonal block, [n, n], or of a unitary one, [2n, n].
    public func gradient(of block: OrthogonalBlock) -> MatrixView { gradient(block.parameter).rows(block.rows) }

    /// Returns the range of a parameter's elements among all values.
    public func range(_ index: Int) -> Range<Int> {
        entries[index].offset..<entries[index].offset + entries[index].count
    }

    /// Returns the range of the block's elements among all values.
    public func range(of block: OrthogonalBlock) -> Range<Int> {
        let parameter = entries[block.parameter]
        let start = parameter.offset + block.rows.lowerBound * parameter.columns
        return start..<start + block.rows.count * parameter.columns
    }

    /// The elements that an optimizer steps directly: all those outside orthogonal blocks,
    /// in as few ranges as possible.
    public var freeRanges: [Range<Int>] {
        let blocked = orthogonalBlocks.map { range(of: $0) }.sorted { $0.lowerBound < $1.lowerBound }
        var result: [Range<Int>] = []
        var start = 0
        for range in blocked {
            if start < range.lowerBound { result.append(start..<range.lowerBound) }
            start = range.upperBound
        }
        if start < count { result.append(start..<count) }
        return result
    }

    /// The elements of ``freeRanges``, split where free recurrent weights begin and end.
    public var freeRangesByKind: [(range: Range<Int>, isRecurrent: Bool)] {
        let weights = recurrentWeights.map { range($0) }
        return freeRanges.flatMap { range in
            var parts: [(range: Range<Int>, isRecurrent: Bool)] = []
            var start = range.lowerBound
            for weight in weights where weight.overlaps(range) {
                let part = weight.clamped(to: range)
                if start < part.lowerBound { parts.append((start..<part.lowerBound, false)) }
                parts.append((part, true))
                start = part.upperBound
            }
            if start < range.upperBound { parts.append((start..<range.upperBound, false)) }
            return parts
        }
    }

    private func view(_ memory: any Memory, _ index: Int) -> MatrixView {
        let parameter = entries[index]
        return MatrixView(memory, offset: parameter.offset, rows: parameter.rows, columns: parameter.columns)
    }
}
