/// A model's parameters and their gradients, each in one piece of memory.
///
/// Layers declare what they need while the model is put together; after
/// ``allocate(on:)`` each parameter has a view of its values and one of its gradient.
public final class ParameterStore {
    public struct Parameter: Sendable {
        /// As in the saved model: `rnn.weight_hh_l0`.
        public let name: String
        /// [rows, columns]; vectors have rows 1.
        public let rows: Int
        public let columns: Int
        /// Whether it is saved with one dimension.
        public let isVector: Bool
        let offset: Int
        public var count: Int { rows * columns }
        public var shape: [Int] { isVector ? [columns] : [rows, columns] }
    }

    /// A square block of a weight that must stay orthogonal.
    public struct OrthogonalBlock: Sendable {
        public let parameter: Int
        /// Which rows of the parameter.
        public let rows: Range<Int>
        /// `rnn.weight_hh_l0.W_n`: for messages and checkpoints.
        public let name: String
    }

    public private(set) var entries: [Parameter] = []
    public private(set) var orthogonalBlocks: [OrthogonalBlock] = []
    /// Recurrent weights, for `--clip-recurrent`.
    public private(set) var recurrentWeights: [Int] = []
    public private(set) var count = 0
    private var storage: (values: any Memory, gradients: any Memory)?

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

    public func constrain(_ parameter: Int, rows: Range<Int>, name: String) {
        precondition(rows.count == entries[parameter].columns, "an orthogonal block is square")
        orthogonalBlocks.append(OrthogonalBlock(parameter: parameter, rows: rows, name: name))
    }

    public func allocate(on backend: any Backend) throws {
        storage = (try backend.allocate(max(count, 1)), try backend.allocate(max(count, 1)))
    }

    public func value(_ index: Int) -> MatrixView { view(storage!.values, index) }
    public func gradient(_ index: Int) -> MatrixView { view(storage!.gradients, index) }

    /// All values, or all gradients, as one row.
    public var allValues: MatrixView { MatrixView(storage!.values, rows: 1, columns: count) }
    public var allGradients: MatrixView { MatrixView(storage!.gradients, rows: 1, columns: count) }

    public func value(of block: OrthogonalBlock) -> MatrixView { value(block.parameter).rows(block.rows) }
    public func gradient(of block: OrthogonalBlock) -> MatrixView { gradient(block.parameter).rows(block.rows) }

    /// Where the block's elements lie among all values.
    public func range(of block: OrthogonalBlock) -> Range<Int> {
        let parameter = entries[block.parameter]
        let start = parameter.offset + block.rows.lowerBound * parameter.columns
        return start..<start + block.rows.count * parameter.columns
    }

    /// What an optimizer steps directly: everything outside orthogonal blocks, in
    /// as few ranges as possible.
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

    /// ``freeRanges``, cut where free recurrent weights begin and end.
    public var freeRangesByKind: [(range: Range<Int>, isRecurrent: Bool)] {
        let weights = recurrentWeights.map { entries[$0].offset..<entries[$0].offset + entries[$0].count }
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
