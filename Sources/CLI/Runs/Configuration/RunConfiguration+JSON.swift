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
        let decoder = JSONDecoder()
        if let registry {
            let standard: @Sendable (String) throws -> RunConfiguration = { try registry.standard(dataset: $0) }
            decoder.userInfo[Self.standardKey] = standard
        }
        do {
            self = try decoder.decode(RunConfiguration.self, from: data)
        } catch RecurrentError.invalidOption(let reason) {
            throw RecurrentError.checkpoint(path: path, reason: reason)
        } catch let error as RecurrentError {
            throw error
        } catch {
            throw RecurrentError.checkpoint(path: path, reason: "isn't a run's configuration (\(Self.oneLine(error)))")
        }
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

    private static func oneLine(_ error: any Error) -> String {
        switch error as? DecodingError {
        case .keyNotFound(let key, _)?: "no \"\(key.stringValue)\""
        case .typeMismatch(_, let context)? where context.codingPath.isEmpty: "no JSON object"
        case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?:
            "\"\(context.codingPath.map(\.stringValue).joined(separator: "."))\" has the wrong type"
        default: "no JSON object"
        }
    }
}

extension JSONEncoder.NonConformingFloatEncodingStrategy {
    /// A strategy that writes infinities and NaN as text, because JSON has no numbers for them.
    package static var infinityAsText: Self {
        .convertToString(positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    }
}
