import Foundation
import RecurrentCore

/// A program of the system, run for this one: found on the PATH, without a shell.
final class Program {
    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()

    /// Starts it.
    /// - Parameter path: a file for its output; nil to keep it.
    /// - Throws: ``RecurrentError/file(path:reason:)`` if there is no such program,
    ///   or `path` can't be written.
    init(_ name: String, _ arguments: [String], output path: String? = nil) throws {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        guard let program = folders.map({ "\($0)/\(name)" }).first(where: FileManager.default.isExecutableFile) else {
            throw RecurrentError.file(path: name, reason: "this program isn't installed (Debian, Ubuntu: apt install \(name))")
        }
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        if let path {
            guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path) else {
                throw RecurrentError.file(path: path, reason: "can't be written")
            }
            process.standardOutput = file
        }
        try process.run()
    }

    enum Stream { case output, errors }

    var isRunning: Bool { process.isRunning }

    /// Waits for its end.
    /// - Parameter stream: which text is wanted: all of the output, or the last line of
    ///   the errors.
    func finish(reading stream: Stream = .errors) -> (status: Int32, text: String) {
        let text = stream == .output ? output.fileHandleForReading.readDataToEndOfFile() : Data()
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        if stream == .output { return (process.terminationStatus, String(decoding: text, as: UTF8.self)) }
        let lines = String(decoding: complaint, as: UTF8.self).split(separator: "\n")
        return (process.terminationStatus, lines.last.map(String.init) ?? "status \(process.terminationStatus)")
    }
}
