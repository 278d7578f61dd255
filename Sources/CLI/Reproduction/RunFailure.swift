import Foundation
import RecurrentCore
import RecurrentRuns

/// Why a run failed for another reason than divergence, as `failure.json` in its folder records it until it is tried again.
struct RunFailure: Codable {
    /// The message of the run.
    let reason: String
    /// The configuration with which it failed.
    let configuration: RunConfiguration
    /// The description of the machine.
    let machine: String
    /// The date in the form 2026-11-23.
    let date: String

    private static func path(_ folder: String) -> String { folder + "/failure.json" }

    /// Reads why the run in a folder failed; nil if it didn't, or the file is damaged: a run can always be tried again.
    static func read(in folder: String) -> RunFailure? {
        (try? FileReader.contents(of: path(folder))).flatMap {
            try? JSONDecoder().decode(RunFailure.self, from: Data($0))
        }
    }

    /// Writes the file into a folder, which is created if the run failed before.
    func write(to folder: String) throws {
        try AtomicFile.createFolder(folder)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(Array(encoder.encode(self)) + [10], to: Self.path(folder))
    }

    /// Returns the seconds since the run in a folder failed.
    static func age(in folder: String) throws -> Double { try ExclusiveFile.age(of: path(folder)) ?? .infinity }

    static func remove(from folder: String) { try? FileManager.default.removeItem(atPath: path(folder)) }
}
