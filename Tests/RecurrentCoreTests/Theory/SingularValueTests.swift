import CPUBackend
import Foundation
import RecurrentCore
import ReferenceBackend
import Testing
import VanillaRNNCell

struct SingularValueTests {
    /// Returns a dense matrix with known singular values, made by reflections on both sides of a diagonal.
    static func matrix(_ values: [Double], seed: UInt64) -> [Double] {
        let n = values.count
        var random = RandomStream(RandomKey(seed: seed, purpose: .test))
        var a = [Double](repeating: 0, count: n * n)
        for i in 0..<n { a[i * n + i] = values[i] }
        for isLeft in [true, false] {
            let v = (0..<n).map { _ in random.normal() }, square = v.reduce(0) { $0 + $1 * $1 }
            let old = a
            for r in 0..<n {
                for c in 0..<n {
                    let sum = (0..<n).reduce(0.0) {
                        $0 + (isLeft ? v[r] * v[$1] * old[$1 * n + c] : old[r * n + $1] * v[$1] * v[c])
                    }
                    a[r * n + c] -= 2 * sum / square
                }
            }
        }
        return a
    }

    static let spectra: [[Double]] = [
        [3], [0, 0, 0], [1, 1, 1, 1], [5, 4.999999, 1e-3, 0], (0..<60).map { 1 + Double($0) / 1e4 },
        (0..<60).map { pow(0.5, Double($0)) }, (0..<40).map { $0 < 20 ? 2 : 1e-9 }, [1e200, 1e190, 3],
    ]

    @Test(arguments: spectra.indices) func areThoseOfTheMatrix(_ index: Int) throws {
        let values = Self.spectra[index], n = values.count, top = values.max()!
        let a = Self.matrix(values, seed: UInt64(index + 1))
        let largest = a.withUnsafeBufferPointer { SingularValues.largest($0, size: n) }
        #expect(abs(largest - top) <= 1e-9 * top)
        guard top < 1e100 else { return }
        let backend = ReferenceBackend()
        let range = try SingularValues.range(of: backend.makeMatrix(a, rows: n, columns: n), on: backend)
        #expect(abs(range.upperBound - top) <= 1e-10 * top)
        #expect(abs(range.lowerBound - values.min()!) <= 1e-10 * top)
    }

    @Test func oneNumberMakesNoMatrixRegular() throws {
        let backend = try CPUBackend(threads: 1)
        let weight = try backend.makeMatrix([1, 0, 0, Double.nan], rows: 2, columns: 2)
        #expect(throws: RecurrentError.self) { try SingularValues.range(of: weight, on: backend) }
    }

    @Test(arguments: [[1, 0, 0, Double.nan], [.nan, 0, 0, 1], [.infinity, .nan, 0, 1]])
    func aMatrixWithoutNumbersHasNoNorm(_ a: [Double]) {
        #expect(a.withUnsafeBufferPointer { SingularValues.largest($0, size: 2) }.isNaN)
        #expect(
            [1, 0, 0, -Double.infinity].withUnsafeBufferPointer { SingularValues.largest($0, size: 2) } == .infinity)
    }

    /// The computed singular values are only approximately 1.
    @Test(arguments: [30, 100, 200]) func anOrthogonalStartKeepsTheNorm(width: Int) throws {
        let model = try GradientFlowTests.model(
            VanillaRNN(activation: AbsoluteValue()), hidden: width, on: CPUBackend(threads: 1), start: .orthogonal)
        #expect(try model.gradientBounds()?.limit == .constant)
        #expect(GradientBounds(slopes: 1...1, singularValues: 0.9999...1.0001, width: 4).limit == .mayVanishOrExplode)
    }

    @Test func zoneoutWidensTheGain() {
        func gain(_ slopes: ClosedRange<Double>, _ rate: Double) -> [Double] {
            let gain = GradientBounds(slopes: slopes, singularValues: 1...1, width: 4, zoneout: rate).gain
            return [gain.lowerBound, gain.upperBound].map { ($0 * 1e9).rounded() / 1e9 }
        }
        #expect(gain(1...1, 0.5) == [0, 1])
        #expect(gain(0.5...1, 0.1) == [0.35, 1])
        #expect(gain(0...0.25, 0.8) == [0.75, 0.85])
        #expect(gain(0...1, 0.2) == [0, 1])
    }

    /// The limits of the paper's Table 1.
    @Test func limitsFollowTheGain() {
        func limit(_ low: Double, _ high: Double) -> GradientBounds.Limit {
            GradientBounds(slopes: low...high, singularValues: 1...1, width: 4).limit
        }
        #expect(limit(0.5, 0.9) == .vanishes)
        #expect(limit(0.5, 1) == .mayVanish)
        #expect(limit(0.5, 2) == .mayVanishOrExplode)
        #expect(limit(1, 1) == .constant)
        #expect(limit(1, 2) == .mayExplode)
        #expect(limit(1.5, 2) == .explodes)
        let bounds = GradientBounds(slopes: 0.5...1, singularValues: 1...1, width: 200)
        #expect(abs(bounds.frobeniusNorm(after: 30).lowerBound - 14.142135623730951 * pow(0.5, 30)) < 1e-18)
        #expect(bounds.frobeniusNorm(after: 30).upperBound == 200.0.squareRoot())
        #expect(bounds.operatorNorm(after: 30) == pow(0.5, 30)...1)
    }
}
