import CPUBackend
import GRUCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing
import UGRUCell
import URNNCell

/// Compares zoneout with single steps of the same layer without it.
struct ZoneoutTests {
    private static let cells: [any RecurrentCell] = [
        GRU(), URNN(), CellGradientTests.SharedWeight(), ComplexCell(),
    ]
    private static let key = RandomKey(seed: 3, purpose: .test, stream: 9)
    private static let steps = 30, batch = 6, hidden = 8, width = 5

    /// Two layers with the same weights, one of which has zoneout.
    private struct Pair {
        let backend: any Backend
        let store = ParameterStore(), plainStore = ParameterStore()
        let layer: RecurrentLayer, plain: RecurrentLayer
        let input: MatrixView
        /// The initial value of each state, [B, H].
        let initial: [MatrixView]

        init(_ cell: any RecurrentCell, rate: Double, _ backend: any Backend = ReferenceBackend()) throws {
            self.backend = backend
            layer = try RecurrentLayer(
                cell, inputWidth: width, hiddenWidth: hidden, zoneout: rate, parameters: store, on: backend)
            plain = try RecurrentLayer(
                cell, inputWidth: width, hiddenWidth: hidden, parameters: plainStore, on: backend)
            try store.allocate(on: backend)
            try plainStore.allocate(on: backend)
            var random = RandomStream(RandomKey(seed: 5, purpose: .test))
            backend.upload((0..<store.count).map { _ in random.uniform(in: -0.6...0.6) }, to: store.allValues)
            backend.copy(store.allValues, to: plainStore.allValues)
            input = try backend.makeMatrix(
                (0..<steps * batch * width).map { _ in random.uniform(in: -1...1) }, rows: steps * batch, columns: width
            )
            initial = try cell.stateNames.map { _ in
                try backend.makeMatrix(
                    (0..<batch * hidden).map { _ in random.uniform(in: -1...1) }, rows: batch, columns: hidden)
            }
        }

        /// Returns all states after each step, [state][1 + T][B·H], beginning with the initial one.
        func states(training: Bool, lengths: [Int]? = nil, key: RandomKey? = ZoneoutTests.key) throws -> [[[Double]]] {
            _ = try layer.forward(
                input, steps: steps, batch: batch, initial: .given(initial), lengths: lengths,
                options: training ? .training : .inference, zoneoutKey: key)
            return layer.cell.stateNames.indices.map { index in
                let all: [Double] = backend.download(layer.states(index))
                return [backend.download(initial[index])]
                    + (0..<steps).map { Array(all[$0 * batch * hidden..<($0 + 1) * batch * hidden]) }
            }
        }

        /// Returns the states after step `t` without zoneout, given those before it.
        func step(_ t: Int, from states: [[Double]]) throws -> [[Double]] {
            let before = try states.map { try backend.makeMatrix($0, rows: batch, columns: hidden) }
            _ = try plain.forward(
                input.rows(t * batch..<(t + 1) * batch), steps: 1, batch: batch, initial: .given(before),
                options: .inference)
            return states.indices.map { backend.download(plain.finalState($0)) }
        }
    }

