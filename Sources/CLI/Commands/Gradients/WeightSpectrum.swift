import Foundation
import RecurrentCore
import RecurrentReproduction
import RecurrentRuns

/// The eigenvalues of an orthogonal recurrent weight, as `--json-angles` writes them.
struct WeightSpectrum: Codable, Sendable {
    /// The name of the weight, such as `rnn.weight_hh_l0.W`.
    let name: String
    /// The largest element of |WᵀW − I|, or of |WᴴW − I| for a unitary weight.
    let orthogonalityError: Double
    /// The angles θ of the eigenvalues exp(iθ), ascending, in (−π, π].
    let angles: [Double]

    /// Whether the weight is unitary, which shows in the text only.
    private var isUnitary = false
    /// The smallest and the largest singular value, if the weight isn't orthogonal up to rounding.
    private var singularValues: ClosedRange<Double>?

    private enum CodingKeys: String, CodingKey { case name, orthogonalityError, angles }

    /// Computes the spectrum of a weight.
    ///
    /// - Throws: ``RecurrentError/linearAlgebra(_:)`` if the weight holds values that aren't finite.
    init(_ block: ParameterStore.OrthogonalBlock, of model: SequenceModel) throws {
        let weight = model.parameters.value(of: block)
        name = block.name
        isUnitary = block.field == .complex
        orthogonalityError = try OrthogonalSpectrum.orthogonalityError(of: weight, on: model.backend)
        guard orthogonalityError.isFinite else {
            throw RecurrentError.linearAlgebra("\(block.name) holds values that aren't finite; it has no eigenvalues")
        }
        if orthogonalityError > 1e-4 { singularValues = try SingularValues.range(of: weight, on: model.backend) }
        angles = try OrthogonalSpectrum(size: block.size, on: model.backend).angles(of: weight)
    }

    /// The spectrum as two lines of text. Those of a real weight come in pairs exp(±iθ), so only |θ| in 0...π is shown.
    var text: String {
        let sorted = angles.map(abs).sorted()
        let (low, high, middle) = (sorted[0], sorted[sorted.count - 1], sorted[sorted.count / 2])
        let counts = Self.counts(sorted, in: 0...Double.pi, bins: 40), most = counts.max()!
        let margin =
            singularValues.map {
                " singular values \(Format.fixed($0.lowerBound, digits: 4)) to \(Format.fixed($0.upperBound, digits: 4));"
            } ?? ""
        let bars = counts.map { $0 == 0 ? "·" : String(Self.blocks[max(($0 * Self.blocks.count - 1) / most, 0)]) }
            .joined()
        return """
            \(name): ‖\(isUnitary ? "WᴴW" : "WᵀW") − I‖max \(Format.significant(orthogonalityError));\(margin) angles of its eigenvalues \
            \(Format.fixed(low, digits: 3)) to \(Format.fixed(high, digits: 3)), median \(Format.fixed(middle, digits: 3))
                0 \(bars) π
            """
    }
    private static let blocks = Array("▁▂▃▄▅▆▇█")

    /// Returns the number of angles in each of several equal parts of a range.
    static func counts(_ angles: [Double], in range: ClosedRange<Double>, bins: Int) -> [Int] {
        var result = [Int](repeating: 0, count: bins)
        let width = (range.upperBound - range.lowerBound) / Double(bins)
        for angle in angles { result[min(max(Int((angle - range.lowerBound) / width), 0), bins - 1)] += 1 }
        return result
    }

    /// Returns a histogram over (−π, π], with an odd number of bars so that angles near 0 share one.
    static func figure(_ spectra: [WeightSpectrum], _ title: String) -> Figure {
        let bins = 61, width = 2 * Double.pi / Double(bins)
        var figure = Figure(title: "eigenvalues exp(iθ), \(title)", xLabel: "angle θ", yLabel: "eigenvalues")
        figure.barWidth = width
        figure.xTicks = [(-1, "-π"), (-0.5, "-π/2"), (0, "0"), (0.5, "π/2"), (1, "π")].map { .init($0.0 * .pi, $0.1) }
        figure.curves = spectra.map { spectrum in
            let counts = counts(spectrum.angles, in: -Double.pi...Double.pi, bins: bins)
            return .init(
                spectrum.name,
                counts.enumerated().map { .init(-.pi + (Double($0.offset) + 0.5) * width, Double($0.element)) })
        }
        return figure
    }
}
