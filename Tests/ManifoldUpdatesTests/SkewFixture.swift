import Foundation
import RecurrentCore

/// The output of `Fixtures/generate.py`: samples of scipy's results for matrices
/// that are given by a formula.
struct SkewFixture: Decodable, Sendable {
    let source: String
    let cases: [Case]

    struct Case: Decodable, Sendable, CustomStringConvertible {
        let size: Int
        let salt: UInt32
        let scale: Double
        /// The spectral norm ‖B‖₂.
        let norm: Double
        /// All elements of a small matrix, otherwise those at ``places``.
        let values: [Double]
        /// The largest magnitude among all elements, if it isn't about 1.
        let largest: Double?

        var description: String { "n \(size), ‖B‖ \(norm)" }

        /// The matrix B, which is exact in Float.
        var skew: [Double] {
            var result = [Double](repeating: 0, count: size * size)
            for i in 0..<size {
                for j in 0..<i {
                    result[i * size + j] = Double(Float(scale * uniform(UInt32(i), UInt32(j), salt)))
                    result[j * size + i] = -result[i * size + j]
                }
            }
            return result
        }

        /// The gradient ∂J/∂W for gradients.json.
        var weightGradient: [Double] {
            (0..<size * size).map { uniform(UInt32($0 / size), UInt32($0 % size), salt + 5000) }
        }

        private var places: [Int] {
            if size * size == values.count { return Array(0..<size * size) }
            return (0..<UInt32(values.count)).map {
                Int(hash24($0, 0, 9)) % size * size + Int(hash24($0, 1, 9)) % size
            }
        }

        /// Returns the largest difference from scipy's samples, or infinity if any is NaN.
        func error(of matrix: [Double]) -> Double {
            zip(places, values).reduce(0) {
                let difference = (matrix[$1.0] - $1.1).magnitude
                return difference.isFinite ? max($0, difference) : .infinity
            }
        }
    }

    static func load(_ name: String) -> SkewFixture {
        let url = Bundle.module.resourceURL!.appendingPathComponent("Fixtures/\(name).json")
        do { return try JSONDecoder().decode(SkewFixture.self, from: Data(contentsOf: url)) } catch {
            fatalError("\(url.path): \(error)")
        }
    }

    static let exponentials = load("exponentials")
    static let gradients = load("gradients")
}

/// Returns 24 uniform bits, as `Fixtures/generate.py` does.
private func hash24(_ i: UInt32, _ j: UInt32, _ salt: UInt32) -> UInt32 {
    var x = i &* 0x9E37_79B1 &+ j &* 0x85EB_CA77 &+ salt &* 0xC2B2_AE3D
    x ^= x >> 15
    x &*= 0x2C1B_3C6D
    x ^= x >> 12
    x &*= 0x297A_2D39
    return (x ^ x >> 15) >> 8
}

/// Returns a uniform number in [-1, 1).
private func uniform(_ i: UInt32, _ j: UInt32, _ salt: UInt32) -> Double {
    Double(hash24(i, j, salt)) * 0x1p-23 - 1
}

/// Returns `‖WᵀW − I‖_max`, with the product in Double, or infinity if W isn't finite.
func orthogonalityError(_ w: [Double], size n: Int) -> Double {
    var worst = 0.0
    var row = [Double](repeating: 0, count: n)
    for i in 0..<n {
        for j in 0..<n { row[j] = i == j ? -1 : 0 }
        for k in 0..<n {
            let factor = w[k * n + i]
            for j in 0...i { row[j] += factor * w[k * n + j] }
        }
        for j in 0...i { worst = row[j].isFinite ? max(worst, row[j].magnitude) : .infinity }
    }
    return worst
}
