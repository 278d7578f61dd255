import RecurrentCore

/// How the time loops of a plan run.
package enum CUDALoops: Sendable {
    /// A persistent kernel if one fits and is expected to be faster, else a recording.
    case automatic
    /// One kernel for all steps, or a recording if the plan doesn't fit into one.
    case persistent
    /// A recording of the kernels and products.
    case recorded
}

/// The plan's time loops, each started by one call: either a kernel that goes through all
/// steps (``PersistentLoop``) or a recording of the separate calls.
///
/// The prelude and the epilogue are only a few launches and aren't recorded; the epilogue also
/// borrows memory from the pool, which no recording may keep using.
final class CUDARecurrence: RecurrenceExecutor {
    private let steps: DefaultRecurrence
    private let backend: CUDABackend
    private let persistent: (forward: PersistentLoop?, backward: PersistentLoop?)
    private var recorded = (forward: RecordedLoop(), backward: RecordedLoop())

    init(_ plan: RecurrencePlan, _ binding: RecurrenceBinding, on backend: CUDABackend) throws {
        let steps = try DefaultRecurrence(plan, binding, on: backend)
        self.steps = steps
        self.backend = backend
        func loop(_ direction: PersistentLoop.Direction) throws -> PersistentLoop? {
            guard backend.loops != .recorded else { return nil }
            let loop = try PersistentLoop(direction, of: plan, binding, on: backend)
            return backend.loops == .persistent || loop?.geometry.isFast(steps: binding.steps) == true ? loop : nil
        }
        let forward = try loop(.forward), backward = plan.training ? try loop(.backward) : nil
        persistent = (forward, backward)
    }

    func forward() throws {
        steps.runPrelude()
        if let loop = persistent.forward {
            loop.run(on: backend)
        } else {
            try recorded.forward.run(on: backend.driver, steps.runForwardLoop)
        }
    }

    func backward() throws {
        if let loop = persistent.backward {
            loop.run(on: backend)
        } else {
            try recorded.backward.run(on: backend.driver, steps.runBackwardLoop)
        }
        steps.runEpilogue()
    }
}

/// Launches that are always the same: a CUDA graph costs the host one call, whereas
/// running step by step takes several calls per step.
///
/// A loop runs step by step the first time, so that the libraries load what they need,
/// and is recorded the second time: a batch shape that occurs only once isn't worth
/// recording.
private struct RecordedLoop {
    private var runs = 0
    private var recording: (any DeviceRecording)?

    mutating func run(on driver: any DeviceDriver, _ calls: () -> Void) throws {
        if runs == 1 { recording = try driver.record(calls) }
        runs = min(runs + 1, 2)
        // A device that can't record runs step by step.
        if let recording { recording.run() } else { calls() }
    }
}
