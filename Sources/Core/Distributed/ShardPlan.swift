/// How the shards of a batch are divided among the ranks.
///
/// A batch is cut into S shards, a power of two. What is computed for a shard depends on nothing else, and sums run over
/// the shards in one binary tree: neighbours first, then neighbouring pairs. Each of R ranks has S/R consecutive shards,
/// which are a subtree, so the sums have the same bits at any number of ranks.
struct ShardPlan {
    /// The number S of shards.
    let count: Int
    /// The shards of this rank.
    let own: Range<Int>
    /// The number of shards that a rank has.
    let perRank: Int

    /// Divides shards among ranks; if there are more ranks than shards, the last ranks have none.
    init(_ count: Int, _ communicator: any Communicator) {
        self.count = count
        perRank = max(count / communicator.size, 1)
        let start = min(communicator.rank * perRank, count)
        own = start..<min(start + perRank, count)
    }

    /// Checks that shards can be divided among ranks.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if some would have more than others.
    static func check(shards: Int, ranks: Int) throws {
        guard shards % ranks != 0 else { return }
        let fitting = (0...shards.trailingZeroBitCount).map { String(1 << $0) }
        let others =
            fitting.count == 1 ? "only one" : fitting.dropLast().joined(separator: ", ") + " or \(fitting.last!)"
        let isPower = ranks & (ranks - 1) == 0
        throw RecurrentError.invalidOption(
            "\(ranks) ranks can't share `shards` \(shards) evenly; start \(others)"
                + (isPower ? ", or choose `shards` \(ranks)" : ""))
    }

    /// Returns the sum of values of all shards in the order of the tree.
    static func sum<Value>(_ values: [Value], _ add: (Value, Value) -> Value) -> Value {
        var values = values
        while values.count > 1 {
            values = stride(from: 0, to: values.count, by: 2).map {
                $0 + 1 < values.count ? add(values[$0], values[$0 + 1]) : values[$0]
            }
        }
        return values[0]
    }
}
