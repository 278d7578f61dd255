import RecurrentCore

/// The plan's time loops, recorded once and then started as one: a CUDA graph costs
/// the host one call, where step by step there are several launches for each step.
///
/// A loop runs step by step the first time, so that the libraries have loaded what
/// they need, and is recorded when it is asked for again: a batch's shape that comes
/// once is not worth it. Prelude and epilogue are a few launches and stay as they are;
/// the epilogue also borrows memory from the pool, which no recording may keep using.
final class RecordedRecurrence: RecurrenceExecutor {
    private let steps: DefaultRecurrence
    private let driver: any DeviceDriver
    private var forwardLoop: RecordedLoop, backwardLoop: RecordedLoop

    init(_ plan: RecurrencePlan, _ binding: RecurrenceBinding, on backend: CUDABackend) throws {
        let steps = try DefaultRecurrence(plan, binding, on: backend)
        self.steps = steps
        driver = backend.driver
        forwardLoop = RecordedLoop()
        backwardLoop = RecordedLoop()
    }

    func forward() throws {
        steps.runPrelude()
        try forwardLoop.run(on: driver, steps.runForwardLoop)
    }

    func backward() throws {
        try backwardLoop.run(on: driver, steps.runBackwardLoop)
        steps.runEpilogue()
    }
}

/// Launches that are always the same.
private struct RecordedLoop {
    private var runs = 0
    private var recording: (any DeviceRecording)?

    mutating func run(on driver: any DeviceDriver, _ calls: () -> Void) throws {
        if runs == 1 { recording = try driver.record(calls) }
        runs = min(runs + 1, 2)
        // A device that can't record goes on step by step.
        if let recording { recording.run() } else { calls() }
    }
}
