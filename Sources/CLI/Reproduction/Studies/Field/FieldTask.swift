import RecurrentCore
import RecurrentRuns

/// A task of the field study, with the same data and number of updates for every model.
struct FieldTask: Sendable {
    /// The quantity by which a task is judged.
    enum Score: Sendable {
        /// The accuracy of the best weights on the test split, in percent.
        case accuracy
        /// The test loss, divided by the loss of a model without memory.
        case lossRatio(delay: Int)
        /// The mean squared error on the test split.
        case squaredError
    }

    let label: String
    let id: String
    let dataset: String
    let score: Score
    /// Whether the data are the images of digits in the plan's folder.
    var readsImages = false
    /// The number of epochs at scale short; scale paper has twice as many.
    let epochs: Int
    /// Applies the task's settings, before those of the model.
    let edit: @Sendable (inout RunConfiguration, Scale) -> Void

    static let recall = FieldTask(
        label: "recall, N = 100", id: "recall-n100", dataset: "recall", score: .accuracy, epochs: 20
    ) { configuration, scale in
        configuration.dataset["length"] = .integer(scale == .smoke ? 10 : 100)
        configuration.dataset["freshData"] = true
        configuration.model.dropout = 0
        configuration.useSequences(scale)
    }

    static func copying(_ delay: Int) -> FieldTask {
        FieldTask(
            label: "copying, T = \(delay)", id: "copying-t\(delay)", dataset: "copying",
            score: .lossRatio(delay: delay), epochs: 20
        ) { configuration, scale in
            configuration.dataset["length"] = .integer(scale == .smoke ? delay / 10 : delay)
            configuration.useSequences(scale)
        }
    }

    static let adding = FieldTask(
        label: "adding, T = 300", id: "adding-t300", dataset: "adding", score: .squaredError, epochs: 60
    ) { configuration, scale in
        configuration.dataset["length"] = .integer(scale == .smoke ? 30 : 300)
        configuration.useSequences(scale)
    }

    /// Images of digits, pixel by pixel.
    static let digits = [("sequential digits", "digits"), ("permuted digits", "permuted-digits")].map { label, name in
        FieldTask(label: label, id: name, dataset: name, score: .accuracy, readsImages: true, epochs: 30) {
            configuration, scale in
            configuration.training.batchSize = 50
            if scale == .smoke { configuration.training.batchesPerEpoch = 2 }
        }
    }

    static let generated = [recall] + [100, 300, 1000].map(copying) + [adding]

    /// Returns the tasks of a plan: those on images only if it has a folder of them.
    static func all(_ plan: Plan) -> [FieldTask] { generated + (plan.images == nil ? [] : digits) }

    /// Returns the experiment of a model on this task.
    ///
    /// - Parameters:
    ///   - rates: the rates and the end of the experiment's name, for a search; nil for the model's own rates.
    func experiment(
        _ model: FieldModel, _ plan: Plan, searching rates: (FieldModel.Rates, name: String)? = nil
    ) -> Experiment {
        plan.experiment("field-\(id)-\(model.id)\(rates?.name ?? "")", on: dataset) {
            if readsImages, let images = plan.images { $0.dataset["data"] = .text(images) }
            $0.optimizer = "rmsprop"
            $0.training.clipNorm = 1
            $0.training.manifoldLearningRate = nil
            $0.skewInit = "henaff"
            $0.model.hiddenSize = model.width(plan.scale)
            edit(&$0, plan.scale)
            model.apply(rates?.0 ?? model.rates, to: &$0)
            $0.training.epochs =
                switch plan.scale {
                case .smoke: 2
                case .short: epochs
                case .paper: 2 * epochs
                }
            // What decides on the rates doesn't see the test data.
            $0.tracking.trackTest = rates == nil
        }
    }

    /// Returns the result of some runs, as text.
    func result(_ records: [RunRecord], _ scale: Scale) -> String {
        let tests = records.compactMap(\.test)
        return switch score {
        case .accuracy: Format.mean(tests.map(\.metric), scale: 100)
        case .lossRatio(let delay): Format.range(tests.map { $0.loss / scale.memorylessLoss(delay: delay) })
        case .squaredError: Format.range(tests.map(\.loss))
        }
    }

    /// The title of the result's column.
    var column: String {
        switch score {
        case .accuracy: "\(label): accuracy %"
        case .lossRatio: "\(label): loss ÷ memoryless"
        case .squaredError: "\(label): squared error"
        }
    }
}

extension RunConfiguration {
    /// Sets batches of 32 out of 1,600 new sequences an epoch; a few at scale smoke.
    fileprivate mutating func useSequences(_ scale: Scale) {
        training.batchSize = 32
        if scale == .smoke {
            useSplits(train: 64, valid: 32, test: 32)
        } else {
            useSplits(train: 1600, valid: 320, test: 320)
        }
    }
}
