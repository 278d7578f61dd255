import Foundation
import RecurrentCore
import RecurrentONNX
import Testing

/// Writes files for `scripts/check-onnx`, which lets onnxruntime compute them, into the folder in `ONNX_FIXTURES`.
struct FixtureTests {
    static let folder = ProcessInfo.processInfo.environment["ONNX_FIXTURES"]

    @Test(.enabled(if: folder != nil)) func fixtures() throws {
        let folder = try #require(Self.folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for test in ExportCase.all {
            let model = try test.makeModel()
            try TrainedModel(model).exportONNX(
                to: "\(folder)/\(test.name).onnx", isBatchFirst: test.isBatchFirst)
            try test.expectation(model).write(to: "\(folder)/\(test.name).safetensors")
        }
    }
}

extension ExportCase {
    /// Returns inputs and what the model computes from them, in the graph's names and shapes but never batch first.
    func expectation(_ model: SequenceModel) throws -> SafeTensorsWriter {
        let (steps, batch, size) = (Self.steps, Self.batch, Self.hiddenSize)
        let backend = model.backend
        var random = RandomStream(RandomKey(seed: 2, purpose: .test))
        var writer = SafeTensorsWriter(metadata: ["batchFirst": "\(isBatchFirst)"])
        func parameter(_ name: String) -> [Double] {
            let index = model.parameters.entries.firstIndex { $0.name == name }!
            return backend.download(model.parameters.value(index))
        }
        var values: [Double]
        var width: Int
        switch inputs {
        case .tokens(let vocabulary):
            let tokens = (0..<steps * batch).map { _ in random.integer(below: vocabulary) }
            writer.add("tokens", shape: [steps, batch], tokens.map { Int64($0) })
            let table = parameter("encoder.weight")
            width = embeddingSize
            values = tokens.flatMap { table[$0 * embeddingSize..<($0 + 1) * embeddingSize] }
        case .vectors(let count):
            width = count
            let inputs = (0..<steps * batch * count).map { _ in Float(random.normal()) }
            writer.add("inputs", shape: [steps, batch, count], inputs)
            values = inputs.map { Double($0) }
        }
        var initial: [String: [Float]] = [:], final: [String: [Double]] = [:]
        for layer in model.recurrentLayers {
            let states = cell.stateNames.map { _ in
                (0..<batch * size).map { _ in Float(random.uniform(in: -0.5...0.5)) }
            }
            let views = try states.map { try backend.makeMatrix($0.map { Double($0) }, rows: batch, columns: size) }
            let result = try layer.forward(
                backend.makeMatrix(values, rows: steps * batch, columns: width), steps: steps, batch: batch,
                initial: .given(views), options: .inference)
            values = backend.download(result)
            width = layer.outputWidth
            for (index, state) in cell.stateNames.enumerated() {
                initial[state, default: []] += states[index]
                let last: [Double] = backend.download(layer.finalState(index))
                final[state, default: []] += last
            }
        }
        for state in cell.stateNames {
            writer.add("initial_\(state)", shape: [layers, batch, size], initial[state]!)
            writer.add("final_\(state)", shape: [layers, batch, size], final[state]!)
        }
        let isPerPosition = targets == .positionValue || targets == .positionClass(classes: Self.vocabulary)
        let rows = isPerPosition ? values : Array(values.suffix(batch * width))
        let weight = parameter(isTied ? "encoder.weight" : "decoder.weight"), bias = parameter("decoder.bias")
        let scores = stride(from: 0, to: rows.count, by: width).flatMap { start in
            bias.indices.map { row in
                (0..<width).reduce(bias[row]) { $0 + weight[row * width + $1] * rows[start + $1] }
            }
        }
        let isNumber = targets == .positionValue || targets == .sequenceValue
        let axes = isPerPosition ? [steps, batch] : [batch]
        writer.add(isNumber ? "predictions" : "logits", shape: axes + [bias.count], scores)
        return writer
    }
}
