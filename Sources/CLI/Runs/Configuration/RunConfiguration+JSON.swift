import Foundation
import RecurrentCore

extension RunConfiguration {
    /// Returns the configuration in the format of `config.json`.
    ///
    /// - Parameter pretty: whether to add line breaks and indentation.
    public func json(pretty: Bool = false) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self))
    }

    /// Creates a configuration from the format that ``json(pretty:)`` writes, or from version 1 of it.
    ///
    /// - Parameters:
    ///   - data: the contents of the file.
    ///   - path: the path of the file, for error messages.
    ///   - registry: the plug-ins, whose data set provides the values that the file lacks; nil to use the general
    ///     defaults.
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if the file is damaged, has a later version,
    ///   or has a value out of range.
    public init(json data: Data, path: String, registry: Registry? = nil) throws {
        self = try ConfigurationFile(json: data, path: path, registry: registry).configuration
    }

    /// Creates a configuration from a file such as `config.json`.
    ///
    /// - Parameters:
    ///   - path: the path of the file.
    ///   - registry: the plug-ins, whose data set provides the values that the file lacks; nil to use the general
    ///     defaults.
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if the file can't be read, and
    ///   ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if it holds no configuration.
    public init(file path: String, registry: Registry? = nil) throws {
        try self.init(json: Data(FileReader.contents(of: path)), path: path, registry: registry)
    }
}

extension ConfigurationFile {
    /// Reads a file; the parameters are those of ``RunConfiguration/init(json:path:registry:)``.
    ///
    /// - Parameter base: the configuration that the file changes; nil to use the defaults for what it lacks.
    init(json data: Data, path: String, registry: Registry? = nil, base: RunConfiguration? = nil) throws {
        let outline: JSONOutline
        do { outline = try JSONOutline(data) } catch let flaw as JSONOutline.Flaw {
            throw RecurrentError.checkpoint(path: path, reason: "line \(flaw.line): \(flaw.reason)")
        }
        let decoder = JSONDecoder()
        if let registry {
            let standard: @Sendable (String) throws -> RunConfiguration = { try registry.standard(dataset: $0) }
            decoder.userInfo[Self.standardKey] = standard
        }
        decoder.userInfo[Self.baseKey] = base
        do {
            self = try decoder.decode(ConfigurationFile.self, from: data)
        } catch let error as RecurrentError {
            throw error.about(configuration: path, outline)
        } catch {
            throw RecurrentError.checkpoint(path: path, reason: Self.oneLine(error, outline))
        }
    }

    /// Returns what is wrong with a value that isn't of the type that the decoder expects.
    private static func oneLine(_ error: any Error, _ outline: JSONOutline) -> String {
        switch error as? DecodingError {
        case .keyNotFound(let key, let context)? where !context.codingPath.isEmpty:
            let path = context.codingPath.map(\.stringValue), line = outline.places[path]?.line
            return (line.map { "line \($0): " } ?? "") + "\(quoted(path)) has no \(quoted([key.stringValue]))"
        case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?, .dataCorrupted(let context)?:
            // The elements of a list have no keys.
            let path = context.codingPath.filter { $0.intValue == nil }.map(\.stringValue)
            guard let place = outline.places[path] else { return "isn't a run's configuration (no JSON object)" }
            let isElement = context.codingPath.contains { $0.intValue != nil }
            let line = "line \(place.line): "
            if let reason = flatForm(path, outline) { return line + reason }
            if let section = SectionAccess.all.first(where: { path.count == 2 && $0.title == path[0] }),
                !section.options.contains(where: { $0.name == path[1] })
            {
                return line + noOption(path, in: section.options.map(\.name)).description.replacing("`", with: "\"")
            }
            return line + "\(quoted(path)) must be "
                + (isElement
                    ? "a list of numbers or texts alone" : "\(form(path, place.value)), not \(place.value)")
        default: return "isn't a run's configuration (no JSON object)"
        }
    }

    private static func quoted(_ path: [String]) -> String { "\"\(JSONOutline.shown(path))\"" }

    /// Returns what is wrong with an object in a file of version 1, which has none; nil if that isn't the mistake.
    private static func flatForm(_ path: [String], _ outline: JSONOutline) -> String? {
        guard case .word(let version)? = outline.places[["version"]]?.value, Double(version) == 1, path.count == 1,
            case .object? = outline.places[path]?.value
        else { return nil }
        let flat = "in version 1, which is flat", otherwise = "; or write \"version\": \(RunConfiguration.version)"
        if PluginKind(rawValue: path[0]) != nil {
            let name = outline.places[path + [ConfigurationKey.name.stringValue]]?.value.text
            let example = name.map { " such as \"\($0.excerpt)\"" } ?? ""
            return
                "\(quoted(path)) must be a text\(example) \(flat), and its options belong at the top level\(otherwise)"
        }
        return sections.contains(path[0])
            ? "\(quoted(path)) doesn't exist \(flat): its options belong at the top level\(otherwise)" : nil
    }

