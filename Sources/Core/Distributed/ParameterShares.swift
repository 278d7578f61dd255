/// Which rank owns which parameters: it adds up their gradients, holds their optimizer's state and updates them.
///
/// Each orthogonal block has one owner, because its update needs all of it. All other elements are divided so that
/// everybody owns about as many, in pieces of ``piece`` elements. Frozen elements have no owner: they change nowhere.
struct ParameterShares {
    /// The elements of a piece, which no two ranks share; the norm of a gradient is summed up by pieces.
    static let piece = GradientNorm.width

    /// The elements of all trained parameters in the parts in which the norm is summed up: blocks, and what lies between them.
    let parts: [Range<Int>]
    /// The elements outside orthogonal blocks that each rank owns, in as few ranges as possible.
    let free: [[Range<Int>]]
    /// The owner of each orthogonal block; nil if it is frozen.
    let blockOwners: [Int?]
    /// All elements that each rank owns, in ascending order.
    let owned: [[Range<Int>]]

    /// Divides parameters among ranks.
    ///
    /// - Parameter frozen: the elements that keep their values, in ascending order.
    init(_ parameters: ParameterStore, ranks: Int, frozen: [Range<Int>] = []) {
        let all = parameters.orthogonalBlocks.map { parameters.range(of: $0) }
        let trained = all.indices.filter { frozen.clamped(to: all[$0]).isEmpty }
        let blocks = trained.map { all[$0] }
        let owners = blocks.indices.map { $0 % ranks }
        let count = parameters.count - frozen.elementCount
        var wanted = [Int](repeating: 0, count: ranks)
        for rank in 0..<ranks {
            let goal = count * (rank + 1) / ranks - count * rank / ranks
            wanted[rank] = max(0, goal - zip(blocks, owners).reduce(0) { $0 + ($1.1 == rank ? $1.0.count : 0) })
        }
        let free = parameters.freeRanges.subtracting(frozen)
        let total = free.reduce(0) { $0 + $1.count }, sum = max(wanted.reduce(0, +), 1)
        // The borders between ranks among the free elements, as if they were consecutive.
        var borders = [0]
        for rank in 0..<ranks { borders.append(borders[rank] + wanted[rank]) }
        borders = borders.map { total * $0 / sum }

        var result = [[Range<Int>]](repeating: [], count: ranks), position = 0, rank = 0
        for range in free {
            for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.piece) {
                let end = min(start + Self.piece, range.upperBound)
                // A piece belongs to the rank in whose part its middle lies.
                while rank + 1 < ranks, 2 * position + (end - start) >= 2 * borders[rank + 1] { rank += 1 }
                if let last = result[rank].last, last.upperBound == start {
                    result[rank][result[rank].count - 1] = last.lowerBound..<end
                } else {
                    result[rank].append(start..<end)
                }
                position += end - start
            }
        }
        parts = (free + blocks).sorted { $0.lowerBound < $1.lowerBound }
        self.free = result
        var blockOwners = [Int?](repeating: nil, count: all.count)
        for (block, owner) in zip(trained, owners) { blockOwners[block] = owner }
        self.blockOwners = blockOwners
        let owned = (0..<ranks).map { rank in
            (result[rank] + zip(blocks, owners).filter { $0.1 == rank }.map(\.0)).sorted {
                $0.lowerBound < $1.lowerBound
            }
        }
        self.owned = owned
    }
}

extension [Range<Int>] {
    /// The number of elements in all ranges.
    var elementCount: Int { reduce(0) { $0 + $1.count } }

    /// Returns the parts of the ranges that lie within another.
    func clamped(to range: Range<Int>) -> [Range<Int>] {
        map { $0.clamped(to: range) }.filter { !$0.isEmpty }
    }
}
