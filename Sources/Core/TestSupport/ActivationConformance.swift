import RecurrentCore

/// Checks an activation: that its derivative, by differentiation of the expression, agrees
/// with central differences, that large arguments don't overflow, and that its slope lies within
/// ``Activation/slopeBounds`` at the initial values of the unit parameters, and within
/// ``Activation/slopeBounds(at:)`` at random values of two units.
///
/// - Throws: ``ConformanceFailure`` for the first property that doesn't hold.
public func checkActivation(_ activation: any Activation, tolerance: Double = 1e-7) throws {
    let name = activation.name
    let bounds = activation.slopeBounds
    try require(!name.isEmpty && !activation.summary.isEmpty, "an activation needs a name and a summary")
    try require(
        bounds.lowerBound >= 0 && bounds.upperBound.isFinite, "\(name): slope bounds must be finite and not negative")
    let names = activation.unitParameters.map(\.name)
    try require(Set(names).count == names.count, "\(name): two unit parameters have the same name")

    let program = PointwiseProgram.withDerivatives(inputs: 1 + names.count) { x, _ in
        activation(x[0], parameters: Array(x[1...]))
    }
    var random = RandomStream(RandomKey(seed: 1, purpose: .test))
    let initial = activation.unitParameters.map(\.initialValue)
    var other = initial
    var smooth = 0
    let draws = 1000
    for draw in 0..<draws {
        let scale = draw % 2 == 0 ? 1.0 : 5.0
        let parameters = draw % 3 == 0 ? initial : initial.map { $0 + random.uniform(in: -1...1) }
        let x = [random.uniform(in: -scale...scale)] + parameters
        let result = program.evaluate(x)
        try require(result.allSatisfy(\.isFinite), "\(name): not finite at \(x): \(result)")
        try checkSlope(result[1], of: activation, at: x[0], parameters, besides: other, isFirst: draw % 2 == 0)
        if parameters == initial { try checkSlope(result[1], bounds, activation, at: x) }
        other = parameters
        let expected = centralDifferences(x, step: 1e-3) { program.evaluate($0)[0] }
        let finer = centralDifferences(x, step: 5e-4) { program.evaluate($0)[0] }
        // Near a kink, two step widths disagree, and there is nothing to compare with.
        let isSmooth = zip(expected, finer).allSatisfy { ($0 - $1).magnitude <= tolerance / 4 * max(1, $0.magnitude) }
        guard isSmooth else { continue }
        smooth += 1
        for (index, (slope, difference)) in zip(result[1...], expected).enumerated() {
            let variable = index == 0 ? "x" : names[index - 1]
            try require(
                (slope - difference).magnitude <= tolerance * max(1, difference.magnitude),
                "\(name): derivative with respect to \(variable) at \(x) is \(slope), central differences give \(difference)"
            )
        }
    }
    try require(smooth > draws / 2, "\(name): smooth at only \(smooth) of \(draws) random points")
    for x in [0.0, 30, 100, 1000].flatMap({ [$0, -$0] }) {
        let result = program.evaluate([x] + initial)
        try require(result.allSatisfy(\.isFinite), "\(name): not finite at \(x): \(result)")
        // At 0 there may be a kink, where any slope between those of the two sides is right.
        try checkSlope(result[1], (x == 0 ? 0 : bounds.lowerBound)...bounds.upperBound, activation, at: [x])
    }
}

/// Checks the bounds of two units with parameters of their own, one of which has this slope.
private func checkSlope(
    _ slope: Double, of activation: any Activation, at x: Double, _ parameters: [Double], besides other: [Double],
    isFirst: Bool
) throws {
    let units = parameters.indices.map { isFirst ? [parameters[$0], other[$0]] : [other[$0], parameters[$0]] }
    let bounds = activation.slopeBounds(at: units)
    try require(
        bounds.lowerBound >= 0 && bounds.upperBound.isFinite,
        "\(activation.name): slope bounds at \(units) must be finite and not negative, not \(bounds)")
    try checkSlope(slope, bounds, activation, at: [x] + parameters)
}

private func checkSlope(
    _ slope: Double, _ bounds: ClosedRange<Double>, _ activation: any Activation, at x: [Double]
) throws {
    try require(
        slope.magnitude >= bounds.lowerBound - 1e-9 && slope.magnitude <= bounds.upperBound + 1e-9,
        "\(activation.name): slope \(slope) at \(x) lies outside its bounds \(bounds)")
}
