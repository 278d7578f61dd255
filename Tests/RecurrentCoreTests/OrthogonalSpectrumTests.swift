import CPUBackend
import Foundation
import ManifoldUpdates
import RecurrentCore
import ReferenceBackend
import Testing

struct OrthogonalSpectrumTests {
    /// Returns Q · diag(rotations, ±1) · Qᵀ, where Q is the exponential of a random skew matrix.
    private func matrix(_ angles: [Double], ends: [Double], _ backend: any Backend) throws -> (MatrixView, [Double]) {
        let size = 2 * angles.count + ends.count
        var block = [Double](repeating: 0, count: size * size)
        for (i, angle) in angles.enumerated() {
            let (c, s) = (cos(angle), sin(angle))
            (block[2 * i * size + 2 * i], block[2 * i * size + 2 * i + 1]) = (c, -s)
            (block[(2 * i + 1) * size + 2 * i], block[(2 * i + 1) * size + 2 * i + 1]) = (s, c)
        }
        for (i, end) in ends.enumerated() { block[(size - ends.count + i) * (size + 1)] = end }
        var random = RandomStream(RandomKey(seed: 4, purpose: .test))
        let skew = try backend.makeMatrix(
            UniformSkew(scale: 1).values(size: size, random: &random), rows: size, columns: size)
        let basis = try backend.allocate(rows: size, columns: size),
            half = try backend.allocate(rows: size, columns: size)
        try SkewExponential(size: size, on: backend)(skew, into: basis)
        let weight = try backend.makeMatrix(block, rows: size, columns: size)
        backend.gemm(basis, weight, into: half)
        backend.gemm(half, basis.transposed, into: weight)
        let expected = angles + angles.map { -$0 } + ends.map { $0 > 0 ? 0 : Double.pi }
        return (weight, expected.sorted())
    }

    @Test(
        arguments: [
            ([0.3, 1.2, 2.9, 0.001], [1.0, -1]), ([0.3, 0.3, 1.5, .pi - 0.3], []), ([1e-5, 2e-5], [1, 1, 1]),
            ([], [1, 1, 1, 1]),
        ], [true, false])
    func anglesAreThoseOfTheRotations(spectrum: ([Double], [Double]), onCPU: Bool) throws {
        let backend: any Backend = onCPU ? try CPUBackend() : ReferenceBackend()
        let (weight, expected) = try matrix(spectrum.0, ends: spectrum.1, backend)
        let angles = try OrthogonalSpectrum(size: weight.rows, on: backend).angles(of: weight)
        let tolerance = onCPU ? 2e-6 : 1e-12
        // −π and π are the same angle.
        for angle in expected {
            #expect(angles.contains { abs(remainder($0 - angle, 2 * .pi)) <= tolerance }, "\(angle) in \(angles)")
        }
        for angle in angles { #expect(expected.contains { abs(remainder($0 - angle, 2 * .pi)) <= tolerance }) }
        #expect(try OrthogonalSpectrum.orthogonalityError(of: weight, on: backend) <= tolerance)
    }

    @Test(
        arguments: [
            ([0.3, 1.2, 2.9, .pi], [1.0, -1]), ([0.3, 1.5, .pi - 1e-6], []), ([.pi, .pi], [-1, -1, -1]),
            ([], [-1]), ([], [1]), ([], [-1, -1, 1]),
        ], [true, false])
    func reflectionsAreNoRotations(spectrum: ([Double], [Double]), onCPU: Bool) throws {
        let backend: any Backend = onCPU ? try CPUBackend() : ReferenceBackend()
        let (weight, _) = try matrix(spectrum.0, ends: spectrum.1, backend)
        let isRotation: Bool = spectrum.1.reduce(1, *) > 0
        #expect(try OrthogonalSpectrum.isRotation(weight, on: backend) == isRotation)
    }
}
