import Foundation

/// A tensor of a fixture, row-major.
struct FixtureTensor: Decodable {
    let shape: [Int]
    let values: [Double]
}

/// A recurrent module of PyTorch with all numbers of one forward and backward
/// pass, as `Fixtures/generate.py` writes them.
///
/// The loss is the sum of each output times its ``lossWeights``. Everything goes by
/// torch's names: parameters `weight_ih_l0`…; inputs `input` [T, B, E], `h_0`
/// [layers, B, H] and an LSTM's `c_0`; outputs `output` [T, B, H], `h_n`, `c_n`.
/// Gradients are of all parameters and inputs.
struct PyTorchFixture: Decodable {
    let description: String
    let steps: Int
    let batch: Int
    let inputSize: Int
    let hiddenSize: Int
    let layers: Int
    /// The sequences' lengths; nil if all have `steps`. Past a sequence's end,
    /// `output` is 0 and so is its loss weight.
    let lengths: [Int]?
    let parameters: [String: FixtureTensor]
    let inputs: [String: FixtureTensor]
    let outputs: [String: FixtureTensor]
    let lossWeights: [String: FixtureTensor]
    let loss: Double
    let gradients: [String: FixtureTensor]

    static let names = ["rnn_tanh", "rnn_relu", "gru", "lstm", "gru_two_layers", "gru_lengths"]

    static func load(_ name: String) throws -> PyTorchFixture { try loadFixture(name) }
}

/// A whole model of PyTorch, embedding (`encoder`) → `rnn` → linear (`decoder`) →
/// mean cross-entropy, with its gradients.
///
/// Later batches continue earlier ones: the state is carried over, without a
/// gradient through it, and the parameters stay as they are.
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
        /// T·B.
        let tokens: [Int32]
        /// B, or T·B in a language model.
        let targets: [Int32]
        /// [B, V] or [T, B, V].
        let logits: FixtureTensor
        /// Of each target.
        let losses: FixtureTensor
        /// Their mean.
        let loss: Double
        let gradients: [String: FixtureTensor]
    }

    static let names = ["classify_gru", "classify_rnn_relu", "language_model_gru"]

    static func load(_ name: String) throws -> PyTorchModelFixture { try loadFixture(name) }
}

private func loadFixture<Fixture: Decodable>(_ name: String) throws -> Fixture {
    let folder = Bundle.module.resourceURL!.appendingPathComponent("Fixtures")
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: folder.appendingPathComponent("\(name).json")))
}
