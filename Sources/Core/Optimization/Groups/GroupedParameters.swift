/// The parameters of a store, divided among the groups of an updater.
struct GroupedParameters {
    /// Consecutive elements of one parameter that belong to one group, or to none.
    struct Part {
        /// The elements among all values.
        let range: Range<Int>
        /// The name of the parameter or the orthogonal block.
        let name: String
        /// The number of the group; nil if the updater's own settings apply.
        let group: Int?
        /// Whether the elements are an orthogonal block.
        let isOrthogonal: Bool
        /// Whether the elements belong to a recurrent weight.
        let isRecurrent: Bool
    }

    let groups: [ParameterGroup]
    /// All elements, in ascending order.
    let parts: [Part]
    /// The elements that keep their values, in as few ranges as possible.
    let frozen: [Range<Int>]
    /// The elements that are updated, in as few ranges as possible.
    let trained: [Range<Int>]

    /// Divides the parameters.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` for a group that asks for something impossible or matches nothing,
    ///   or if all parameters are frozen.
    init(_ groups: [ParameterGroup], _ store: ParameterStore) throws {
        for group in groups { try group.check() }
        self.groups = groups
        try Self.checkNames(groups, store)
        parts = store.entries.indices.flatMap { index in Self.parts(of: index, groups, store) }
        frozen = parts.filter { $0.group.map { groups[$0].isFrozen } ?? false }.map(\.range).joined()
        trained = parts.filter { !($0.group.map { groups[$0].isFrozen } ?? false) }.map(\.range).joined()
        try checkUse()
    }

    /// The names of the parameters and orthogonal blocks that keep their values.
    var frozenNames: [String] {
        let names = parts.filter { group(of: $0)?.isFrozen ?? false }.map(\.name)
        // The elements on both sides of a block have one name.
        return names.enumerated().filter { !names[..<$0].contains($1) }.map(\.element)
    }

    /// Returns the group of a part; nil if it has none.
    func group(of part: Part) -> ParameterGroup? { part.group.map { groups[$0] } }

    /// Returns whether all elements of a range keep their values.
    func isFrozen(_ range: Range<Int>) -> Bool {
        frozen.contains { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
    }

    /// Returns an orthogonal block's group, and its number; nil if it has none.
    func group(of block: ParameterStore.OrthogonalBlock) -> (number: Int, group: ParameterGroup)? {
        parts.first { $0.isOrthogonal && $0.name == block.name }?.group.map { ($0, groups[$0]) }
    }

    private static func parts(of index: Int, _ groups: [ParameterGroup], _ store: ParameterStore) -> [Part] {
        let name = store.entries[index].name, whole = store.range(index)
        let isRecurrent = store.recurrentWeights.contains(index)
        func part(_ range: Range<Int>, block: String? = nil) -> Part {
            let group = groups.firstIndex { $0.matches(name) || block.map($0.matches) ?? false }
            return Part(
                range: range, name: block ?? name, group: group, isOrthogonal: block != nil, isRecurrent: isRecurrent)
        }
        var result: [Part] = [], start = whole.lowerBound
        let blocks = store.orthogonalBlocks.filter { $0.parameter == index }.map { ($0.name, store.range(of: $0)) }
        for (name, range) in blocks.sorted(by: { $0.1.lowerBound < $1.1.lowerBound }) {
            if start < range.lowerBound { result.append(part(start..<range.lowerBound)) }
            result.append(part(range, block: name))
            start = range.upperBound
        }
        if start < whole.upperBound { result.append(part(start..<whole.upperBound)) }
        return result
    }

    /// Checks that every pattern fits a name.
    private static func checkNames(_ groups: [ParameterGroup], _ store: ParameterStore) throws {
        let names = store.names + store.orthogonalBlocks.map(\.name)
        let list = "the parameters are \(names.joined(separator: ", "))"
        for group in groups {
            let option = group.option.map { "`\($0)`: " } ?? ""
            for pattern in group.patterns ?? [] where !names.contains(where: pattern.matches) {
                throw RecurrentError.invalidOption(
                    "\(option)no parameter's name fits '\(pattern.text.excerpt)'; \(list)")
            }
            if !names.contains(where: group.matches) {
                throw RecurrentError.invalidOption("the function of a group accepts no parameter's name; \(list)")
            }
        }
    }

    /// Checks that every group does something, and that something is trained.
    private func checkUse() throws {
        for (number, group) in groups.enumerated() {
            let own = parts.filter { $0.group == number }
            func fail(_ reason: String) -> RecurrentError { .invalidOption("\(group.described): \(reason)") }
            if own.isEmpty {
                throw fail("does nothing, because earlier groups have all the parameters that it matches")
            }
            if group.manifold != nil, !own.contains(where: \.isOrthogonal) {
                throw fail("a manifold update does nothing for \(own[0].name), which isn't kept orthogonal")
            }
            if let decay = group.weightDecay, decay > 0, own.allSatisfy(\.isOrthogonal) {
                throw fail("weight decay does nothing for \(own[0].name), which is kept orthogonal")
            }
        }
        guard !trained.isEmpty || parts.isEmpty else {
            throw RecurrentError.invalidOption("all parameters are frozen, so there is nothing to train")
        }
    }
}

extension [Range<Int>] {
    /// Returns ascending ranges with neighbours that touch made one.
    fileprivate func joined() -> [Range<Int>] {
        reduce(into: []) { result, range in
            if let last = result.last, last.upperBound == range.lowerBound {
                result[result.count - 1] = last.lowerBound..<range.upperBound
            } else {
                result.append(range)
            }
        }
    }

    /// Returns the parts of ascending ranges that lie outside other ascending ranges.
    func subtracting(_ others: [Range<Int>]) -> [Range<Int>] {
        flatMap { range in
            var result: [Range<Int>] = [], start = range.lowerBound
            for other in others.clamped(to: range) {
                if start < other.lowerBound { result.append(start..<other.lowerBound) }
                start = other.upperBound
            }
            if start < range.upperBound { result.append(start..<range.upperBound) }
            return result
        }
    }
}
