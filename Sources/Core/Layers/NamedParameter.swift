/// A parameter of a ``ParameterStore``, found by its name: its shape, its values and its gradient.
///
///     if let encoder = model.parameters["encoder.weight"] {
///         let table: [Float] = backend.download(encoder.value)
///     }
public struct NamedParameter: Sendable {
    /// The name in the saved model, such as `rnn.weight_hh_l0`, or that of an orthogonal block, such as
    /// `rnn.weight_hh_l0.W_n`.
    public let name: String
    /// The shape in the saved model: [columns] for a vector, otherwise [rows, columns].
    public let shape: [Int]
    /// The values, [rows, columns], with one row for a vector; a view of the store's memory.
    public let value: MatrixView
    /// The gradient, in the shape of ``value``; a view of the store's memory.
    public let gradient: MatrixView
    /// The elements among ``ParameterStore/allValues``.
    public let range: Range<Int>
}

extension ParameterStore {
    /// The names of all parameters, in the order of their declaration.
    public var names: [String] { entries.map(\.name) }

    /// All parameters, in the order of their declaration.
    ///
    /// - Precondition: the store is allocated.
    public var named: [NamedParameter] { entries.indices.map(self.named) }

    /// Returns the parameter or the orthogonal block with this name; nil if there is none.
    ///
    /// - Precondition: the store is allocated.
    public subscript(name: String) -> NamedParameter? {
        if let index = entries.firstIndex(where: { $0.name == name }) { return named(index) }
        return orthogonalBlocks.first { $0.name == name }.map { block in
            NamedParameter(
                name: name, shape: [block.rows.count, block.size], value: value(of: block),
                gradient: gradient(of: block), range: range(of: block))
        }
    }

    private func named(_ index: Int) -> NamedParameter {
        NamedParameter(
            name: entries[index].name, shape: entries[index].shape, value: value(index), gradient: gradient(index),
            range: range(index))
    }
}
