import RecurrentCore
import RecurrentRuns

extension Workload {
    /// The updates of every registered manifold update, for the weights that it is for.
    static func updateNames(_ registry: Registry) -> [String] {
        registry.names(.manifold).flatMap { name -> [String] in
            let update = try? registry.makeManifold(configuration(name, registry))
            return WeightField.allCases.filter { update?.traits.fields.contains($0) ?? false }.flatMap { field in
                [128, 512].map { "update-\(name)\(field == .complex ? "-complex" : "")-n\($0)" }
            }
        }
    }

    /// The configuration of a run with a manifold update, whose weight starts at rotations.
    private static func configuration(_ manifold: String, _ registry: Registry) throws -> RunConfiguration {
        var configuration = RunConfiguration()
        configuration.manifold = PluginChoice(manifold)
        configuration.skewInit = "henaff"
        return try registry.resolve(configuration, locatesData: false)
    }

    /// Creates the workload `update-MANIFOLD-nN`: what a training step adds for a constrained weight [n, n], or for one of
    /// complex numbers, that is, the parameter's gradient, Adam's step and the new weight.
    ///
    /// The floor counts one product of n × n matrices, 2 n³, or of complex ones, 8 n³, so the ratio is the number of products
    /// that take as long.
    static func update(
        _ name: String, _ manifold: String, _ field: WeightField, size: Int, on backend: any Backend, registry: Registry
    ) throws -> Workload {
        let configuration = try configuration(manifold, registry)
        let store = ParameterStore(), rows = field.rows(size: size)
        let weight = store.declare("weight", rows: rows, columns: size, isRecurrent: true)
        store.constrain(weight, rows: 0..<rows, name: "weight.W", field: field)
        try store.allocate(on: backend)
        let updater = try ParameterUpdater(
            parameters: store, on: backend, optimizer: try registry.makeOptimizer(configuration),
            manifold: try registry.makeManifold(configuration),
            skewInitialization: try registry.makeSkewInitialization(configuration))
        var random = RandomStream(RandomKey(seed: 1, purpose: .test, stream: size))
        let gradient = try backend.makeMatrix(
            (0..<rows * size).map { _ in random.normal() }, rows: rows, columns: size)
        let cube = Double(size) * Double(size) * Double(size)
        return Workload(name: name, flops: (field == .real ? 2 : 8) * cube) {
            backend.copy(gradient, to: store.gradient(weight))
            try updater.update(learningRate: 1e-4)
            backend.synchronize()
        }
    }
}
