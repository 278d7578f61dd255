import RecurrentCore
import RecurrentRuns

/// The search for the rates of ``FieldStudy``: the same for every model, on copying at T = 100.
struct FieldSearch: Study {
    let id = "field-search"
    let title = "Beyond the paper: the rates of the field's models"

    private static let task = FieldTask.copying(100)

    /// Returns the rates to try: three learning rates (at scale smoke one), each with two for a recurrent weight that has its own.
    private func points(_ model: FieldModel, _ plan: Plan) -> [FieldModel.Rates] {
        (plan.scale == .smoke ? [1e-3] : [3e-4, 1e-3, 3e-3]).flatMap { rate -> [FieldModel.Rates] in
            let recurrent: [Double?] = model.rates.recurrent == nil ? [nil] : [1e-4, 1e-3]
            return recurrent.map { .init(learning: rate, recurrent: $0) }
        }
    }

    private func experiment(_ model: FieldModel, _ rates: FieldModel.Rates, _ plan: Plan) -> Experiment {
        let millionths = ([rates.learning] + [rates.recurrent].compactMap { $0 }).map { "\(Int(($0 * 1e6).rounded()))" }
        return Self.task.experiment(model, plan, searching: (rates, "-rates-\(millionths.joined(separator: "-"))"))
    }

    func experiments(_ plan: Plan) -> [Experiment] {
        FieldModel.chosen(plan).flatMap { model in points(model, plan).map { experiment(model, $0, plan) } }
    }

    func section(_ results: Results) -> Section {
        var section = Section(
            self,
            [
                "Every model of `field` with the same choice of rates, on \(Self.task.label), with that study's settings. The recurrent rate is that of the recurrent weight, or of what it is computed from; models without one use a single rate. The rates with the lowest validation loss, as a mean over the seeds, are marked as best, and those that `field` has for all tasks as used. A run that diverged counts as infinitely bad."
            ])
        var rows: [[String]] = []
        for model in FieldModel.chosen(results.plan) {
            let tried = points(model, results.plan).map { rates in
                (rates: rates, records: results.of(experiment(model, rates, results.plan)))
            }
            let losses = tried.map { Self.loss($0.records) }, best = losses.compactMap { $0 }.min()
            for ((rates, records), loss) in zip(tried, losses) {
                section.records += records
                rows.append([
                    model.label, Format.number(rates.learning), rates.recurrent.map { Format.number($0) } ?? "–",
                    loss.map { $0.isFinite ? Format.number($0) : "–" } ?? "–",
                    [(loss.map { $0.isFinite && $0 == best } ?? false, "best"), (rates == model.rates, "used")]
                        .filter(\.0).map(\.1).joined(separator: ", "),
                    records.seeds,
                ])
            }
        }
        section.tables = [
            .init(
                name: id, header: ["model", "learning rate", "recurrent rate", "validation loss", "choice", "runs"],
                rows: rows)
        ]
        return section
    }

    /// Returns the mean validation loss of the best epochs; infinite if a run diverged, and nil without runs.
    private static func loss(_ records: [RunRecord]) -> Double? {
        guard !records.isEmpty else { return nil }
        let losses = records.map { $0.hasDiverged ? .infinity : $0.bestValid?.loss ?? .infinity }
        return losses.reduce(0, +) / Double(losses.count)
    }
}
