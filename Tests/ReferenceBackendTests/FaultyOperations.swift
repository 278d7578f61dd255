import RecurrentCore

/// Softmax cross-entropy with one mistake.
final class FaultyCrossEntropy: SoftmaxCrossEntropy {
    private let base: any SoftmaxCrossEntropy
    private let fault: Fault?
    private let backend: any Backend

    init(_ base: any SoftmaxCrossEntropy, _ fault: Fault?, _ backend: any Backend) {
        self.base = base
        self.fault = fault
        self.backend = backend
    }

    func callAsFunction(
        inputs: MatrixView, weight: MatrixView, bias: MatrixView, targets: [Int32],
        dropout: (rate: Double, key: RandomKey)?, gradients: ProjectionGradients?
    ) throws -> LossSums {
        if fault == .lossOverwritesGradients, let gradients { backend.fill(gradients.weight, with: 0) }
        var sums = try base(
            inputs: inputs, weight: weight, bias: bias, targets: targets,
            dropout: fault == .lossForgetsDropout ? nil : dropout, gradients: gradients)
        switch fault {
        case .lossCountsIgnored: sums.count = targets.count
        case .lossHidesNaN: sums.totalLoss = sums.totalLoss.isFinite ? sums.totalLoss : 0
        case .lossGradientUnscaled:
            guard let gradients else { break }
            let values: [Double] = backend.download(gradients.inputs)
            backend.upload(values.map { $0 * Double(sums.count) }, to: gradients.inputs)
        default: break
        }
        return sums
    }
}

/// A recurrence with one mistake.
final class FaultyRecurrence: RecurrenceExecutor {
    private let base: DefaultRecurrence
    private let fault: Fault?
    private let backend: any Backend

    init(_ base: DefaultRecurrence, _ fault: Fault?, _ backend: any Backend) {
        self.base = base
        self.fault = fault
        self.backend = backend
    }

    func forward() throws {
        if fault == .recurrenceForgetsInitialState {
            for (index, buffer) in base.plan.buffers.enumerated() {
                guard case .states = buffer.role, let view = base.binding.views[index] else { continue }
                backend.fill(view.rows(0..<base.binding.batch), with: 0)
            }
        }
        try base.forward()
    }

    func backward() throws {
        try base.backward()
        // The epilogue adds the weight gradients; a second one doubles them.
        if fault == .recurrenceRepeatsEpilogue { base.runEpilogue() }
    }
}

/// A softmax with one mistake.
final class FaultySoftmax: Softmax {
    private let base: any Softmax
    private let fault: Fault?
    private let backend: any Backend

    init(_ base: any Softmax, _ fault: Fault?, _ backend: any Backend) {
        self.base = base
        self.fault = fault
        self.backend = backend
    }

    func run(_ rows: MatrixView) {
        for row in 0..<rows.rows {
            let view = rows.rows(row..<row + 1), numbers: [Double] = backend.download(view)
            let powers = numbers.map { RealFunctions.exp($0) }, sum = powers.reduce(0, +)
            switch fault {
            case .softmaxOverflows: backend.upload(powers.map { $0 / sum }, to: view)
            case .softmaxUnscaled: backend.upload(numbers.map { RealFunctions.exp($0 - numbers.max()!) }, to: view)
            default: base.run(rows.rows(row..<row + 1))
            }
        }
    }
}
