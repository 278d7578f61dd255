import Foundation

/// A run of the built program, as a user runs it.
struct Tool {
    let status: Int32
    let output: String
    let errors: String

    /// The program's path; the test program's folder contains the products of the same build.
    static let path = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(
        "cli"
    ).path

    static func process(_ arguments: [String], environment: [String: String] = [:]) -> (Process, Pipe, Pipe) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe(), errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        return (process, output, errors)
    }

    /// The prefix that runs a command without a network, and whether that is allowed here.
    static let withoutNetwork = ["unshare", "--map-root-user", "--net"]
    static let canLackNetwork: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = withoutNetwork + ["true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    /// Runs the program until it ends.
    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        try self.init(Self.process(arguments, environment: environment))
    }

    /// Runs a script of the shell, in which `"$@"` is the program with its arguments. No signal is ignored.
    init(shell script: String, _ arguments: [String]) throws {
        let made = Self.process(arguments)
        made.0.useShell(script)
        try self.init(made)
    }

    private init(_ made: (process: Process, output: Pipe, errors: Pipe)) throws {
        let (process, output, errors) = made
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        status = process.terminationStatus
        self.output = String(decoding: text, as: UTF8.self)
        self.errors = String(decoding: complaint, as: UTF8.self)
    }

    init(_ line: String) throws { try self.init(line.split(separator: " ").map(String.init)) }
}

extension Process {
    /// Starts the program by a script of the shell, as `"$@"`. No signal is ignored, whatever these tests ignore.
    func useShell(_ script: String) {
        arguments =
            ["--default-signal=INT,TERM,HUP,PIPE,XFSZ", "/bin/sh", "-c", script, "sh", Tool.path] + (arguments ?? [])
        executableURL = URL(fileURLWithPath: "/usr/bin/env")
    }
}

extension [String] {
    /// Returns arguments in which an option has another value than in these.
    func setting(_ flag: String, _ value: String) -> [String] { overridden(by: [flag, value]) }

    /// Returns these and other arguments, without the options, with a value each, that the others give as well.
    func overridden(by others: [String]) -> [String] {
        var result = self
        for flag in others where flag.hasPrefix("--") {
            if let place = result.firstIndex(of: flag) { result.removeSubrange(place...place + 1) }
        }
        return result + others
    }
}

/// A folder that is removed after the test.
final class TemporaryFolder {
    let path: String
    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("urnn-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func file(_ name: String) -> String { path + "/" + name }
}

/// Returns the lines of a run's `metrics.jsonl`.
func metrics(_ folder: String) throws -> [[String: Any]] {
    try String(contentsOfFile: folder + "/metrics.jsonl", encoding: .utf8).split(separator: "\n").map {
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as! [String: Any]
    }
}
