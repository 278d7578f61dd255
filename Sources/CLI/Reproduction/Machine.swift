import Foundation

/// What the numbers were made on.
public struct Machine: Sendable, CustomStringConvertible {
    public let processor: String
    public let processors: Int
    public let system: String
    /// Names of the NVIDIA GPUs, if they are used.
    public let devices: [String]

    public init(usesGPUs: Bool = false) {
        let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = info.split(separator: "\n").first { $0.hasPrefix("model name") }
        processor =
            line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown processor"
        processors = ProcessInfo.processInfo.activeProcessorCount
        devices = usesGPUs ? Self.gpus() : []
        system = ProcessInfo.processInfo.operatingSystemVersionString
    }

    public var description: String {
        (devices + ["\(processor), \(processors) processors", system]).joined(separator: ", ")
    }

    /// As the driver names them.
    private static func gpus() -> [String] {
        let folder = "/proc/driver/nvidia/gpus"
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted().compactMap { name in
            let text = (try? String(contentsOfFile: "\(folder)/\(name)/information", encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("Model:") }
            return line.map { $0.dropFirst("Model:".count).trimmingCharacters(in: .whitespaces) }
        }
    }

    /// 2026-11-23.
    static var today: String {
        let format = DateFormatter()
        format.dateFormat = "yyyy-MM-dd"
        format.locale = Locale(identifier: "en_US_POSIX")
        return format.string(from: Date())
    }
}
