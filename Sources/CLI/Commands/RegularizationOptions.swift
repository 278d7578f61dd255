import ArgumentParser
import RecurrentCore

/// Options of `train` and `compare` against overfitting, and of the learning
/// rate's course.
struct RegularizationOptions: ParsableArguments {
    @Flag(help: "Use the embedding's table as the projection's weight; needs E = H.")
    var tied = false
    @Flag(help: "One dropout mask for all steps of a sequence, at embedding and outputs (variational dropout).")
    var lockedDropout = false
    @Option(parsing: .unconditional, help: "Rate at which whole words of the embedding are zeroed in a batch (default: 0).")
    var embeddingDropout: Double?
    @Option(parsing: .unconditional, help: "Rate at which elements of the recurrent weights are zeroed in a batch; orthogonal ones stay so as parameters (default: 0).")
    var weightDropout: Double?
    @Option(parsing: .unconditional, help: "Rate at which units keep their old values in a step (default: 0).")
    var zoneout: Double?
    @Option(parsing: .unconditional, help: "Weight decay: decoupled for adamw (default: 0.01), an L2 penalty for the others (default: 0).")
    var weightDecay: Double?
    @Option(parsing: .unconditional, help: "Shrink all gradients together to at most this norm (default: no bound; ptb-char: 1).")
    var clipNorm: Double?

    @Option(parsing: .unconditional, help: "Learning-rate schedule: constant, step, plateau or cosine (default: constant).")
    var schedule: String?
    @Option(parsing: .unconditional, help: "step: epochs between two reductions (default: 1).")
    var scheduleEpochs: Int?
    @Option(parsing: .unconditional, help: "plateau: epochs without a better validation loss that are let pass (default: 0).")
    var schedulePatience: Int?
    @Option(parsing: .unconditional, help: "step, plateau: what the learning rate is multiplied with (default: 0.25).")
    var scheduleFactor: Double?
    @Option(parsing: .unconditional, help: "The learning rate's lower bound; cosine ends there (default: 0).")
    var minimumLearningRate: Double?
    @Option(parsing: .unconditional, help: "Steps over which the learning rate rises from 0 (default: 0).")
    var warmupSteps: Int?

    /// - Throws: ``RecurrentError/invalidOption(_:)`` for an option that would do nothing.
    func apply(to result: inout RunConfiguration) throws {
        if tied { result.tied = true }
        if lockedDropout { result.lockedDropout = true }
        result.embeddingDropout = embeddingDropout ?? result.embeddingDropout
        result.weightDropout = weightDropout ?? result.weightDropout
        result.zoneout = zoneout ?? result.zoneout
        result.weightDecay = weightDecay ?? result.weightDecay
        result.clipNorm = clipNorm ?? result.clipNorm
        result.schedule = schedule ?? result.schedule
        result.scheduleEpochs = scheduleEpochs ?? result.scheduleEpochs
        result.schedulePatience = schedulePatience ?? result.schedulePatience
        result.scheduleFactor = scheduleFactor ?? result.scheduleFactor
        result.minimumLearningRate = minimumLearningRate ?? result.minimumLearningRate
        result.warmupSteps = warmupSteps ?? result.warmupSteps
        for (option, isGiven, schedules) in [
            ("--schedule-epochs", scheduleEpochs != nil, ["step"]), ("--schedule-patience", schedulePatience != nil, ["plateau"]),
            ("--schedule-factor", scheduleFactor != nil, ["step", "plateau"]),
            ("--minimum-learning-rate", minimumLearningRate != nil, ["step", "plateau", "cosine"]),
        ] where isGiven && RunConfiguration.schedules.contains(result.schedule) && !schedules.contains(result.schedule) {
            throw RecurrentError.invalidOption(
                "\(option) needs --schedule \(schedules.joined(separator: " or ")); the schedule is \(result.schedule)")
        }
    }
}

extension RunConfiguration {
    static let schedules = ["constant", "step", "plateau", "cosine"]

    var learningRateSchedule: LearningRateSchedule {
        let shape: LearningRateSchedule.Shape =
            switch schedule {
            case "step": .step(epochs: scheduleEpochs, factor: scheduleFactor)
            case "plateau": .plateau(patience: schedulePatience, factor: scheduleFactor)
            case "cosine": .cosine
            default: .constant
            }
        return LearningRateSchedule(shape, minimum: minimumLearningRate, warmupSteps: warmupSteps)
    }

    func validateSchedule() throws {
        func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
            if !condition { throw RecurrentError.invalidOption(message()) }
        }
        guard Self.schedules.contains(schedule) else {
            throw RecurrentError.unknownName(kind: "schedule", name: schedule, known: Self.schedules)
        }
        try require(scheduleEpochs >= 1, "--schedule-epochs must be at least 1, not \(scheduleEpochs)")
        try require(schedulePatience >= 0, "--schedule-patience must be at least 0, not \(schedulePatience)")
        try require(
            scheduleFactor > 0 && scheduleFactor < 1, "--schedule-factor must be above 0 and below 1, not \(scheduleFactor)")
        try require(
            minimumLearningRate >= 0 && minimumLearningRate <= learningRate,
            "--minimum-learning-rate must be in 0...\(learningRate) (the learning rate), not \(minimumLearningRate)")
        try require(warmupSteps >= 0, "--warmup-steps must be at least 0, not \(warmupSteps)")
        for (name, rate) in [
            ("--embedding-dropout", embeddingDropout), ("--weight-dropout", weightDropout), ("--zoneout", zoneout),
        ] {
            try require((0..<1).contains(rate), "\(name) must be at least 0 and below 1, not \(rate)")
        }
        try require(
            !lockedDropout || (dropout != 0 && dropoutOn.contains { $0 != .logits }),
            "--locked-dropout needs a --dropout above 0 on embedding or output (--dropout-on embedding,output)")
    }
}
