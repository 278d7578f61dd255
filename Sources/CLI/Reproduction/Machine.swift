import Foundation

/// What the numbers were made on.
public struct Machine: Sendable, CustomStringConvertible {
    public let processor: String
    public let processors: Int
    public let system: String

    public init() {
        let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = info.split(separator: "\n").first { $0.hasPrefix("model name") }
        processor = line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown processor"
        processors = ProcessInfo.processInfo.activeProcessorCount
        system = ProcessInfo.processInfo.operatingSystemVersionString
    }

    public var description: String { "\(processor), \(processors) processors, \(system)" }

    /// 2026-11-23.
    static var today: String {
        let format = DateFormatter()
        format.dateFormat = "yyyy-MM-dd"
        format.locale = Locale(identifier: "en_US_POSIX")
        return format.string(from: Date())
    }
}
