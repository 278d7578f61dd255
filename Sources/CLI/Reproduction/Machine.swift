import Foundation
import RecurrentCore

/// The machine on which results were computed.
public struct Machine: Sendable, CustomStringConvertible {
    /// The model name of the processor.
    public let processor: String
    /// The number of processors that this process may use.
    public let processors: Int
    /// The version of the operating system.
    public let system: String
    /// The names of the NVIDIA GPUs; empty if none are used.
    public let devices: [String]

    /// Creates a description of the machine that this program runs on.
    ///
    /// - Parameter usesGPUs: whether to include its NVIDIA GPUs.
    public init(usesGPUs: Bool = false) {
        let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = info.split(separator: "\n").first { $0.hasPrefix("model name") }
        processor =
            line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown processor"
        processors = Processors.available
        devices = usesGPUs ? Self.gpus() : []
        system = ProcessInfo.processInfo.operatingSystemVersionString
    }

    public var description: String {
        (devices + ["\(processor), \(processors) processors", system]).joined(separator: ", ")
    }

    /// The names that the NVIDIA driver gives the GPUs.
    private static func gpus() -> [String] {
        let folder = "/proc/driver/nvidia/gpus"
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted().compactMap { name in
            let text = (try? String(contentsOfFile: "\(folder)/\(name)/information", encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("Model:") }
            return line.map { $0.dropFirst("Model:".count).trimmingCharacters(in: .whitespaces) }
        }
    }

    /// Today's date, in the form 2026-11-23.
    static var today: String {
        let format = DateFormatter()
        format.dateFormat = "yyyy-MM-dd"
        format.locale = Locale(identifier: "en_US_POSIX")
        return format.string(from: Date())
    }
}
