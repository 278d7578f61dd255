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
        let decoder = JSONDecoder()
        if let registry {
            let standard: @Sendable (String) throws -> RunConfiguration = { try registry.standard(dataset: $0) }
            decoder.userInfo[Self.standardKey] = standard
        }
        decoder.userInfo[Self.baseKey] = base
        do {
            self = try decoder.decode(ConfigurationFile.self, from: data)
        } catch let error as RecurrentError {
            throw error.about(configuration: path)
        } catch {
            throw RecurrentError.checkpoint(path: path, reason: "isn't a run's configuration (\(Self.oneLine(error)))")
        }
    }

    private static func oneLine(_ error: any Error) -> String {
        func name(_ context: DecodingError.Context) -> String {
            "\"\(context.codingPath.map(\.stringValue).joined(separator: "."))\""
        }
        return switch error as? DecodingError {
        case .keyNotFound(let key, let context)?:
            context.codingPath.isEmpty ? "no \"\(key.stringValue)\"" : "\(name(context)) has no \"\(key.stringValue)\""
        case .typeMismatch(_, let context)? where context.codingPath.isEmpty: "no JSON object"
        case .typeMismatch(_, let context)?
        where context.codingPath.count == 1 && PluginKind(rawValue: context.codingPath[0].stringValue) != nil:
            "\(name(context)) must be an object such as {\"name\": \"…\"}"
        case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?: "\(name(context)) has the wrong type"
        default: "no JSON object"
        }
    }
}

extension RecurrentError {
    /// Returns the error as one of a configuration file, which names the file and spells options as the file does.
    func about(configuration path: String) -> RecurrentError {
        switch self {
        case .file, .checkpoint: self
        default:
            .checkpoint(
                path: path,
                reason: description.replacing(/`([a-z][A-Za-z0-9]*)`/) { match in
                    "\"\(match.output.1 == "skewInit" ? "start" : String(match.output.1))\""
                })
        }
    }
}

extension Registry {
    /// Reads the configuration of a run from a file such as `config.json`, for `train --config`.
    ///
    /// - Parameters:
    ///   - path: the path of the file, or of the folder of a run, whose configuration is then read.
    ///   - base: the configuration of which the file changes what it gives a value; nil to use the defaults of the data
    ///     set for what the file lacks.
    /// - Returns: the configuration, which isn't resolved.
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if the file can't be read, and
    ///   ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if it holds no configuration, names a plug-in that
    ///   isn't registered, has a value out of range, or gives an option that does nothing a value.
    public func configuration(file path: String, onto base: RunConfiguration? = nil) throws -> RunConfiguration {
        guard !path.isEmpty else { throw RecurrentError.invalidOption("`config` names no file") }
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let path = isThere && isFolder.boolValue ? path + "/config.json" : path
        let file = try ConfigurationFile(
            json: Data(FileReader.contents(of: path)), path: path, registry: self, base: base)
        do {
            try checkIdle(file)
            _ = try resolve(file.configuration, locatesData: false)
        } catch let error as RecurrentError {
            throw error.about(configuration: path)
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
