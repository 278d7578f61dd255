import Foundation
import Testing

/// The numbers written by Fixtures/numpy_numbers.py.
enum NumpyNumbers {
    private static let all: [String: [Double]] = {
        let url = Bundle.module.url(forResource: "Fixtures", withExtension: nil)!
            .appendingPathComponent("numpy_numbers.json")
        let strings = try! JSONDecoder().decode([String: [String]].self, from: Data(contentsOf: url))
        return strings.mapValues { $0.map { Double($0)! } }
    }()

    static func of(_ name: String) throws -> [Double] { try #require(all[name], "no numbers called '\(name)'") }
}

/// Returns the largest difference relative to each expected number; equal numbers, including NaNs, count as 0.
func largestError(_ actual: [Double], _ expected: [Double]) -> Double {
    guard actual.count == expected.count else { return .infinity }
    return zip(actual, expected).map { a, e in
        if a == e || (a.isNaN && e.isNaN) { return 0 }
        return a.isFinite && e.isFinite ? (a - e).magnitude / e.magnitude : .infinity
    }.max() ?? 0
}
