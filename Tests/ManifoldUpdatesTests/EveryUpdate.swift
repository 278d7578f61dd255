import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers

/// All updates, with the options that make them another function.
let everyUpdate: [any ManifoldUpdate] =
    everyFunction.map(\.update) + [
        DynamicTrivializationUpdate(period: 3), DynamicTrivializationUpdate(period: 1),
        DynamicTrivializationUpdate(period: nil), RetractionUpdate(.polar), RetractionUpdate(.qr),
        RetractionUpdate(.cayley), ScaledCayleyUpdate(), ScaledCayleyUpdate(negativeOnes: 1), MarginUpdate(margin: 0.3),
        MarginUpdate(margin: 0), HouseholderUpdate(), HouseholderUpdate(reflections: 3), ArjovskyUpdate(),
    ]

/// The updates that compute W from B alone, and whether their gradients are exact.
let everyFunction: [(update: any ManifoldUpdate, isExact: Bool)] = [
    (ExponentialUpdate(), false), (ExponentialUpdate(method: .eigendecomposition), false),
    (ExactExponentialUpdate(), true), (CayleyUpdate(), true),
]

/// An update with a kind of weights that it is for.
struct UpdateCase: CustomStringConvertible {
    let update: any ManifoldUpdate
    let field: WeightField

    static let all: [UpdateCase] = everyUpdate.flatMap { update in
        WeightField.allCases.filter(update.traits.fields.contains).map { UpdateCase(update: update, field: $0) }
    }

    /// One of each kind, for tests that take long: the base moves at each step where it can.
    static let distinct: [UpdateCase] = {
        let moving: [any ManifoldUpdate] = [
            DynamicTrivializationUpdate(period: 1), RetractionUpdate(.polar), RetractionUpdate(.qr),
            RetractionUpdate(.cayley), ScaledCayleyUpdate(negativeOnes: 1), MarginUpdate(margin: 0.3, period: 1),
        ]
        let real = everyFunction.map(\.update) + moving + [HouseholderUpdate()]
        let complex: [any ManifoldUpdate] =
            [ExponentialUpdate(), CayleyUpdate()] + moving + [ArjovskyUpdate(), HouseholderUpdate()]
        return real.map { UpdateCase(update: $0, field: .real) }
            + complex.map { UpdateCase(update: $0, field: .complex) }
    }()

    var description: String { "\(update.name), \(field.rawValue)" }
}

/// A weight of a ``ParameterStore`` that a ``ParameterUpdater`` steps, as in training.
struct ConstrainedWeight {
    let backend: any Backend
    let store = ParameterStore()
    let updater: ParameterUpdater
    let field: WeightField
    let size: Int

    init(
        _ item: UpdateCase, size: Int, optimizer: any Optimizer, rate: Double,
        skew: any SkewInitialization = HenaffSkew(), on backend: any Backend
    ) throws {
        (self.backend, field, self.size) = (backend, item.field, size)
        let rows = field.rows(size: size), number = store.declare("w", rows: rows, columns: size)
        store.constrain(number, rows: 0..<rows, name: "w.W", field: field)
        try store.allocate(on: backend)
        updater = try ParameterUpdater(
            parameters: store, on: backend, optimizer: optimizer, manifold: item.update, skewInitialization: skew,
            configuration: TrainingConfiguration(learningRate: rate))
    }

    var weight: MatrixView { store.value(0) }
    var gradient: MatrixView { store.gradient(0) }
    /// Steps the weight along the gradient that the store holds.
    func step() throws { try updater.update(learningRate: updater.configuration.learningRate) }
    /// The largest element of WᴴW − I.
    var orthogonalityError: Double {
        get throws {
            field == .real
                ? ManifoldUpdatesTests.orthogonalityError(backend.download(weight), size: size)
                : try OrthogonalSpectrum.orthogonalityError(of: weight, on: backend)
        }
    }
}
