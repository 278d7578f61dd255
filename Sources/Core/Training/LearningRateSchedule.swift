/// How the learning rate changes while a model is trained: a function of what has
/// happened so far, so that a resumed run goes on with the same rates.
public struct LearningRateSchedule: Sendable, Equatable {
    public enum Shape: Sendable, Equatable {
        case constant
        /// Times `factor` after every `epochs` epochs (torch's StepLR).
        case step(epochs: Int, factor: Double)
        /// Times `factor` once `patience` epochs in a row did not better the
        /// validation loss by a ten-thousandth (torch's ReduceLROnPlateau).
        case plateau(patience: Int, factor: Double)
        /// Half a cosine from the rate, after the warm-up, down to `minimum` at the last
        /// step (Loshchilov & Hutter 2017, without restarts). A run that is gone on
        /// with for more epochs is on the longer cosine from there.
        case cosine
    }

    public var shape: Shape
    /// No rate goes below, but during warm-up.
    public var minimum: Double
    /// Steps over which the rate rises from 0, in a straight line.
    public var warmupSteps: Int

    public init(_ shape: Shape = .constant, minimum: Double = 0, warmupSteps: Int = 0) {
        self.shape = shape
        self.minimum = minimum
        self.warmupSteps = warmupSteps
    }

    /// - Parameters:
    ///   - base: the rate that the schedule starts from.
    ///   - step: updates made so far.
    ///   - epoch: of the next update, from 1.
    ///   - totalSteps: of the whole run.
    ///   - validationLosses: of the epochs that are done.
    /// - Returns: the rate of the next update.
    public func rate(base: Double, step: Int, epoch: Int, totalSteps: Int, validationLosses: [Double]) -> Double {
        let rate: Double
        switch shape {
        case .constant: rate = base
        case .step(let epochs, let factor): rate = base * Self.power(factor, (epoch - 1) / epochs)
        case .plateau(let patience, let factor):
            rate = base * Self.power(factor, Self.reductions(validationLosses, patience: patience))
        case .cosine:
            let done = min(max(Double(step - warmupSteps) / Double(max(totalSteps - warmupSteps, 1)), 0), 1)
            rate = minimum + (base - minimum) * (1 + RealFunctions.cos(.pi * done)) / 2
        }
        let warmup = warmupSteps > step ? Double(step + 1) / Double(warmupSteps) : 1
        return max(rate, min(minimum, base)) * warmup
    }

    private static func power(_ base: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1) { product, _ in product * base }
    }

    private static func reductions(_ losses: [Double], patience: Int) -> Int {
        var best = Double.infinity, worse = 0, reductions = 0
        for loss in losses {
            if loss < best * (1 - 1e-4) {
                (best, worse) = (loss, 0)
            } else {
                worse += 1
                if worse > patience { (reductions, worse) = (reductions + 1, 0) }
            }
        }
        return reductions
    }
}
