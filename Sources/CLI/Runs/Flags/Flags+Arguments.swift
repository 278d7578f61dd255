import RecurrentCore

extension Registry {
    /// Returns the flags of `cli train` that produce a configuration.
    ///
    /// They name the data set and the cell, and every option that does something and differs from the defaults of the data
    /// set.
    ///
    /// - Parameters:
    ///   - configuration: a configuration that this registry has resolved.
    ///   - skipped: the names of options to leave out.
    /// - Throws: ``RecurrentCore/RecurrentError`` if one of its plug-ins isn't registered.
    public func arguments(_ configuration: RunConfiguration, without skipped: Set<String> = []) throws -> [String] {
        // The same plug-ins with their defaults.
        var plain = try standard(dataset: configuration.dataset.name)
        let standard = try resolve(plain, locatesData: false)
        plain.cell = PluginChoice(configuration.cell.name)
        let ownActivation = try resolve(plain, locatesData: false).activation
        for kind in PluginKind.allCases { plain[kind] = configuration[kind].map { PluginChoice($0.name) } }
        // Options are compared with the defaults of the chosen plug-ins, not with those of the default plug-ins.
        let base = try resolve(plain, locatesData: false).values
        let values = configuration.values
        // Flags that do nothing are refused.
        let skipped = try skipped.union(idleReasons(in: configuration).keys)

        var result = ["--dataset", configuration.dataset.name, "--cell", configuration.cell.name]
        for kind in PluginKind.allCases where kind != .dataset && kind != .cell && !skipped.contains(kind.rawValue) {
            guard let choice = configuration[kind] else { continue }
            let usual = kind == .activation ? ownActivation : standard[kind] ?? PluginChoice(standardName(kind))
            if choice.name != usual?.name { result += ["--\(Flags.flag(kind.rawValue))", choice.name] }
        }
        let names =
            PluginKind.allCases.flatMap { kind in
                configuration[kind].flatMap { entry(kind, $0.name)?.options.map(\.name) } ?? []
            }
            + SectionAccess.all.flatMap(\.options).map(\.name)
        for name in names where !skipped.contains(name) {
            guard let value = values[name], value != base[name] else { continue }
            switch value {
            case .flag(let isOn): result.append("--\(isOn ? "" : "no-")\(Flags.flag(name))")
            default: result += ["--\(Flags.flag(name))", value.text]
            }
        }
        return result
    }
}
