import CPUBackend
import Foundation
import RecurrentCore
import RecurrentOptimizers
import ReferenceBackend
import Testing

/// The output of `Fixtures/generate.py`: torch.optim's parameters after each step.
private struct TorchFixture: Decodable {
    let source: String
    let start: [Double]
    /// The gradients of each step.
    let gradients: [[Double]]
    let cases: [Case]

    struct Case: Decodable, CustomTestStringConvertible, Sendable {
        let optimizer: String
        let options: [String: Double]
        let rate: Double
        let parameters: [[Double]]

        var testDescription: String {
            "\(optimizer), rate \(rate), "
                + options.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        }

        func make() throws -> any Optimizer {
            func option(_ name: String) throws -> Double { try #require(options[name]) }
            switch optimizer {
            case "sgd": return SGD(momentum: try option("momentum"), nesterov: try option("nesterov") == 1)
            case "rmsprop": return RMSprop(decay: try option("decay"), epsilon: try option("epsilon"))
            case "adam":
                return Adam(beta1: try option("beta1"), beta2: try option("beta2"), epsilon: try option("epsilon"))
            case "adamw":
                return AdamW(
                    beta1: try option("beta1"), beta2: try option("beta2"), epsilon: try option("epsilon"),
                    weightDecay: try option("weightDecay"))
            default: throw RecurrentError.invalidOption("the fixture names an unknown optimizer, \(optimizer)")
            }
        }
    }

    static let shared: TorchFixture = {
        let url = Bundle.module.resourceURL!.appendingPathComponent("Fixtures/optimizers.json")
        do { return try JSONDecoder().decode(TorchFixture.self, from: Data(contentsOf: url)) } catch {
            fatalError("\(url.path): \(error)")
        }
    }()
}

/// Runs the fixture's steps on a backend.
/// - Returns: The parameters after each step.
private func run(_ optimizer: any Optimizer, rate: Double, on backend: any Backend) throws -> [[Double]] {
    let fixture = TorchFixture.shared
    let count = fixture.start.count
    let kernel = try backend.compile(optimizer.program)
    let parameter = try backend.makeMatrix(fixture.start, rows: 1, columns: count)
    let gradient = try backend.allocate(rows: 1, columns: count)
    let state = try (0..<optimizer.stateCount).map { _ in try backend.allocate(rows: 1, columns: count) }
    return fixture.gradients.enumerated().map { index, row in
        backend.upload(row, to: gradient)
        backend.run(
            kernel, inputs: [parameter, gradient] + state, outputs: [parameter] + state,
            scalars: [rate] + optimizer.scalars(step: index + 1))
        return backend.download(parameter)
    }
}

/// Returns the largest error of any parameter at any step, relative to how far that
/// parameter has moved up to then (and to its rounding).
private func error(_ actual: [[Double]], _ expected: [[Double]], ulp: Double) -> Double {
    let start = TorchFixture.shared.start
    var worst = 0.0
    var travelled = [Double](repeating: 0, count: start.count)
    var before = start
    for (a, e) in zip(actual, expected) {
        for i in start.indices {
            travelled[i] += (e[i] - before[i]).magnitude
            let rounding = ulp * 25 * (travelled[i] + start[i].magnitude)
            let excess = max(0, (a[i] - e[i]).magnitude - rounding)
            worst = a[i].isFinite ? max(worst, excess / max(travelled[i], .leastNormalMagnitude)) : .infinity
        }
        before = e
    }
    return worst
}

@Test(arguments: TorchFixture.shared.cases)
private func agreesWithTorchInDouble(fixture: TorchFixture.Case) throws {
    let parameters = try run(fixture.make(), rate: fixture.rate, on: ReferenceBackend())
    #expect(parameters.count == fixture.parameters.count && parameters.count >= 10)
    #expect(error(parameters, fixture.parameters, ulp: 0x1p-53) < 1e-13)
}

@Test(arguments: TorchFixture.shared.cases)
private func agreesWithTorchInFloat(fixture: TorchFixture.Case) throws {
    let parameters = try run(fixture.make(), rate: fixture.rate, on: CPUBackend(threads: 1))
    #expect(error(parameters, fixture.parameters, ulp: 0x1p-24) < 2e-6)
}

@Test func fixtureCoversEveryOptimizerInSeveralSettings() {
    let counts = Dictionary(grouping: TorchFixture.shared.cases, by: \.optimizer).mapValues(\.count)
    #expect(Set(counts.keys) == ["sgd", "rmsprop", "adam", "adamw"])
    #expect(counts.values.allSatisfy { $0 >= 3 })
}
