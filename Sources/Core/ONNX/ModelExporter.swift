import RecurrentCore

/// Builds the graph of a whole model: embedding, recurrent layers, projection.
struct ModelExporter {
    private let model: TrainedModel
    private let isBatchFirst: Bool
    private let builder: GraphBuilder
    private var operators: [String] = []

    private var layers: Int { model.configuration.layers }
    private var hiddenWidth: Int { model.configuration.hiddenSize }
    private var outputWidth: Int { model.configuration.outputSize(of: model.cell) }

    init(_ model: TrainedModel, isBatchFirst: Bool) {
        self.model = model
        self.isBatchFirst = isBatchFirst
        builder = GraphBuilder(name: "recurrent_model")
    }

    mutating func export() throws -> (model: ONNXModel, summary: ONNXSummary) {
        let states = model.cell.stateNames
        for name in states.map({ "final_\($0)" }) + [resultName] { builder.reserve(name) }
        var (values, width) = input()
        let initial = states.map { initialState($0) }
        var final: [[String]] = states.map { _ in [] }
        for layer in 0..<layers {
            let names = states.map { state in
                layers == 1 ? "final_\(state)" : builder.name("layer\(layer).final_\(state)")
            }
            values = try recurrent(
                layer, width,
                LayerValues(input: values, initialStates: initial.map { $0[layer] }, finalStates: names))
            for index in names.indices { final[index].append(names[index]) }
            width = outputWidth
        }
        if layers > 1 {
            for (state, names) in zip(states, final) {
                builder.add(ONNXNode("Concat", names, ["final_\(state)"], [ONNXAttribute("axis", .integer(0))]))
            }
        }
        if model.data.targets.isPerPosition {
            projectAll(isBatchFirst ? transposed(values, [1, 0, 2]) : values)
        } else {
            let last = final.prefix(model.cell.outputCount).map { names in
                builder.add("Squeeze", [names[layers - 1], builder.integers([0])], as: "last")
            }
            project(builder.joined(last, as: "output"), into: resultName)
        }
        for state in states { builder.output(stateValue("final_\(state)", state, "after the last position")) }

        var result = ONNXModel(graph: builder.graph)
        result.documentation = documentation
        result.metadata = metadata
        return (
            result,
            ONNXSummary(
                recurrentOperators: operators, opset: ONNXModel.opset, inputs: builder.graph.inputs.map(\.text),
                outputs: builder.graph.outputs.map(\.text))
        )
    }

    private func transposed(_ values: String, _ order: [Int]) -> String {
        builder.add("Transpose", [values], as: "\(values).transposed", [ONNXAttribute("perm", .integers(order))])
    }

    /// Declares the graph's first input; returns the name and the width of what the first layer reads, [T, B, E].
    private func input() -> (name: String, width: Int) {
        let axes = isBatchFirst ? [ONNXValue.Axis.batch, .sequence] : [.sequence, .batch]
        switch model.data.inputs {
        case .tokens(let vocabulary):
            let width = model.configuration.embeddingSize
            builder.input(
                ONNXValue("tokens", .int64, axes, "The ids of the tokens, each at least 0 and below \(vocabulary)."))
            let tokens = isBatchFirst ? transposed("tokens", [1, 0]) : "tokens"
            return (builder.add("Gather", [parameter("encoder.weight"), tokens], as: "embedded"), width)
        case .vectors(let width):
            builder.input(ONNXValue("inputs", .float, axes + [.size(width)], "A vector at each position."))
            return (isBatchFirst ? transposed("inputs", [1, 0, 2]) : "inputs", width)
        }
    }

    private func stateValue(_ name: String, _ state: String, _ when: String) -> ONNXValue {
        ONNXValue(
            name, .float, [.size(layers), .batch, .size(hiddenWidth)],
            "The state \(state) of each layer, from the bottom up, \(when).")
    }

    /// Declares the graph's input for a state; returns its parts for the layers, [1, B, H] each.
    private func initialState(_ state: String) -> [String] {
        let name = "initial_\(state)"
        builder.input(stateValue(name, state, "before the first position; zeros at the start of a sequence"))
        guard layers > 1 else { return [name] }
        let parts = (0..<layers).map { builder.name("layer\($0).\(name)") }
        builder.add(ONNXNode("Split", [name], parts, [ONNXAttribute("axis", .integer(0))]))
        return parts
    }

