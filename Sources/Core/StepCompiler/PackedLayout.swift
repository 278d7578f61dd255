/// The packed parameters of a cell, and the location of each of its parameters in them.
package struct PackedLayout {
    package struct Location {
        package let packed: Int
        /// The first row of a matrix or the first column of a vector.
        package let start: Int
    }

    package private(set) var packed: [PackedParameter] = []
    /// The location of each of the cell's parameters, in the cell's order.
    package let locations: [Location]

    /// Finds a place for each parameter of a cell.
    ///
    /// - Throws: ``RecurrentError/cell(_:)`` if the declarations are wrong, or ``RecurrentError/invalidOption(_:)`` if
    ///   the blocks of a weight don't divide H.
    init(_ cell: any RecurrentCell, inputWidth: Int, hiddenWidth: Int) throws {
        let parameters = cell.parameters
        try Self.check(parameters, of: cell.name, units: hiddenWidth)
        var locations: [Int: Location] = [:]
        var result: [PackedParameter] = []
        func pack(_ name: String, isMatrix: Bool, columns: Int, _ kind: CellParameter.Kind) {
            var parts: [PackedParameter.Part] = []
            for (index, parameter) in parameters.enumerated()
            where parameter.kind == kind && !parameter.hasOwnName {
                locations[index] = Location(packed: result.count, start: parts.count * hiddenWidth)
                parts.append(.init(parameter: parameter, start: parts.count * hiddenWidth, count: hiddenWidth))
            }
            guard !parts.isEmpty else { return }
            let length = parts.count * hiddenWidth
            result.append(
                PackedParameter(
                    name: name, rows: isMatrix ? length : 1, columns: isMatrix ? columns : length, parts: parts))
        }
        pack("weight_ih", isMatrix: true, columns: inputWidth, .inputWeight)
        pack("weight_hh", isMatrix: true, columns: hiddenWidth, .recurrentWeight)
        pack("bias_ih", isMatrix: false, columns: 0, .inputBias)
        pack("bias_hh", isMatrix: false, columns: 0, .recurrentBias)
        for (index, parameter) in parameters.enumerated() where parameter.hasOwnName {
            locations[index] = Location(packed: result.count, start: 0)
            result.append(
                PackedParameter(
                    name: parameter.name, rows: parameter.isVector ? 1 : hiddenWidth,
                    columns: hiddenWidth / parameter.blocks,
                    parts: [.init(parameter: parameter, start: 0, count: hiddenWidth)]))
        }
        packed = result
        self.locations = parameters.indices.map { locations[$0]! }
    }

    /// Checks that each declaration is possible, and that names are unique.
    private static func check(_ parameters: [CellParameter], of cell: String, units: Int) throws {
        func fail(_ text: String) -> RecurrentError { .cell("cell '\(cell)' \(text)") }
        var names: Set<String> = []
        for parameter in parameters {
            let name = parameter.name
            guard names.insert(name).inserted else {
                throw fail("declares parameter '\(name)' twice; each needs a name of its own")
            }
            guard parameter.constraint == .free || parameter.kind == .recurrentWeight else {
                throw fail("declares '\(name)' with a constraint, which only recurrent weights may have")
            }
            guard parameter.constraint == .free || parameter.initialization == nil else {
                throw fail(
                    "declares initial values for '\(name)', whose constraint decides where it starts; remove them")
            }
            guard parameter.shape == .full || parameter.kind == .recurrentWeight else {
                throw fail("declares '\(name)' with a shape, which only recurrent weights may have")
            }
            guard parameter.shape != .diagonal || parameter.constraint == .free else {
                throw fail("declares the diagonal weight '\(name)' with a constraint, which only matrices may have")
            }
            guard parameter.shape == .full || [.free, .orthogonal].contains(parameter.constraint) else {
                throw fail("declares the parts of a unitary weight with a shape, as '\(name)'; they must be full")
            }
            if case .lowerTriangular(let blockSize) = parameter.shape {
                guard parameter.constraint == .free else {
                    throw fail(
                        "declares the triangular weight '\(name)' with a constraint; only full and block-diagonal weights may have one"
                    )
                }
                guard blockSize >= 1 else {
                    throw fail("declares '\(name)' with blocks of \(blockSize) rows; there must be at least 1")
                }
            }
            guard parameter.blocks >= 1 else {
                throw fail("declares '\(name)' with \(parameter.blocks) blocks; there must be at least 1")
            }
            guard units.isMultiple(of: parameter.blocks) else {
                throw RecurrentError.invalidOption(
                    "cell '\(cell)' has \(parameter.blocks) blocks in '\(name)', so `hiddenSize` must be a multiple of \(parameter.blocks), not \(units)"
                )
            }
            guard !name.isEmpty else { throw fail("declares a parameter without a name") }
            if parameter.hasOwnName, Self.packedNames.contains(name) {
                throw fail("declares '\(name)', a name under which other parameters are stored; rename it")
            }
        }
        // The parts of a unitary weight are stored one after the other.
        let weights = parameters.filter { $0.kind == .recurrentWeight }
        for (index, weight) in weights.enumerated() {
            let before = index > 0 ? weights[index - 1].constraint : .free
            let after = index + 1 < weights.count ? weights[index + 1].constraint : .free
            guard (weight.constraint == .unitaryReal) == (after == .unitaryImaginary),
                weight.constraint != .unitaryImaginary || before == .unitaryReal
            else {
                let isOfNext = ![.unitaryReal, .unitaryImaginary].contains(weight.constraint)
                let lonely = isOfNext ? weights[index + 1] : weight
                throw fail(
                    "declares '\(lonely.name)' as a part of a unitary weight without the other part beside it; declare both with `unitaryWeight(real:imaginary:)`"
                )
            }
        }
    }

    /// The names under which parameters of one kind are stored one after another.
    private static let packedNames: Set = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
}
