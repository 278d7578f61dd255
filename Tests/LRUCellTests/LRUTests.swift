import CPUBackend
import Foundation
import LRUCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

@Test func gradientsAgreeWithCentralDifferences() throws { try checkCell(LRU(), on: ReferenceBackend()) }

@Test func cpuAgreesWithReference() throws {
    try checkCell(LRU(), on: CPUBackend(), against: ReferenceBackend())
}

@Test func pyTorchsNumbers() throws {
    let fixture = try PyTorchFixture(named: "lru", in: .module)
    try checkCell(LRU(), reproduces: fixture, on: ReferenceBackend(), tolerance: 1e-10)
    try checkCell(LRU(), reproduces: fixture, on: CPUBackend(), tolerance: 1e-5)
}

private func options(_ low: Double, _ high: Double, phase: Double) -> LRU.Options {
    var options = LRU.Options()
    (options.minimumRadius, options.maximumRadius, options.maximumPhase) = (low, high, phase)
    return options
}

/// The eigenvalues fill the ring evenly, γ normalizes them, and B, C and D have the paper's variances.
@Test(arguments: [options(0, 1, phase: 2 * .pi), options(0.9, 0.999, phase: .pi / 10)])
func initialValues(options: LRU.Options) throws {
    let hidden = 200, width = 50, backend = ReferenceBackend(), store = ParameterStore()
    let layer = try RecurrentLayer(
        LRU(options: options), inputWidth: width, hiddenWidth: hidden, parameters: store, on: backend)
    try store.allocate(on: backend)
    try ParameterInitializer(seed: 1, parameters: store, on: backend).fill(layer)
    func values(_ name: String) throws -> [Double] {
        let number = try #require(store.entries.firstIndex { $0.name == "rnn.\(name)_l0" })
        return backend.download(store.value(number))
    }
    let magnitudes = try values("nu_log").map { exp(-exp($0)) }, phases = try values("theta_log").map { exp($0) }
    let squares = options.minimumRadius * options.minimumRadius...options.maximumRadius * options.maximumRadius
    #expect(magnitudes.allSatisfy { squares.contains($0 * $0) })
    #expect(phases.allSatisfy { $0 > 0 && $0 <= options.maximumPhase })
    func mean(_ values: some Collection<Double>) -> Double { values.reduce(0, +) / Double(values.count) }
    let middle = (squares.lowerBound + squares.upperBound) / 2
    #expect(abs(mean(magnitudes.map { $0 * $0 }) - middle) < 1e-6)
    #expect(abs(mean(phases) / options.maximumPhase - 0.5) < 0.1)
    for (gamma, magnitude) in zip(try values("gamma_log"), magnitudes) {
        #expect(abs(exp(2 * gamma) + magnitude * magnitude - 1) < 1e-12)
    }
    let input = try values("weight_ih"), recurrent = try values("weight_hh"), part = hidden * width
    for (numbers, variance) in [
        (input[..<(2 * part)], 1 / Double(2 * width)), (input[(2 * part)...], 1 / Double(width)),
        (recurrent[...], 1 / Double(hidden)),
    ] {
        #expect(abs(mean(numbers.map { $0 * $0 }) / variance - 1) < 0.05)
        #expect(abs(mean(numbers)) < 0.05 * variance.squareRoot())
    }
}

/// With |λ| ≤ 1 and γ² = 1 − |λ|², the mean square of the states of long random sequences is that of B x.
@Test func statesKeepTheirSize() throws {
    let (steps, batch, hidden, width) = (300, 20, 40, 30)
    let backend = ReferenceBackend(), store = ParameterStore()
    let layer = try RecurrentLayer(
        LRU(options: options(0.5, 0.95, phase: 3)), inputWidth: width, hiddenWidth: hidden, parameters: store,
        on: backend)
    try store.allocate(on: backend)
    try ParameterInitializer(seed: 1, parameters: store, on: backend).fill(layer)
    var random = RandomStream(RandomKey(seed: 1, purpose: .test))
    let input = try backend.makeMatrix(
        (0..<steps * batch * width).map { _ in random.normal() }, rows: steps * batch, columns: width)
    _ = try layer.forward(input, steps: steps, batch: batch, options: .inference)
    let squares = (1...2).map { index in
        (backend.download(layer.finalState(index)) as [Double]).reduce(0) { $0 + $1 * $1 } / Double(batch * hidden)
    }
    #expect(abs(squares[0] + squares[1] - 1) < 0.15, "\(squares)")
}

@Test func aRingTheWrongWayRoundIsRefused() {
    #expect(throws: RecurrentError.self) { try options(0.9, 0.5, phase: 1).validate() }
}

/// What depends on the parameters alone is computed again, not kept for every step.
@Test func nothingButStatesIsKept() throws {
    let plan = try StepCompiler.compile(LRU(), inputWidth: 30, hiddenWidth: 50)
    #expect(!plan.buffers.contains { $0.name.hasPrefix("saved") })
    #expect(plan.forwardLoop.count { $0.isGEMM } == 2)
}