    /// Returns what the value of a key must be.
    private static func form(_ path: [String], _ value: JSONOutline.Value) -> String {
        let isNumber = if case .word(let word) = value { Double(word) != nil } else { false }
        return if path == ["version"] {
            "\(RunConfiguration.version) or 1"
        } else if path == ["seed"] {
            OptionKind.seed.requirement
        } else if path == ["from"] || path.last == ConfigurationKey.name.stringValue {
            "a text"
        } else if PluginKind.allCases.contains(where: { Self.path(of: $0) == path }) {
            "an object such as {\"name\": \"\(value.text?.excerpt ?? "…")\"}"
        } else if path.count == 1, Self.sections.contains(path[0]) {
            "an object with options"
        } else if isNumber, path.count == 2, let section = SectionAccess.all.first(where: { $0.title == path[0] }),
            let option = section.options.first(where: { $0.name == path[1] }), option.kind.isInteger
        {
            "\(option.kind.requirement)"
        } else {
            isNumber ? "a number that a Double can hold" : "a number, a text, true, false or a list of these"
        }
    }
}

extension RecurrentError {
    /// Returns the error as one of a configuration file, which names the file and, if it can be found, the line, and spells
    /// options as the file does.
    ///
    /// - Parameters:
    ///   - path: the path of the file.
    ///   - outline: the keys of the file; nil to read them from it.
    func about(configuration path: String, _ outline: JSONOutline? = nil) -> RecurrentError {
        let name: String? =
            switch self {
            case .file, .checkpoint: nil
            case .unknownName(let kind, _, _): PluginKind.allCases.first { $0.label == kind }?.rawValue
            default: description.firstMatch(of: /`([^`]*)`/).map { String($0.output.1) }
            }
        switch self {
        case .file, .checkpoint: return self
        default: break
        }
        let outline = outline ?? (try? FileReader.contents(of: path)).flatMap { try? JSONOutline(Data($0)) }
        let line = name.flatMap { outline?.line(of: $0) }.map { "line \($0): " } ?? ""
        // Only the first version of the format has the key of that name, apart from mistakes.
        let isStart = outline?.places[[PluginKind.skewInit.rawValue]] == nil
        let reason = description.replacing(/`([^`]*)`/) { match in
            "\"\(isStart && match.output.1 == PluginKind.skewInit.rawValue ? RunConfiguration.startKey : String(match.output.1))\""
        }
        return .checkpoint(path: path, reason: line + reason)
    }
}

extension Registry {
    /// Reads the configuration of a run from a file such as `config.json`, for `train --config`.
    ///
    /// - Parameters:
    ///   - path: the path of the file, or of the folder of a run, whose configuration is then read.
    ///   - base: the configuration of a run to resume, of which the file changes what it gives a value; nil to use, for
    ///     what the file lacks, that of the run that it names as `from`, or else the defaults of the data set.
    ///   - overridden: the names of options that are changed again, so that their values in the file don't count.
    /// - Returns: the configuration, which isn't resolved.
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if the file can't be read, and
    ///   ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if it holds no configuration, names a plug-in that
    ///   isn't registered, has a value out of range, gives an option that does nothing a value, or changes what can't
    ///   change in a run that is resumed or starts from another.
    public func configuration(
        file path: String, onto base: RunConfiguration? = nil, overridden: Set<String> = []
    ) throws -> RunConfiguration {
        guard !path.isEmpty else { throw RecurrentError.invalidOption("`config` names no file") }
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let path = isThere && isFolder.boolValue ? path + "/config.json" : path
        let data = try Data(FileReader.contents(of: path))
        var file = try ConfigurationFile(json: data, path: path, registry: self, base: base)
        let source = base == nil ? file.configuration.from.map(RunFolder.init(opening:)) : nil
        if let source, !file.isComplete {
            // As with `train --from`, what the file lacks is that of the run that it starts from.
            file = try ConfigurationFile(
                json: data, path: path, registry: self, base: source.resolvedConfiguration(self))
        }
        do {
            try checkIdle(file)
            let resolved = try resolve(file.configuration, locatesData: false)
            if let source { try resolved.checkSizes(of: source, self, except: overridden) }
            try base?.checkResumable(as: resolved, except: overridden, registry: self)
        } catch let error as RecurrentError {
            throw error.about(configuration: path, try? JSONOutline(data))
        }
        return file.configuration
    }

    /// Refuses what would be refused as a flag, because it does nothing.
    ///
    /// A file that a run wrote has values for all options, and so also for some that do nothing; in other files, those
    /// with their default do no harm. But no run writes a plug-in that it doesn't have.
    private func checkIdle(_ file: ConfigurationFile) throws {
        guard !file.isFlat else { return }
        let configuration = file.configuration, reasons = try idleReasons(in: configuration)
        let values = configuration.values, standard = try standard(dataset: configuration.dataset.name).values
        let hasSkew = !configuration.missingConditions(self).contains(.orthogonalWeight)
        for name in file.given.sorted() {
            guard let reason = reasons[name] else { continue }
            let isAlien = PluginKind(rawValue: name).map { $0 == .activation || !hasSkew } ?? false
            guard isAlien || (!file.isComplete && values[name] != standard[name]) else { continue }
            throw RecurrentError.invalidOption("`\(name)` does nothing for \(reason); leave it out")
        }
    }
}

extension JSONEncoder.NonConformingFloatEncodingStrategy {
    /// A strategy that writes infinities and NaN as text, because JSON has no numbers for them.
    package static var infinityAsText: Self {
        .convertToString(positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    }
}
