import Foundation
import RecurrentCore
import RecurrentRuns

/// The gradient norms of a trained model by the number of steps that they go back, which `cli gradients` measures.
enum GradientDepth {
    /// The file in a run's folder that keeps the norms, so that a report can be made again without the weights.
    static let file = "gradients.json"

    private struct Norm: Codable {
        let step: Int
        let operatorNorm: Double
    }

    /// Returns the operator norms ‖∂h_t/∂h_1‖₂ by t − 1; none if the run diverged, or if both weights and kept norms are
    /// missing.
    ///
    /// - Throws: ``RecurrentError/checkpoint(path:reason:)`` if the kept norms are damaged, and what `cli gradients` throws.
    static func points(of record: RunRecord, _ results: Results) throws -> [Figure.Point] {
        let path = record.folder + "/" + file
        let norms: [Norm]
        if let kept = try FileReader.contents(ifThere: path) {
            guard let read = try? JSONDecoder().decode([Norm].self, from: Data(kept)) else {
                throw RecurrentError.checkpoint(path: path, reason: "isn't readable; remove the file to measure again")
            }
            norms = read
        } else {
            guard !record.hasDiverged, FileManager.default.fileExists(atPath: record.folder + "/model.safetensors")
            else { return [] }
            let text = try results.runTool(["gradients", record.folder, "--samples", "4", "--json"])
            norms = try JSONDecoder().decode([Norm].self, from: Data(text.utf8))
            try AtomicFile.write(String(decoding: try JSONEncoder().encode(norms), as: UTF8.self) + "\n", to: path)
        }
        return norms.map { .init(Double($0.step - 1), $0.operatorNorm) }
    }
}
