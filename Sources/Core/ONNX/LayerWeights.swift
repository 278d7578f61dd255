import RecurrentCore

/// The values of a layer's parameters.
struct LayerWeights {
    let model: TrainedModel
    let layer: Int
    let layout: PackedLayout
    let hiddenWidth: Int

    /// Returns the name of a packed parameter in saved models.
    func name(packed: Int) -> String { "rnn.\(layout.packed[packed].name)_l\(layer)" }

    /// Returns rows of a packed matrix, or columns of a packed vector, one after another.
    func values(packed: Int, _ range: Range<Int>) -> [Float] {
        let name = name(packed: packed)
        guard let all = model.values(of: name) else { preconditionFailure("the model has no '\(name)'") }
        let width = layout.packed[packed].parts[0].parameter.isVector ? 1 : layout.packed[packed].columns
        return Array(all[range.lowerBound * width..<range.upperBound * width])
    }

    /// Returns the values of one of the cell's parameters.
    func values(parameter: Int) -> [Float] {
        let location = layout.locations[parameter]
        return values(packed: location.packed, location.start..<location.start + hiddenWidth)
    }

    /// Returns the sum that a parameter of an operator stands for; zeros for nil.
    ///
    /// - Parameters:
    ///   - combination: the sum.
    ///   - count: the number of elements.
    func values(_ combination: Unifier.Combination?, count: Int) -> [Float] {
        guard let combination else { return [Float](repeating: 0, count: count) }
        if combination.count == 1, case (.parameter(let number), 1)? = combination.first {
            return values(parameter: number)
        }
        var sum = [Double](repeating: 0, count: count)
        for (part, coefficient) in combination.sorted(by: { $0.key < $1.key }) {
            switch part {
            case .ones: for index in sum.indices { sum[index] += coefficient }
            case .parameter(let number):
                let values = self.values(parameter: number)
                for index in sum.indices { sum[index] += coefficient * Double(values[index]) }
            }
        }
        return sum.map { Float($0) }
    }

    /// Returns rows of a packed matrix with rows and columns exchanged, so that a product needs no operator for that.
    func transposed(packed: Int, _ rows: Range<Int>) -> [Float] {
        let values = values(packed: packed, rows), columns = layout.packed[packed].columns
        return [Float](unsafeUninitializedCapacity: values.count) { result, count in
            for column in 0..<columns {
                for row in 0..<rows.count { result[column * rows.count + row] = values[row * columns + column] }
            }
            count = values.count
        }
    }
}
