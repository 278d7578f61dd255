/// The error that a conformance check throws if a property doesn't hold.
public struct ConformanceFailure: Error, CustomStringConvertible {
    /// One line that says what doesn't hold.
    public let description: String
    /// Creates a failure from one line that says what doesn't hold.
    public init(_ description: String) { self.description = description }
}

/// Throws unless `condition` holds.
func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw ConformanceFailure(message()) }
}

/// Returns the largest difference between two lists, relative to the largest magnitude in
/// the expected list, or to 1e-3 if that is larger.
///
/// The result is infinite if the lists have different counts or differ where an element isn't
/// finite; NaN equals NaN.
public func relativeError(_ actual: [Double], _ expected: [Double]) -> Double {
    guard actual.count == expected.count else { return .infinity }
    var scale = 0.0
    var difference = 0.0
    for (a, e) in zip(actual, expected) {
        guard a.isFinite, e.isFinite else {
            if a == e || (a.isNaN && e.isNaN) { continue }
            return .infinity
        }
        scale = max(scale, e.magnitude)
        difference = max(difference, (a - e).magnitude)
    }
    return difference == 0 ? 0 : difference / max(scale, 1e-3)
}

/// Returns the derivative of `function` with respect to each of `values`, by central
/// differences of fourth order.
public func centralDifferences(
    _ values: [Double], step: Double = 1e-3, _ function: ([Double]) throws -> Double
) rethrows -> [Double] {
    try values.indices.map { index in
        func at(_ offset: Double) throws -> Double {
            var moved = values
            moved[index] += offset * step
            return try function(moved)
        }
        return try (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)
    }
}
