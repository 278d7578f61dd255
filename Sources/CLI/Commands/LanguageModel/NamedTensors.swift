import RecurrentCore

/// The tensors of a state dict, by the names that they have in the model itself: without those of wrappers around it,
/// and also by the names that were left out because another name has the same tensor.
struct NamedTensors {
    let path: String
    /// The tensors with their names in the file.
    var tensors: [TensorInfo] { file.tensors }
    /// The names in the model and in the file, in the order of the tensors.
    let names: [(inside: String, outside: String)]
    private let file: SafeTensors
    /// The names in the file, by those in the model.
    private let places: [ExactName: String]

    /// What nn.DataParallel and torch.compile put before the names of what they wrap.
    private static let wrappers: Set<Substring> = ["module", "_orig_mod"]
    /// The attribute of a LightningModule that usually holds the model.
    private static let attribute: Substring = "model"

    /// Opens a file.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if it is damaged, or if two of its names are the same apart
    ///   from wrappers.
    init(path: String) throws {
        let file = try SafeTensors(path: path)
        self.path = path
        self.file = file
        func components(_ name: String) -> ArraySlice<Substring> {
            name.split(separator: ".", omittingEmptySubsequences: false).filter { !Self.wrappers.contains($0) }[...]
        }
        // A model's own submodule may have the attribute's name, but then not all names begin with it.
        var depth = 0
        while !file.tensors.isEmpty,
            file.tensors.allSatisfy({ components($0.name).dropFirst(depth).first == Self.attribute })
        { depth += 1 }
        func inner(_ name: String) -> ExactName {
            ExactName(components(name).dropFirst(depth).joined(separator: "."))
        }
        var places: [ExactName: String] = [:]
        for tensor in file.tensors {
            if let other = places.updateValue(tensor.name, forKey: inner(tensor.name)) {
                throw RecurrentError.checkpoint(
                    path: path,
                    reason:
                        "holds '\(other)' and '\(tensor.name)', which differ only in what wrappers add; save one model")
            }
        }
        // safetensors.torch.save_model keeps one of several names of a tensor, and notes which one stands for the others.
        for (removed, kept) in file.metadata.sorted(by: { $0.key < $1.key })
        where file[kept] != nil && places[inner(removed)] == nil {
            places[inner(removed)] = kept
        }
        self.places = places
        names = file.tensors.map { (inner($0.name).text, $0.name) }
    }

    /// The tensor with this name in the model, or nil if there is none.
    subscript(name: String) -> TensorInfo? { places[ExactName(name)].flatMap { file[$0] } }

    /// Returns the numbers of rows and columns of a matrix, which are at least 1.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if there is no tensor of this name, or it isn't a matrix.
    func matrix(_ name: String) throws -> (rows: Int, columns: Int) {
        guard let tensor = self[name] else {
            let some = names.prefix(12).map { "'\($0.outside)'" }.joined(separator: ", ")
            throw flaw(
                "has no '\(name)'; name the tensors as PyTorch's word_language_model does (encoder.weight, rnn.weight_ih_l0, …, decoder.bias); it holds \(some.isEmpty ? "nothing" : some)\(names.count > 12 ? ", …" : "")"
            )
        }
        guard tensor.shape.count == 2, tensor.shape.allSatisfy({ $0 >= 1 }) else {
            throw flaw("'\(name)' has the shape \(tensor.shape), not that of a matrix")
        }
        return (tensor.shape[0], tensor.shape[1])
    }

    /// Returns the elements of a tensor.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if there is no tensor of this name and shape, or its elements
    ///   aren't finite floating-point numbers.
    func numbers(_ name: String, shape: [Int]) throws -> [Float] {
        let numbers = try file.floats(self[name]?.name ?? name, shape: shape)
        guard numbers.allSatisfy(\.isFinite) else { throw flaw("tensor '\(name)' holds numbers that aren't finite") }
        return numbers
    }

    /// Returns an error for a reason why the file can't be used.
    func flaw(_ reason: String) -> RecurrentError { .checkpoint(path: path, reason: reason) }
}
