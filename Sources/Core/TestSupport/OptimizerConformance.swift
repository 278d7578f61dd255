import RecurrentCore

/// Checks an optimizer's program: its shape, that a learning rate of 0 leaves parameters as
/// they are, that a gradient of 0 gives finite numbers, and that it minimizes a quadratic. A
/// closed gate must leave parameter and states as they are, and an open gate must not affect
/// the update.
///
/// - Parameters:
///   - optimizer: the optimizer to check.
///   - rate: a learning rate at which it converges for curvatures of 0.5 to 2.
///   - steps: a number of steps that brings the quadratic below 1 % of its initial value.
/// - Throws: ``ConformanceFailure`` for the first property that doesn't hold.
public func checkOptimizer(_ optimizer: any Optimizer, rate: Double = 0.01, steps: Int = 2000) throws {
    let name = optimizer.name
    try require(!name.isEmpty && !optimizer.summary.isEmpty, "an optimizer needs a name and a summary")
    let program = optimizer.program
    try require(
        program.inputCount == 2 + optimizer.stateCount && program.outputs.count == 1 + optimizer.stateCount,
        "\(name): its program has \(program.inputCount) inputs and \(program.outputs.count) outputs for \(optimizer.stateCount) states"
    )
    for step in [1, 2, 1000, 1_000_000] {
        let scalars = optimizer.scalars(step: step)
        try require(
            scalars.count == optimizer.scalarCount && scalars.allSatisfy(\.isFinite),
            "\(name): scalars(step: \(step)) gives \(scalars) where scalarCount is \(optimizer.scalarCount)")
    }
    try require(!program.usesRandomNumbers, "\(name): an update must not draw random numbers")

    let zeros = [Double](repeating: 0, count: optimizer.stateCount)
    func update(_ parameter: Double, _ gradient: Double, _ state: [Double], step: Int, rate: Double) -> [Double] {
        program.evaluate([parameter, gradient] + state, scalars: [rate] + optimizer.scalars(step: step))
    }
    for gradient in [0, 1e-30, 1, -1e6] {
        let still = update(1.5, gradient, zeros, step: 1, rate: 0)
        try require(still[0] == 1.5, "\(name): the parameter moves at rate 0 with gradient \(gradient)")
        let moved = update(1.5, gradient, zeros, step: 1, rate: rate)
        try require(moved.allSatisfy(\.isFinite), "\(name): gradient \(gradient) gives \(moved)")
    }

    let gated = optimizer.program(weightDecay: 0, isGated: true)
    let before = [1.5] + (0..<optimizer.stateCount).map { 0.25 + Double($0) }
    let inputs = [before[0], 2] + before[1...], scalars = [rate] + optimizer.scalars(step: 3)
    for gate in [Double.infinity, .nan] {
        try require(
            gated.evaluate(inputs + [gate], scalars: scalars) == before,
            "\(name): a gate of \(gate) doesn't stop the update")
    }
    try require(
        gated.evaluate(inputs + [1e30], scalars: scalars) == program.evaluate(inputs, scalars: scalars),
        "\(name): an open gate changes the update")

    // Σ a (x - m)² / 2
    let curvatures = [0.5, 1, 2], minima = [1.0, -0.5, 0.25]
    var values = [[-1.0] + zeros, [1.0] + zeros, [2.0] + zeros]
    func loss() -> Double {
        zip(values, zip(curvatures, minima)).reduce(0) {
            let distance = $1.0[0] - $1.1.1
            return $0 + $1.1.0 * distance * distance / 2
        }
    }
    let start = loss()
    for step in 1...steps {
        for index in values.indices {
            let gradient = curvatures[index] * (values[index][0] - minima[index])
            values[index] = update(values[index][0], gradient, Array(values[index][1...]), step: step, rate: rate)
        }
        if step == 1 { try require(loss() < start, "\(name): the first step goes uphill, from \(start) to \(loss())") }
    }
    try require(
        loss() < 0.01 * start,
        "\(name): \(steps) steps at rate \(rate) only bring a quadratic from \(start) to \(loss())")
}
