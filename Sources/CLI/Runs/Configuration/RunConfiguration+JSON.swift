import Foundation
import RecurrentCore

extension RunConfiguration {
    /// As `config.json` has it.
    public func json(pretty: Bool = false) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self))
    }

    /// Reads what ``json(pretty:)`` wrote, or version 1 of it.
    ///
    /// - Parameters:
    ///   - data: the file's contents.
    ///   - path: the file's, for the message.
    ///   - registry: whose data set's defaults stand where the file says nothing; nil for
    ///     those that every run has.
    /// - Throws: ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if it is damaged, of a
    ///   later version, or has a value out of range.
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

    /// Reads a file such as `config.json`, for `--config`.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if it can't be read,
    ///   ``RecurrentCore/RecurrentError/checkpoint(path:reason:)`` if it holds no configuration.
    public init(file path: String, registry: Registry? = nil) throws {
        try self.init(json: Data(FileReader.contents(of: path)), path: path, registry: registry)
    }

    private static func oneLine(_ error: any Error) -> String {
        switch error as? DecodingError {
        case .keyNotFound(let key, _)?: "no \"\(key.stringValue)\""
        case .typeMismatch(_, let context)? where context.codingPath.isEmpty: "no JSON object"
        case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?:
            "\"\(context.codingPath.map(\.stringValue).joined(separator: "."))\" has another type"
        default: "no JSON object"
        }
    }
}

extension JSONEncoder.NonConformingFloatEncodingStrategy {
    /// Infinity and what is no number as text: JSON has no number for them.
    package static var infinityAsText: Self {
        .convertToString(positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    }
}
