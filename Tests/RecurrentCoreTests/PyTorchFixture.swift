import Foundation
import RecurrentTestSupport

extension PyTorchFixture {
    static let names = ["rnn_tanh", "rnn_relu", "gru", "gru_two_layers", "gru_lengths"]

    static func load(_ name: String) throws -> PyTorchFixture { try PyTorchFixture(named: name, in: .module) }
}

/// A whole PyTorch model, embedding (`encoder`) → `rnn` → linear (`decoder`) →
/// mean cross-entropy, with its gradients.
///
/// Later batches continue earlier ones: the state is carried over, without a
/// gradient through it, and the parameters don't change.
struct PyTorchModelFixture: Decodable {
    let description: String
    let steps: Int
    let batch: Int
    let vocabulary: Int
    let inputSize: Int
    let hiddenSize: Int
    let classes: Int
    let parameters: [String: FixtureTensor]
    let batches: [Step]

    struct Step: Decodable {
        /// The T·B input tokens.
        let tokens: [Int32]
        /// The B targets, or T·B in a language model.
        let targets: [Int32]
        /// The logits, [B, V] or [T, B, V].
        let logits: FixtureTensor
        /// The loss of each target.
        let losses: FixtureTensor
        /// The mean of the losses.
        let loss: Double
        let gradients: [String: FixtureTensor]
    }

    static let names = ["classify_gru", "classify_rnn_relu", "language_model_gru"]

    static func load(_ name: String) throws -> PyTorchModelFixture { try loadFixture(name) }
}

private func loadFixture<Fixture: Decodable>(_ name: String) throws -> Fixture {
    try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: fixtureFile(name)))
}

func fixtureFile(_ name: String) -> URL {
    Bundle.module.resourceURL!.appendingPathComponent("Fixtures/\(name).json")
}