    private mutating func recurrent(_ layer: Int, _ width: Int, _ values: LayerValues) throws -> String {
        let zoneout = model.configuration.zoneout
        let step = try TracedStep(
            model.cell, inputWidth: width, hiddenWidth: hiddenWidth, masked: false,
            zoneout: zoneout > 0 ? .expected(rate: zoneout) : nil)
        let weights = LayerWeights(model: model, layer: layer, layout: step.layout, hiddenWidth: hiddenWidth)
        if let recognized = RecognizedOperator(step) {
            operators.append(recognized.template.name)
            return OperatorLayer(recognized: recognized, weights: weights, inputWidth: width).emit(values, to: builder)
        }
        operators.append("Scan")
        var loop = LoopLayer(step, weights: weights, in: builder)
        return try loop.emit(values)
    }

    /// Returns the name of a parameter's tensor, stored once.
    private func parameter(_ name: String) -> String {
        guard !builder.graph.tensors.contains(where: { $0.name == name }) else { return name }
        guard let parameter = model.parameters.first(where: { $0.name == name }) else {
            preconditionFailure("the model has no '\(name)'")
        }
        return builder.tensor(name, shape: parameter.shape) { [model] in model.values(of: name)! }
    }

    private var resultName: String { model.data.targets.areValues ? "predictions" : "logits" }

    /// Adds the projection of some rows [R, O]; the weight, which may be the embedding's, is used as it is stored.
    private func project(_ rows: String, into result: String) {
        let weight = parameter(model.configuration.tiesEmbedding ? "encoder.weight" : "decoder.weight")
        builder.add(
            ONNXNode(
                "Gemm", [rows, weight, parameter("decoder.bias")], [result], [ONNXAttribute("transB", .integer(1))]))
        guard !model.data.targets.isPerPosition else { return }
        builder.output(resultValue([.batch]))
    }

    /// Adds the projection of the outputs after all steps, [T, B, O] or [B, T, O].
    private func projectAll(_ states: String) {
        let rows = builder.add("Reshape", [states, builder.integers([-1, outputWidth])], as: "rows")
        let scores = builder.name("scores")
        project(rows, into: scores)
        let axes = builder.add("Shape", [states], as: "axes", [ONNXAttribute("end", .integer(2))])
        let shape = builder.add(
            "Concat", [axes, builder.integers([model.data.classes])], as: "shape", [ONNXAttribute("axis", .integer(0))])
        builder.add(ONNXNode("Reshape", [scores, shape], [resultName]))
        builder.output(resultValue(isBatchFirst ? [.batch, .sequence] : [.sequence, .batch]))
    }

    private func resultValue(_ axes: [ONNXValue.Axis]) -> ONNXValue {
        let place = model.data.targets.isPerPosition ? "each position" : "the whole sequence"
        let meaning = model.data.targets.areValues ? "The number predicted for" : "The score of each class for"
        let rest = model.data.targets.areValues ? "." : "; softmax turns scores into probabilities."
        return ONNXValue(resultName, .float, axes + [.size(model.data.classes)], "\(meaning) \(place)\(rest)")
    }

    private var documentation: String {
        let sizes = layers == 1 ? "one layer" : "\(layers) layers"
        return "A recurrent network of \(sizes) with \(hiddenWidth) units; cell '\(model.cell.name)': "
            + "\(model.cell.summary). To continue a sequence, give the final states as the initial ones."
    }

    /// The properties; see the page on export.
    private var metadata: [(name: String, value: String)] {
        var properties = [("cell", model.cell.name)]
        guard let vocabulary = model.vocabulary else { return properties }
        let tokens = vocabulary.tokens.map { SafeTensorsWriter.quoted($0) }
        properties.append(("vocabulary", "[\(tokens.joined(separator: ","))]"))
        switch vocabulary.form {
        case .words: properties.append(("tokens", "words"))
        case .characters(let blank): properties += [("tokens", "characters"), ("blank", blank)]
        }
        return properties
    }
}
