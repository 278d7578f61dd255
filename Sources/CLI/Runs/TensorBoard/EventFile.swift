import Foundation
import RecurrentCore

/// A TensorBoard event file: `Event` messages (tensorflow/core/util/event.proto, framework/summary.proto) in TensorFlow's
/// TFRecord framing.
final class EventFile {
    private let file: LogFile

    /// The prefix by which TensorBoard finds event files.
    static let prefix = "events.out.tfevents."

    /// Creates a new file in a folder.
    ///
    /// - Parameters:
    ///   - folder: the folder of the run.
    ///   - step: the step at which a resumed run continues, so that TensorBoard drops later data of earlier files; nil for
    ///     a new run.
    /// - Throws: ``RecurrentError/file(path:reason:)`` if the file can't be written.
    init(in folder: String, resumedAt step: Int?) throws {
        let now = Date().timeIntervalSince1970
        // TensorBoard reads the files of a folder in the order of their names.
        let time = String(format: "%010d.%06d", Int(now), Int(now * 1e6) % 1_000_000)
        file = try LogFile("\(folder)/\(Self.prefix)\(time).\(ProcessInfo.processInfo.hostName)")
        try write(step: 0) { $0.text(3, "brain.Event:2") }
        // SessionLog with status START.
        if let step { try write(step: step) { $0.message(7) { $0.integer(1, 1) } } }
    }

    /// Adds a number under a tag.
    func scalar(_ tag: String, _ value: Double, step: Int) throws {
        try write(step: step) {
            $0.message(5) {
                $0.message(1) {
                    $0.text(1, tag)
                    $0.float(2, Float(value))
                }
            }
        }
    }

    /// Adds a histogram of values over equal bins of a range.
    func histogram(_ tag: String, _ values: [Double], in range: ClosedRange<Double>, bins: Int, step: Int) throws {
        guard !values.isEmpty else { return }
        var counts = [Double](repeating: 0, count: bins)
        let width = (range.upperBound - range.lowerBound) / Double(bins)
        for value in values {
            counts[min(max(Int((value - range.lowerBound) / width), 0), bins - 1)] += 1
        }
        try write(step: step) {
            $0.message(5) {
                $0.message(1) {
                    $0.text(1, tag)
                    $0.message(5) {
                        $0.double(1, values.min()!)
                        $0.double(2, values.max()!)
                        $0.double(3, Double(values.count))
                        $0.double(4, values.reduce(0, +))
                        $0.double(5, values.reduce(0) { $0 + $1 * $1 })
                        $0.doubles(6, (1...bins).map { range.lowerBound + width * Double($0) })
                        $0.doubles(7, counts)
                    }
                }
            }
        }
    }

    private func write(step: Int, _ content: (inout ProtocolBuffer) -> Void) throws {
        var event = ProtocolBuffer()
        event.double(1, Date().timeIntervalSince1970)
        event.integer(2, step)
        content(&event)
        let length = withUnsafeBytes(of: UInt64(event.bytes.count).littleEndian) { Array($0) }
        try file.append(length + Self.masked(length) + event.bytes + Self.masked(event.bytes))
    }

    /// Returns TFRecord's checksum: the CRC-32C, rotated and offset by a constant.
    private static func masked(_ bytes: [UInt8]) -> [UInt8] {
        let crc = CRC32C.of(bytes)
        return withUnsafeBytes(of: ((crc >> 15 | crc << 17) &+ 0xA282_EAD8).littleEndian) { Array($0) }
    }
}
