import RecurrentCore

extension BackendCheck {
    /// Compares with a computation on the host in one piece.
    func crossEntropy() throws {
        let key = RandomKey(seed: 3, purpose: .dropout, step: 4)
        for dropout in [nil, (rate: 0.0, key: key), (rate: 0.2, key: key)] {
            try crossEntropy(rows: 33, width: 9, classes: 13, dropout: dropout)
            try crossEntropy(rows: 1, width: 1, classes: 2, dropout: dropout)
            // More logits than fit in one piece.
            try crossEntropy(rows: 70, width: 3, classes: 20_000, dropout: dropout)
        }
        try crossEntropy(rows: 8, width: 4, classes: 5, scale: 3000, dropout: nil)
        try crossEntropy(rows: 5, width: 4, classes: 5, ignoresAll: true, dropout: nil)
        try crossEntropy(rows: 60, width: 3, classes: 3, excludedClass: 1, dropout: nil)
        try hiddenDivergence()
    }

    private func crossEntropy(
        rows: Int, width: Int, classes: Int, scale: Double = 1, ignoresAll: Bool = false, excludedClass: Int? = nil,
        dropout: (rate: Double, key: RandomKey)?
    ) throws {
        var random = RandomStream(RandomKey(seed: 11, purpose: .test))
        func numbers(_ count: Int, _ scale: Double = 1) -> [Double] {
            (0..<count).map { _ in Double(Float(random.uniform(in: -scale...scale))) }
        }
        let problem = HostCrossEntropy(
            rows: rows, width: width, classes: classes, inputs: numbers(rows * width, scale),
            weight: numbers(classes * width), bias: numbers(classes),
            targets: (0..<rows).map { _ in
                ignoresAll || random.integer(below: 4) == 0 ? -1 : Int32(random.integer(below: classes))
            },
            excludedClass: excludedClass, dropout: dropout)
        let expected = problem.evaluate()
        let what =
            "softmax cross-entropy, \(rows) rows, \(classes) classes\(dropout.map { ", dropout \($0.rate)" } ?? "")\(excludedClass.map { ", class \($0) excluded" } ?? "")"

        let loss = try tested.makeSoftmaxCrossEntropy(classes: classes, width: width, excludedClass: excludedClass)
        // The inputs are a block of columns in a wider matrix.
        let input = try matrix(rows, width, .padded).tested
        tested.copy(try tested.makeMatrix(problem.inputs, rows: rows, columns: width), to: input)
        let weight = try tested.makeMatrix(problem.weight, rows: classes, columns: width)
        let bias = try tested.makeMatrix(problem.bias, rows: 1, columns: classes)
        let inputGradient = try tested.makeMatrix(
            [Double](repeating: .nan, count: rows * width), rows: rows, columns: width)
        // Gradients of parameters accumulate.
        let weightGradient = try tested.makeMatrix(
            [Double](repeating: 0.5, count: classes * width), rows: classes, columns: width)
        let biasGradient = try tested.makeMatrix([Double](repeating: 0.25, count: classes), rows: 1, columns: classes)
        for gradients in [
            nil, ProjectionGradients(inputs: inputGradient, weight: weightGradient, bias: biasGradient),
        ] {
            let sums = try loss(
                inputs: input, weight: weight, bias: bias, targets: problem.targets, dropout: dropout,
                gradients: gradients)
            try require(
                sums.count == expected.sums.count && sums.accuracyCount == expected.sums.accuracyCount
                    && sums.correct == expected.sums.correct,
                "\(tested.name): \(what): \(sums.correct) of \(sums.accuracyCount) correct (\(sums.count) targets), should be \(expected.sums.correct) of \(expected.sums.accuracyCount) (\(expected.sums.count))"
            )
            try agree([sums.totalLoss], [expected.sums.totalLoss], .scale(Double(rows) * scale), "\(what): the loss")
        }
        try agree(tested.download(inputGradient), expected.inputs, .scale(1), "\(what): the inputs' gradient")
        try agree(
            tested.download(weightGradient), expected.weight.map { $0 + 0.5 }, .scale(scale),
            "\(what): the weight's gradient")
        try agree(
            tested.download(biasGradient), expected.bias.map { $0 + 0.25 }, .scale(1), "\(what): the bias's gradient")
    }

    /// Checks that a loss that isn't finite isn't hidden by the result.
    private func hiddenDivergence() throws {
        let loss = try tested.makeSoftmaxCrossEntropy(classes: 6, width: 2)
        for bad in [Double.nan, .infinity] {
            let sums = try loss(
                inputs: try tested.makeMatrix([1, 1, bad, 1], rows: 2, columns: 2),
                weight: try tested.makeMatrix((0..<12).map { Double($0 % 5) - 2 }, rows: 6, columns: 2),
                bias: try tested.allocate(rows: 1, columns: 6), targets: [1, 2], dropout: nil, gradients: nil)
            try require(
                !sums.totalLoss.isFinite,
                "\(tested.name): softmax cross-entropy of an input that is \(bad) is \(sums.totalLoss)")
        }
    }
}

/// The operation by its definition, row by row.
private struct HostCrossEntropy {
    let rows: Int
    let width: Int
    let classes: Int
    let inputs: [Double]
    let weight: [Double]
    let bias: [Double]
    let targets: [Int32]
    let excludedClass: Int?
    let dropout: (rate: Double, key: RandomKey)?

    func evaluate() -> (sums: LossSums, inputs: [Double], weight: [Double], bias: [Double]) {
        var sums = LossSums(
            count: targets.count { $0 >= 0 }, accuracyCount: targets.count { $0 >= 0 && Int($0) != excludedClass })
        var (dx, dw, db) = (inputs.map { _ in 0.0 }, weight.map { _ in 0.0 }, bias.map { _ in 0.0 })
        for r in 0..<rows where targets[r] >= 0 {
            let target = Int(targets[r])
            let factors = (0..<classes).map { v -> Double in
                guard let dropout else { return 1 }
                let kept = Philox.uniform(dropout.key, index: UInt64(r * classes + v)) >= dropout.rate
                return kept ? 1 / (1 - dropout.rate) : 0
            }
            let logits = (0..<classes).map { v in
                factors[v] * (0..<width).reduce(bias[v]) { $0 + inputs[r * width + $1] * weight[v * width + $1] }
            }
            let largest = logits.max()!
            let exponentials = logits.map { RealFunctions.exp($0 - largest) }
            let sum = exponentials.reduce(0, +)
            sums.totalLoss += largest + RealFunctions.log(sum) - logits[target]
            if logits.firstIndex(of: largest) == target, target != excludedClass { sums.correct += 1 }
            for v in 0..<classes {
                let delta = factors[v] * (exponentials[v] / sum - (v == target ? 1 : 0)) / Double(sums.count)
                db[v] += delta
                for h in 0..<width {
                    dx[r * width + h] += delta * weight[v * width + h]
                    dw[v * width + h] += delta * inputs[r * width + h]
                }
            }
        }
        return (sums, dx, dw, db)
    }
}
