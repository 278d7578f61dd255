import CUDABackend
import Foundation
import GRUCell
import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import Testing
import UGRUCell
import URNNCell
import VanillaRNNCell

/// The number of calls to the device in a training step of the paper's language model, and
/// of waits of the host: each costs microseconds on any device.
struct LaunchCountTests {
    /// Returns the calls of one step, after everything prepared on first use.
    private static func trace(_ cell: any RecurrentCell) throws -> [TracingDevice.Call] {
        let device = TracingDevice(), backend = CUDABackend(driver: device)
        let vocabulary = 1000, steps = 35, batch = 80
        let description = DatasetDescription(
            inputs: .tokens(vocabulary: vocabulary), targets: .positionClass(classes: vocabulary), isContinuous: true,
            metric: .perplexity)
        let model = try SequenceModel(
            cell: cell, configuration: ModelConfiguration(embeddingSize: 400, hiddenSize: 200), data: description,
            on: backend)
        let updater = try ParameterUpdater(
            model: model, optimizer: Adam(), manifold: ExponentialUpdate(), skewInitialization: ZeroSkew(),
            configuration: .init(clipRecurrent: 0.25))
        var calls: [TracingDevice.Call] = []
        for step in 0..<4 {
            _ = device.takeTrace()
            let batch = Batch(
                steps: steps, size: batch, inputs: .tokens((0..<steps * batch).map { Int32($0 % vocabulary) }),
                targets: (0..<steps * batch).map { Int32($0 % vocabulary) }, startsSequences: step == 0)
            _ = try model.computeGradients(batch, step: step)
            try updater.update(learningRate: 0.01)
            calls = device.takeTrace()
        }
        if ProcessInfo.processInfo.environment["URNN_TRACE"] != nil {
            print("\(cell.name): \(calls.count { $0.isLaunch }) launches, \(calls.count { $0.isWait }) waits")
            for call in calls { print("    \(call)") }
        }
        return calls
    }

    @Test func aStepOfTheGRU() throws {
        let calls = try Self.trace(GRU())
        // One of them makes the sums of δ by token begin at zero.
        #expect(calls.count { $0.isLaunch } <= 26)
        #expect(calls.count { $0.isWait } == 0)
    }

    @Test(arguments: ["ugru", "urnn"]) func theConstraintAddsFew(name: String) throws {
        let free = try Self.trace(name == "ugru" ? GRU() : VanillaRNN())
        let constrained = try Self.trace(name == "ugru" ? UGRU() : URNN())
        #expect(constrained.count { $0.isLaunch } <= free.count { $0.isLaunch } + 4)
        #expect(constrained.count { $0.isWait } == 0)
    }
}
