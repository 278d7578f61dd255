/// A tensor of the saved state, whose elements may lie with several processes.
struct StateTensor {
    /// Consecutive elements that one process holds.
    struct Part {
        /// The process that holds them; nil if all do.
        let rank: Int?
        /// Their place in the tensor, row by row.
        let elements: Range<Int>
        /// Where they lie, packed, if this process holds them.
        let view: MatrixView?
    }

    let name: String
    let rows: Int, columns: Int
    let parts: [Part]
    var count: Int { rows * columns }

    init(_ name: String, rows: Int, columns: Int, parts: [Part]) {
        self.name = name
        self.rows = rows
        self.columns = columns
        self.parts = parts
    }

    /// Creates a tensor that every process holds.
    init(_ name: String, _ view: MatrixView) {
        let part = Part(rank: nil, elements: 0..<view.count, view: view)
        self.init(name, rows: view.rows, columns: view.columns, parts: [part])
    }
}

extension ParameterUpdater {
    /// The names of the parameters and orthogonal blocks that keep their values.
    public var frozenNames: [String] { grouped.frozenNames }

    /// Returns whether the parameter with this number keeps all its values. The model's own gradients aren't complete then:
    /// a ``Trainer`` doesn't compute those that nobody needs.
    func isFrozen(_ parameter: Int) -> Bool { grouped.isFrozen(parameters.range(parameter)) }

    /// The number of the optimizers' state variables and of elements of B and the like that this process holds.
    package var stateCount: Int {
        stateRanges.elementCount * stateVariables
            + constrained.reduce(0) { sum, item in
                sum + item.point.parameters.reduce(0) { $0 + $1.count } * (1 + stateVariables)
                    + item.point.base.reduce(0) { $0 + $1.count }
            }
    }

    /// What changes from update to update, with names for a checkpoint: the optimizer's state, and each B, or what else
    /// an orthogonal weight is computed from.
    var stateTensors: [StateTensor] { stateTensors(of: ranges) }

    /// Returns ``stateTensors`` as they are divided in a file with as many pieces of the free parameters' state. A rate
    /// of its own for recurrent weights divides them further, and may have been set or removed since.
    func stateTensors(pieces: Int) -> [StateTensor] {
        let layouts = [ranges, parameters.freeRanges, parameters.freeRangesByKind.map(\.range)]
        return stateTensors(of: layouts.first { $0.count * stateVariables == pieces } ?? ranges)
    }

    /// What the names of the pieces of the free parameters' state begin with.
    static let freePrefix = "optimizer.free"

    /// The ranges of free parameters, by which the state is saved, whatever the groups are; the state of frozen ones is 0.
    private var ranges: [Range<Int>] {
        recurrentRate == 1 ? parameters.freeRanges : parameters.freeRangesByKind.map(\.range)
    }

    private func stateTensors(of ranges: [Range<Int>]) -> [StateTensor] {
        let states = 0..<stateVariables
        let free = ranges.enumerated().flatMap { number, range in
            states.map { state in
                StateTensor(
                    "\(Self.freePrefix)\(number).state\(state)", rows: 1, columns: range.count,
                    parts: freeParts(of: range, state))
            }
        }
        return free
            + parameters.orthogonalBlocks.enumerated().flatMap { index, block -> [StateTensor] in
                // A frozen block has no B, and the model's own tensors hold its weight.
                guard let owner = shares.blockOwners[index], let layout = blockLayouts[index] else { return [] }
                let item = constrained.first { $0.block.name == block.name }
                func tensor(_ name: String, rows: Int, columns: Int, _ view: MatrixView?) -> StateTensor {
                    let part = StateTensor.Part(rank: owner, elements: 0..<rows * columns, view: view)
                    return StateTensor(name, rows: rows, columns: columns, parts: [part])
                }
                return layout.parameters.enumerated().flatMap { number, matrix in
                    [
                        tensor(
                            Self.stateName(of: matrix, block), rows: matrix.rows, columns: matrix.columns,
                            item?.point.parameters[number])
                    ]
                        + states.map {
                            tensor(
                                "optimizer.\(Self.ownName(of: matrix, block)).state\($0)", rows: 1,
                                columns: matrix.count,
                                item?.states[number][$0])
                        }
                }
                    + layout.base.enumerated().map { number, matrix in
                        tensor(
                            Self.stateName(of: matrix, block), rows: matrix.rows, columns: matrix.columns,
                            item?.point.base[number])
                    }
            }
    }

    /// Keeps the points of the present weights, which are the best so far, where they can't be found from the weights.
    func keepPoints() {
        for item in constrained {
            guard let kept = item.kept else { continue }
            for (source, copy) in zip(item.point.matrices, kept.matrices) { backend.copy(source, to: copy) }
        }
        hasKeptPoints = true
    }

    /// The points that ``keepPoints()`` keeps.
    var keptTensors: [StateTensor] {
        parameters.orthogonalBlocks.enumerated().flatMap { index, block -> [StateTensor] in
            guard let owner = shares.blockOwners[index], let layout = blockLayouts[index], layout.isKept else {
                return []
            }
            let item = constrained.first { $0.block.name == block.name }
            return (layout.parameters + layout.base).enumerated().map { number, matrix in
                let view = item?.kept?.matrices[number]
                return StateTensor(
                    Self.keptName(of: matrix, block), rows: matrix.rows, columns: matrix.columns,
                    parts: [StateTensor.Part(rank: owner, elements: 0..<matrix.count, view: view)])
            }
        }
    }

    private static func ownName(of matrix: ManifoldMatrix, _ block: ParameterStore.OrthogonalBlock) -> String {
        matrix.name.isEmpty ? block.name : "\(block.name).\(matrix.name)"
    }

    /// Returns the name under which a parameter or a base of an orthogonal weight is saved.
    static func stateName(of matrix: ManifoldMatrix, _ block: ParameterStore.OrthogonalBlock) -> String {
        "manifold.\(ownName(of: matrix, block))"
    }

    /// Returns the name under which a matrix of the best weights' point is saved.
    static func keptName(of matrix: ManifoldMatrix, _ block: ParameterStore.OrthogonalBlock) -> String {
        "best.\(stateName(of: matrix, block))"
    }

    /// Returns who holds which part of a state of these elements.
    private func freeParts(of range: Range<Int>, _ state: Int) -> [StateTensor.Part] {
        shares.free.enumerated().flatMap { rank, owned in
            owned.clamped(to: range).map { part in
                StateTensor.Part(
                    rank: rank, elements: part.lowerBound - range.lowerBound..<part.upperBound - range.lowerBound,
                    view: rank == communicator.rank ? stateViews(of: part)[state] : nil)
            }
        }
    }
}
