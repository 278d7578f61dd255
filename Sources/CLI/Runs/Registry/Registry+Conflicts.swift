import RecurrentCore

extension Registry {
    /// Returns why a plug-in can't be added to the registry; nil if it can.
    ///
    /// Plug-ins of the same kind may share the name of an option, because only one of them takes part in a run. Plug-ins
    /// of different kinds may not, and no option may have the name of one that every run has.
    package func conflict(adding entry: Entry) -> String? {
        let plugin = "\(entry.kind.label) '\(entry.name)'"
        guard !entry.name.isEmpty, entry.name.allSatisfy({ $0.isLowercase || $0.isNumber || $0 == "-" }) else {
            return "the \(plugin) must have a name of lower-case letters, digits and hyphens"
        }
        if self.entry(entry.kind, entry.name) != nil { return "the \(plugin) is registered twice" }
        var seen: Set<String> = []
        for option in entry.options {
            let name = option.name, flag = Flags.flag(name)
            guard name.first?.isLowercase == true, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
            else {
                return "the \(plugin) has an option '\(name)', whose name must be in lower camel case"
            }
            guard seen.insert(name).inserted else { return "the \(plugin) has two options '\(name)'" }
            if RunConfiguration.reservedKeys.contains(name) || PluginKind(rawValue: name) != nil
                || SectionAccess.all.contains(where: { $0.options.contains { $0.name == name } })
                || Flags.reserved.contains(flag) || Flags.aliases[flag] != nil
            {
                return "the \(plugin) has an option '\(name)', which every run has; give it another name"
            }
            for other in entries {
                guard let twin = other.options.first(where: { $0.name == name }) else { continue }
                if other.kind != entry.kind {
                    return
                        "the \(plugin) and the \(other.kind.label) '\(other.name)' both have an option '\(name)', and may take part in the same run; rename one"
                }
                if (twin.kind == .flag) != (option.kind == .flag) {
                    return
                        "the \(plugin) and the \(other.kind.label) '\(other.name)' both have an option '\(name)', which takes a value in only one of them; rename one"
                }
            }
        }
        return nil
    }
}
