import RecurrentRuns

/// Table 7 again, with settings other than the paper's.
struct SearchedGatedTable: Study {
    let id = "table7-searched"
    let title = "Table 7 again: perplexities of GRU and uGRU by BPTT, with settings other than the paper's"

    func experiments(_ plan: Plan) -> [Experiment] {
        GatedTable.lengths.flatMap { bptt in
            SearchedLanguageTask.gated.map { SearchedLanguageTask.gated($0, bptt: bptt, plan) }
        }
    }

    func section(_ results: Results) -> Section {
        var section = Section(self, [SearchedLanguageTask.settings(results.plan), PerplexityColumns.note])
        var rows: [[String]] = []
        for bptt in GatedTable.lengths {
            for model in SearchedLanguageTask.gated {
                let records = results.of(SearchedLanguageTask.gated(model, bptt: bptt, results.plan))
                rows.append(
                    ["\(bptt)", model.label]
                        + PerplexityColumns.values(records, paper: GatedTable.paper[model.id]?[bptt]))
                section.records += records
            }
        }
        section.tables = [.init(name: id, header: ["BPTT", "model"] + PerplexityColumns.header, rows: rows)]
        return section
    }
}

/// Table 5 again, with settings other than the paper's, and with the norms of Table 6 and Figure 4 for these runs.
struct SearchedActivationTable: Study {
    let id = "table5-searched"
    let title = "Table 5 again: perplexities of RNN and uRNN by activation, with settings other than the paper's"

    func experiments(_ plan: Plan) -> [Experiment] {
        LanguageTask.activations.flatMap { activation in
            SearchedLanguageTask.plain.reversed().map { SearchedLanguageTask.plain($0, activation, plan) }
        }
    }

    func section(_ results: Results) -> Section {
        let plan = results.plan, shown = SearchedLanguageTask.epochsShown(plan.scale)
        var section = Section(
            self,
            [
                SearchedLanguageTask.settings(plan),
                PerplexityColumns.note
                    + " BPTT \(LanguageTask.bptt). The RNN from rotations is the control that separates the effect of the initialization from that of the constraint.",
                "Norms: ‖∂x_T/∂x_1‖_F of four sequences of the batch that was just trained, after \(SearchedLanguageTask.tracked(plan.scale)): the smallest … the largest of all seeds; and by how much, relative to the bound, the uRNN was beyond its bounds at most (Float32 rounds by about 1e-6). Plots show means of the first seed, shaded the uRNN's bounds.",
            ])
        var rows: [[String]] = [], norms: [[String]] = []
        for activation in LanguageTask.activations {
            var curves: [(cell: String, norms: [RunRecord.Norm])] = []
            for model in SearchedLanguageTask.plain {
                let records = results.of(SearchedLanguageTask.plain(model, activation, plan))
                let paper = ActivationTable.paper[model.id]?[activation.id]
                rows.append([activation.label, model.label] + PerplexityColumns.values(records, paper: paper))
                norms.append([activation.label, model.label] + Self.norms(records, shown))
                curves.append((model.label, records.first?.norms ?? []))
                section.records += records
            }
            // Reversed, because the bounds of the first curve are drawn: the uRNN's.
            section.plots += NormFigure.plots(
                "\(id)-\(activation.id)",
                title: "\(activation.label), H = \(LanguageTask.width(activation, plan.scale))",
                curves.reversed(), epochs: shown)
        }
        section.tables = [
            .init(name: id, header: ["activation", "model"] + PerplexityColumns.header, rows: rows),
            .init(
                name: id + "-norms",
                header: ["activation", "model"] + shown.map { "norms in epoch \($0)" } + [
                    "all norms", "beyond the bounds",
                ], rows: norms),
        ]
        return section
    }

    /// Returns the cells of a row: the norms in each of the given epochs, all norms, and how far they exceed the bounds.
    private static func norms(_ records: [RunRecord], _ epochs: [Int]) -> [String] {
        let norms = records.flatMap(\.norms)
        let excess = norms.compactMap { norm in norm.bounds.map { norm.excess(over: $0) } }.max()
        return epochs.map { epoch in norms.filter { $0.epoch == epoch }.range } + [
            norms.range, excess.map { $0 == 0 ? "0" : Format.number($0) } ?? "–",
        ]
    }
}
