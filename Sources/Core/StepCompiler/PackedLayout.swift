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

    init(_ parameters: [CellParameter], inputWidth: Int, hiddenWidth: Int) {
        var locations: [Int: Location] = [:]
        var result: [PackedParameter] = []
        func pack(_ name: String, isMatrix: Bool, columns: Int, _ isMember: (CellParameter.Kind) -> Bool) {
            var parts: [PackedParameter.Part] = []
            for (index, parameter) in parameters.enumerated() where isMember(parameter.kind) {
                locations[index] = Location(packed: result.count, start: parts.count * hiddenWidth)
                parts.append(.init(parameter: parameter, start: parts.count * hiddenWidth, count: hiddenWidth))
            }
            guard !parts.isEmpty else { return }
            let length = parts.count * hiddenWidth
            result.append(
                PackedParameter(
                    name: name, rows: isMatrix ? length : 1, columns: isMatrix ? columns : length, parts: parts))
        }
        pack("weight_ih", isMatrix: true, columns: inputWidth) { $0 == .inputWeight }
        pack("weight_hh", isMatrix: true, columns: hiddenWidth) { $0 == .recurrentWeight }
        pack("bias_ih", isMatrix: false, columns: 0) { $0 == .inputBias }
        pack("bias_hh", isMatrix: false, columns: 0) { $0 == .recurrentBias }
        for (index, parameter) in parameters.enumerated() {
            guard case .perUnit = parameter.kind else { continue }
            locations[index] = Location(packed: result.count, start: 0)
            result.append(
                PackedParameter(
                    name: parameter.name, rows: 1, columns: hiddenWidth,
                    parts: [.init(parameter: parameter, start: 0, count: hiddenWidth)]))
        }
        packed = result
        self.locations = parameters.indices.map { locations[$0]! }
    }
}