    @Test(arguments: cells.indices) func aUnitTakesItsNewValueOrKeepsTheOld(cell: Int) throws {
        let pair = try Pair(Self.cells[cell], rate: 0.3), states = try pair.states(training: true)
        var kept = [Int](repeating: 0, count: states.count), both = 0
        for t in 0..<Self.steps {
            let new = try pair.step(t, from: states.map { $0[t] })
            for unit in 0..<Self.batch * Self.hidden {
                let keeps = states.indices.map {
                    states[$0][t + 1][unit] == states[$0][t][unit] && new[$0][unit] != states[$0][t][unit]
                }
                for state in states.indices {
                    if keeps[state] {
                        kept[state] += 1
                    } else {
                        #expect(abs(states[state][t + 1][unit] - new[state][unit]) <= 1e-13)
                    }
                }
                if keeps.allSatisfy({ $0 }) { both += 1 }
            }
        }
        // ReLU gives zeros that stay zero either way; the other cells' units always change.
        let count = Double(Self.steps * Self.batch * Self.hidden)
        if cell != 1 {
            for number in kept { #expect(abs(Double(number) / count - 0.3) < 0.06) }
            // Each state has its own mask.
            if states.count == 2 { #expect(abs(Double(both) / count - 0.09) < 0.04) }
        } else {
            #expect(kept[0] > 0)
        }
        #expect(try pair.states(training: true) == states)
        #expect(try pair.states(training: true, key: RandomKey(seed: 3, purpose: .test, stream: 10)) != states)
    }

    @Test(arguments: cells.indices) func evaluationTakesTheMean(cell: Int) throws {
        let pair = try Pair(Self.cells[cell], rate: 0.3), states = try pair.states(training: false)
        for t in 0..<Self.steps {
            let new = try pair.step(t, from: states.map { $0[t] })
            for state in states.indices {
                let expected = zip(states[state][t], new[state]).map { 0.3 * $0 + 0.7 * $1 }
                #expect(relativeError(states[state][t + 1], expected) <= 1e-12)
            }
        }
    }

    @Test func aStateStopsAtItsSequencesEnd() throws {
        let pair = try Pair(GRU(), rate: 0.3), lengths = [30, 7, 1, 0, 12, 29]
        let all = try pair.states(training: true)[0], states = try pair.states(training: true, lengths: lengths)[0]
        for (row, length) in lengths.enumerated() {
            let units = row * Self.hidden..<(row + 1) * Self.hidden
            for t in 0...Self.steps {
                #expect(states[t][units] == (t <= length ? all[t][units] : states[length][units]))
            }
        }
    }

    @Test func withoutAKeyNothingIsKept() throws {
        let pair = try Pair(GRU(), rate: 0.9), plain = try Pair(GRU(), rate: 0)
        #expect(try pair.states(training: true, key: nil) == plain.states(training: true))
    }

    @Test(arguments: cells.indices, [true, false]) func gradientsAgreeWithCentralDifferences(
        cell: Int, hasLengths: Bool
    ) throws {
        let pair = try Pair(Self.cells[cell], rate: 0.4), lengths = hasLengths ? [30, 7, 1, 0, 12, 29] : nil
        var random = RandomStream(RandomKey(seed: 8, purpose: .test))
        let weights = (0..<Self.steps * Self.batch * Self.hidden).map { _ in random.uniform(in: -1...1) }
        let values: [Double] = pair.backend.download(pair.store.allValues)
        func loss(_ values: [Double]) throws -> Double {
            pair.backend.upload(values, to: pair.store.allValues)
            let states = try pair.states(training: true, lengths: lengths)[0]
            return zip(states[1...].joined(), weights).reduce(0) { $0 + $1.0 * $1.1 }
        }
        _ = try loss(values)
        pair.backend.fill(pair.store.allGradients, with: 0)
        pair.backend.fill(pair.layer.outputGradient, with: 0)
        pair.backend.upload(weights, to: pair.layer.outputGradient.columns(0..<Self.hidden))
        try pair.layer.backward()
        let gradient: [Double] = pair.backend.download(pair.store.allGradients)
        #expect(relativeError(gradient, try centralDifferences(values, step: 1e-5, loss)) <= 1e-6)
    }

    @Test func everyBackendDrawsTheSameMasks() throws {
        let reference = try Pair(UGRU(), rate: 0.5).states(training: true)[0]
        let cpu = try Pair(UGRU(), rate: 0.5, CPUBackend()).states(training: true)[0]
        #expect(relativeError(cpu[1...].flatMap { $0 }, reference[1...].flatMap { $0 }) <= 1e-5)
    }

    /// The masks don't take a separate kernel in the loop.
    @Test(arguments: [Zoneout.random, .expected(rate: 0.2)]) func theLoopStaysFused(zoneout: Zoneout) throws {
        let plan = try StepCompiler.compile(GRU(), inputWidth: 3, hiddenWidth: 5, zoneout: zoneout)
        for loop in [plan.forwardLoop, plan.backwardLoop] {
            #expect(loop.count { $0.isGEMM } == 1 && loop.count { $0.isKernel } == 1)
        }
    }
}
