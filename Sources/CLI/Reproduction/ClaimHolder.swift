import Foundation
import RecurrentCore

/// The process that has taken a run, as the file of its claim names it to all hosts.
struct ClaimHolder: Codable, Equatable, Sendable, CustomStringConvertible {
    /// The name of the host.
    var host: String
    /// Among which processes `process` is one: those of a boot of a machine, in a container. Empty if unknown.
    var processes: String
    /// The number of the process.
    var process: Int32
    /// The kernel's ticks between the boot and the start of the process, which tell it from a later one with the same
    /// number.
    var started: String
    /// A text that no other claim has.
    var claim: String

    /// Names this process, for a new claim.
    init() {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        processes = Self.processes
        process = getpid()
        started = Self.start(of: process) ?? ""
        claim = UUID().uuidString
    }

    var description: String { "\(host), process \(process)" }

    /// Whether the process is known to have ended, which can be told only on its own host.
    var hasEnded: Bool {
        !processes.isEmpty && processes == Self.processes && !started.isEmpty && Self.start(of: process) != started
    }

    private static let processes: String = {
        let boot = kernelText("/proc/sys/kernel/random/boot_id") ?? ""
        // Hosts of one name, such as containers, have other numbers for their processes.
        let space = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? ""
        return boot.isEmpty || space.isEmpty ? "" : boot.filter { !$0.isNewline } + " " + space
    }()

    /// Returns the ticks at which a process was started; nil if there is none, or it has ended and only its parent doesn't
    /// know.
    private static func start(of process: Int32) -> String? {
        // The program's name, in parentheses, may have any characters; the state follows it, and the start 19 fields later.
        guard let text = kernelText("/proc/\(process)/stat"), let name = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: name)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return String(fields[19])
    }

    private static func kernelText(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
