import CPUKernels
import RecurrentCore

final class CPUSoftmaxCrossEntropy: SoftmaxCrossEntropy {
    private let backend: CPUBackend
    private let excludedClass: Int?
    private let workspace = Workspace()

    init(excludedClass: Int?, on backend: CPUBackend) {
        self.excludedClass = excludedClass
        self.backend = backend
    }

    func callAsFunction(
        inputs: MatrixView, weight: MatrixView, bias: MatrixView, targets: [Int32],
        dropout: (rate: Double, key: RandomKey)?, gradients: ProjectionGradients?
    ) throws -> LossSums {
        precondition(targets.count == inputs.rows && weight.isPacked && bias.isPacked && inputs.columnStride == 1)
        precondition(weight.columns == inputs.columns && bias.columns == weight.rows)
        var job = ck_cross_entropy()
        (job.rows, job.width, job.classes) = (Int32(inputs.rows), Int32(inputs.columns), Int32(weight.rows))
        job.inputs = UnsafePointer(inputs.pointer)
        job.input_ld = Int64(inputs.rowStride)
        job.weight = UnsafePointer(weight.pointer)
        job.bias = UnsafePointer(bias.pointer)
        if let dropout {
            job.uses_dropout = true
            job.dropout_rate = Float(dropout.rate)
            job.key = ck_key(dropout.key)
        }
        var sums = LossSums(over: targets, excludedClass: excludedClass)
        job.excluded_class = Int32(excludedClass ?? -1)
        if let gradients {
            precondition(gradients.weight.isPacked && gradients.bias.isPacked && gradients.inputs.columnStride == 1)
            job.input_gradient = gradients.inputs.pointer
            job.input_gradient_ld = Int64(gradients.inputs.rowStride)
            job.weight_gradient = gradients.weight.pointer
            job.bias_gradient = gradients.bias.pointer
            job.scale = 1 / Float(max(sums.count, 1))
        }
        let memory = try workspace.pointer(
            Int(ck_cross_entropy_workspace(backend.team, job.rows, job.width, job.classes)))
        targets.withUnsafeBufferPointer { targets in
            precondition(targets.allSatisfy { $0 < job.classes }, "a target outside the classes")
            job.targets = targets.baseAddress
            ck_softmax_cross_entropy(backend.team, &job, memory)
        }
        (sums.totalLoss, sums.correct) = (job.loss, Int(job.correct))
        return sums
    }
}
