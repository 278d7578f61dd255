import Foundation
import RecurrentCore

/// A row-major tensor of a fixture.
public struct FixtureTensor: Decodable, Sendable {
    /// The sizes of the dimensions.
    public let shape: [Int]
    /// The elements in row-major order.
    public let values: [Double]
}

/// A recurrent module of PyTorch, or a cell written in PyTorch, and all numbers of one forward and
/// backward pass, as `Tests/RecurrentCoreTests/Fixtures/generate.py` writes them.
///
/// The loss is the sum of each output times its ``lossWeights``. All tensors have torch's
/// names: the parameters `weight_ih_l0`…; the inputs `input` [T, B, E], and `h_0` [layers, B, H]
/// or the cell's other states, such as an LSTM's `c_0`; the outputs `output` [T, B, H], `h_n` and
/// so on. There are gradients of all parameters and inputs.
public struct PyTorchFixture: Decodable, Sendable {
    /// The call that makes the module, such as `nn.LSTM(4, 5, num_layers=1)`, or the cell's name.
    public let description: String
    /// The number of time steps T.
    public let steps: Int
    /// The number of sequences B.
    public let batch: Int
    /// The width E of the input.
    public let inputSize: Int
    /// The width H of the states.
    public let hiddenSize: Int
    /// The number of layers.
    public let layers: Int
    /// The sequences' lengths; nil if all have ``steps``. Past a sequence's end,
    /// `output` is 0 and so is its loss weight.
    public let lengths: [Int]?
    /// The parameters by torch's names.
    public let parameters: [String: FixtureTensor]
    /// The input and the initial states by torch's names.
    public let inputs: [String: FixtureTensor]
    /// The outputs and the final states by torch's names.
    public let outputs: [String: FixtureTensor]
    /// The weight of each element of ``outputs`` in the loss.
    public let lossWeights: [String: FixtureTensor]
    /// The loss.
    public let loss: Double
    /// The gradients of the loss with respect to ``parameters`` and ``inputs``.
    public let gradients: [String: FixtureTensor]

    /// Reads a fixture from a JSON file.
    ///
    /// - Throws: Foundation's error if the file can't be read or isn't a fixture.
    public init(contentsOf file: URL) throws {
        self = try JSONDecoder().decode(PyTorchFixture.self, from: Data(contentsOf: file))
    }
    /// Reads a fixture from the folder `Fixtures` among the resources of a test target.
    ///
    /// - Parameters:
    ///   - name: the name of the JSON file, without its ending.
    ///   - bundle: the resources of the target, `.module`.
    /// - Throws: Foundation's error if the file can't be read or isn't a fixture.
    public init(named name: String, in bundle: Bundle) throws {
        try self.init(contentsOf: bundle.resourceURL!.appendingPathComponent("Fixtures/\(name).json"))
    }
}

/// Checks that a cell with torch's parameters reproduces PyTorch's numbers: outputs, final
/// states, loss, and the gradients of parameters, input and initial states.
///
/// - Throws: ``ConformanceFailure`` for the first numbers that differ.
public func checkCell(
    _ cell: any RecurrentCell, reproduces fixture: PyTorchFixture, on backend: any Backend, tolerance: Double
) throws {
    let (steps, batch, hidden) = (fixture.steps, fixture.batch, fixture.hiddenSize)
    let store = ParameterStore()
    let layers = try (0..<fixture.layers).map {
        try RecurrentLayer(
            cell, index: $0, inputWidth: $0 == 0 ? fixture.inputSize : cell.outputCount * hidden, hiddenWidth: hidden,
            parameters: store,
            on: backend)
    }
    try store.allocate(on: backend)
    try require(
        Set(store.entries.map { String($0.name.dropFirst("rnn.".count)) }) == Set(fixture.parameters.keys),
        "\(cell.name): its parameters are \(store.entries.map(\.name)), torch's are \(fixture.parameters.keys.sorted())"
    )
    for (index, parameter) in store.entries.enumerated() {
        backend.upload(fixture.parameters[String(parameter.name.dropFirst(4))]!.values, to: store.value(index))
    }
    for layer in layers { try layer.clearAbsentElements() }
    /// Returns the part of a [layers, B, H] tensor that belongs to `layer`.
    func part(_ tensor: FixtureTensor, _ layer: Int) -> [Double] {
        Array(tensor.values[layer * batch * hidden..<(layer + 1) * batch * hidden])
    }
    func compare(_ actual: [Double], _ expected: [Double], _ what: String) throws {
        let error = relativeError(actual, expected)
        try require(error <= tolerance, "\(cell.name) on \(backend.name): \(what) differs from PyTorch's by \(error)")
    }

    let input = try backend.makeMatrix(fixture.inputs["input"]!.values, rows: steps * batch, columns: fixture.inputSize)
    var values = input
    var loss = 0.0
    for (number, layer) in layers.enumerated() {
        let initial = try cell.stateNames.map { name in
            try backend.makeMatrix(part(fixture.inputs["\(name)_0"]!, number), rows: batch, columns: hidden)
        }
        values = try layer.forward(
            values, steps: steps, batch: batch, initial: .given(initial), lengths: fixture.lengths, options: .training)
        for (index, name) in cell.stateNames.enumerated() {
            let final: [Double] = backend.download(layer.finalState(index))
            try compare(final, part(fixture.outputs["\(name)_n"]!, number), "\(name)_n of layer \(number)")
            let weights = part(fixture.lossWeights["\(name)_n"]!, number)
            loss += zip(final, weights).reduce(0) { $0 + $1.0 * $1.1 }
            backend.upload(weights, to: layer.stateGradient(index))
        }
    }
    var output: [Double] = backend.download(values)
    if let lengths = fixture.lengths {
        for index in output.indices where index / (batch * hidden) >= lengths[index / hidden % batch] {
            output[index] = 0
        }
    }
    try compare(output, fixture.outputs["output"]!.values, "output")
    loss += zip(output, fixture.lossWeights["output"]!.values).reduce(0) { $0 + $1.0 * $1.1 }
    try compare([loss], [fixture.loss], "loss")

    backend.upload(fixture.lossWeights["output"]!.values, to: layers.last!.outputGradient)
    for (number, layer) in layers.enumerated().reversed() {
        try layer.backward()
        if number > 0 { backend.copy(layer.inputGradient, to: layers[number - 1].outputGradient) }
        for (index, name) in cell.stateNames.enumerated() {
            try compare(
                backend.download(layer.stateGradient(index)), part(fixture.gradients["\(name)_0"]!, number),
                "gradient of \(name)_0 of layer \(number)")
        }
    }
    try compare(backend.download(layers[0].inputGradient), fixture.gradients["input"]!.values, "gradient of the input")
    for (index, parameter) in store.entries.enumerated() {
        try compare(
            backend.download(store.gradient(index)), fixture.gradients[String(parameter.name.dropFirst(4))]!.values,
            "gradient of \(parameter.name)")
    }
}
