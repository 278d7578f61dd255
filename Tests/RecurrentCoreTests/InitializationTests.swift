import GRUCell
import RecurrentCore
import ReferenceBackend
import Testing
import VanillaRNNCell

/// Orthogonal initializations of free recurrent weights.
struct InitializationTests {
    @Test(arguments: [RecurrentInitialization.identity, .orthogonal, .rotations], [5, 6])
    func everyGateStartsOrthogonal(start: RecurrentInitialization, size: Int) throws {
        for cell in [VanillaRNN(), GRU()] as [any RecurrentCell] {
            let model = try GradientFlowTests.model(cell, hidden: size, start: start)
            let weight = try #require(model.parameters.entries.firstIndex { $0.name == "rnn.weight_hh_l0" })
            let values: [Double] = model.backend.download(model.parameters.value(weight))
            for gate in 0..<values.count / (size * size) {
                let w = Array(values[gate * size * size..<(gate + 1) * size * size])
                for i in 0..<size {
                    for j in 0..<size {
                        var product = 0.0
                        for k in 0..<size { product += w[i * size + k] * w[j * size + k] }
                        #expect(abs(product - (i == j ? 1 : 0)) < 1e-12)
                    }
                }
                guard start == .rotations else { continue }
                // There are blocks of two, and each gate has its own angles.
                #expect(w[1] == -w[size] && w[0] == w[size + 1] && abs(w[0]) < 1 && w[2] == 0)
                #expect(gate == 0 || w[0] != values[0])
                if size % 2 == 1 { #expect(w.last == 1) }
            }
        }
    }

    /// With one unit, a weight [1, E] has the shape of a bias, but every element gets its own number.
    @Test(arguments: RecurrentInitialization.allCases)
    func aStateOfOneUnit(start: RecurrentInitialization) throws {
        for cell in [VanillaRNN(), GRU()] as [any RecurrentCell] {
            let model = try GradientFlowTests.model(cell, hidden: 1, width: 7, start: start)
            for (index, parameter) in model.parameters.entries.enumerated() where parameter.name.hasPrefix("rnn.") {
                let values: [Double] = model.backend.download(model.parameters.value(index))
                let isOrthogonal = start != .uniform && parameter.name == "rnn.weight_hh_l0"
                #expect(
                    values.allSatisfy { isOrthogonal ? abs($0) == 1 : abs($0) <= 1 && $0 != 0 }, "\(parameter.name)")
                if !isOrthogonal { #expect(Set(values).count == values.count, "\(parameter.name)") }
            }
        }
    }
}
