import RecurrentCore
import RecurrentRuns

/// A cell or a constraint of the field study, with its size and its rates.
package struct FieldModel: Sendable {
    /// What a model stands for; the plots of a group have room for a dozen curves.
    enum Group: String, Sendable, CaseIterable {
        /// Cells as their papers have them.
        case cells
        /// Ways to keep the recurrent weight of the uRNN orthogonal, or nearly so, or unitary.
        case constraints
    }
    /// Published accuracies in percent on the test images of sequential and permuted MNIST, 784 steps of a pixel, after
    /// training on the full training set; nil where none was found.
    struct Published: Sendable {
        let sequential: Double?, permuted: Double?
        /// The paper and the hidden width H, for the report.
        let source: String
    }

    /// The learning rate of most parameters, and that of the recurrent weight or what it is computed from; nil for the same.
    struct Rates: Sendable, Equatable {
        var learning: Double
        var recurrent: Double?
    }

    let label: String
    /// The name on the command line, which is also part of the folders' names.
    package let id: String
    /// The plots that show the model.
    let groups: Set<Group>
    /// The hidden width H at which the recurrent layer has about ``budget`` free parameters.
    let width: Int
    let published: Published?
    /// The rates for all tasks, among those that ``FieldSearch`` tries.
    let rates: Rates
    /// Applies the cell and the constraint.
    let edit: @Sendable (inout RunConfiguration) -> Void

    /// Applies the cell, the constraint and some rates.
    func apply(_ rates: Rates, to configuration: inout RunConfiguration) {
        edit(&configuration)
        configuration.training.learningRate = rates.learning
        // The nnRNN has a weight of each kind.
        if ["rnn", "nnrnn"].contains(configuration.cell.name) {
            configuration.training.recurrentLearningRate = rates.recurrent
        }
        if configuration.cell.name != "rnn" {
            configuration.training.manifoldLearningRate = rates.recurrent
        }
    }

    /// Returns the models that a plan includes.
    static func chosen(_ plan: Plan) -> [FieldModel] { all.filter { plan.models?.contains($0.id) ?? true } }

    /// The number of free parameters of the recurrent layer where its input has a width of 30.
    package static let budget = 12_200

    /// Returns the hidden width at a scale: a quarter of ``width`` at scale smoke.
    func width(_ scale: Scale) -> Int { scale == .smoke ? width / 4 : width }

    /// Returns the number of free parameters of the recurrent layer: what optimizers step, where a skew-symmetric matrix
    /// counts n(n − 1)/2 and a skew-Hermitian one n².
    ///
    /// - Throws: ``RecurrentError`` if the registry lacks one of the model's plug-ins.
    package func freeParameters(inputWidth: Int = 30, width: Int? = nil, _ registry: Registry) throws -> Int {
        let width = width ?? self.width
        var configuration = RunConfiguration()
        edit(&configuration)
        configuration = try registry.resolve(configuration, locatesData: false)
        let backend = try registry.makeBackend(configuration), store = ParameterStore()
        _ = try RecurrentLayer(
            try registry.makeCell(configuration), inputWidth: inputWidth, hiddenWidth: width, parameters: store,
            on: backend)
        let present = store.count - store.absentCount
        guard !store.orthogonalBlocks.isEmpty else { return present }
        let manifold = try registry.makeManifold(configuration)
        return try store.orthogonalBlocks.reduce(present) { count, block in
            let workspace = try manifold.makeWorkspace(block.field, size: width, on: backend)
            return count - store.range(of: block).count + workspace.parameters.reduce(0) { $0 + $1.freeCount }
        }
    }
}
