import RecurrentCore

/// A cell with equations that are drawn at random, from all operations that are continuous.
struct RandomCell: RecurrentCell {
    let seed: UInt64
    var name: String { "random_\(seed)" }
    var summary: String { "random equations" }
    var stateNames: [String] { seed % 2 == 0 ? ["h"] : ["h", "c"] }
    var parameters: [CellParameter] {
        [
            .recurrentWeight("W"), .inputWeight("U"), .inputBias("a"), .recurrentWeight("V"), .perUnit("v"),
            .inputWeight("T"), .recurrentBias("b"), .recurrentWeight("K", shape: .blockDiagonal(blocks: 3)),
            .recurrentWeight("d", shape: .diagonal),
        ]
    }

    func step(input x: SymbolicValue, states: CellStates, parameters p: CellSymbols) -> [SymbolicValue] {
        var random = RandomStream(RandomKey(seed: seed, purpose: .test, stream: 5))
        var values = states + [p.U • x, p.T • x, p.a, p.v, p.b, 0.5, p.W • states[0]]
        // Not all equations have these products.
        let last = p.V • states[0] + p.K • states[0] + p.d • states[0]
        func pick() -> SymbolicValue { values[random.integer(below: values.count)] }
        for _ in 0..<14 {
            let (a, b, c) = (pick(), pick(), pick())
            let new =
                switch random.integer(below: 19) {
                case 0: a + b
                case 1: a - b
                case 2: a * b
                case 3: a / (2 + abs(b))
                case 4: max(a, b)
                case 5: min(a, b)
                case 6: tanh(a)
                case 7: sigmoid(a)
                case 8: exp(-abs(a))
                case 9: log(1.5 + a * a)
                case 10: sqrt(0.5 + abs(a))
                case 11: select(a > 0, a * b, a * c)
                case 12: select(c, a, b)
                case 13: sin(a)
                case 14: cos(a * b)
                case 15: erf(a)
                case 16: p.K • (tanh(a) * states[0])
                case 17: p.d • b
                default: p.V • (tanh(a) * states[0])
                }
            values.append(new)
        }
        return states.indices.map { tanh(0 * last + values[values.count - 1 - $0] + 0.3 * values[values.count - 4]) }
    }
}
