import Foundation
import RecurrentCore
import Testing

/// Event files, byte by byte as TensorFlow defines them. (TensorBoard 2's own reader
/// finds the same numbers in them.)
struct TensorBoardTests {
    /// A value of a message's field; varints and fixed-size numbers are bits.
    private enum Value {
        case bits(UInt64)
        case bytes(ArraySlice<UInt8>)
        var number: UInt64 { if case .bits(let bits) = self { bits } else { 0 } }
        var message: [Int: [Value]] { if case .bytes(let bytes) = self { fields(bytes) } else { [:] } }
        var text: String { if case .bytes(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { "" } }
    }

    private static func fields(_ bytes: ArraySlice<UInt8>) -> [Int: [Value]] {
        var rest = bytes, result: [Int: [Value]] = [:]
        func varint() -> UInt64 {
            var value: UInt64 = 0, shift: UInt64 = 0
            while let byte = rest.popFirst() {
                value |= UInt64(byte & 0x7F) << shift
                shift += 7
                if byte < 0x80 { break }
            }
            return value
        }
        func fixed(_ count: Int) -> UInt64 {
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        while !rest.isEmpty {
            let key = varint(), value: Value
            switch key & 7 {
            case 0: value = .bits(varint())
            case 1: value = .bits(fixed(8))
            case 5: value = .bits(fixed(4))
            default:
                let count = Int(varint())
                value = .bytes(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            result[Int(key >> 3), default: []].append(value)
        }
        return result
    }

    /// Returns all events of a run's files, in the order of their names, after verifying the records' checksums.
    private static func events(_ run: String) throws -> [[Int: [Value]]] {
        let names = try FileManager.default.contentsOfDirectory(atPath: run).filter {
            $0.hasPrefix("events.out.tfevents.")
        }.sorted()
        return try names.flatMap { name in
            var bytes = ArraySlice(try Data(contentsOf: URL(fileURLWithPath: "\(run)/\(name)"))),
                events: [[Int: [Value]]] = []
            func take(_ count: Int) -> [UInt8] {
                defer { bytes = bytes.dropFirst(count) }
                return Array(bytes.prefix(count))
            }
            func number(_ bytes: [UInt8]) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
            func check(_ data: [UInt8]) {
                let crc = CRC32C.of(data), masked = (crc >> 15 | crc << 17) &+ 0xA282_EAD8
                #expect(number(take(4)) == UInt64(masked))
            }
            while !bytes.isEmpty {
                let length = take(8)
                check(length)
                let data = take(Int(number(length)))
                check(data)
                events.append(fields(ArraySlice(data)))
            }
            return events
        }
    }

    /// Returns the numbers by tag, with their steps.
    static func scalars(_ run: String) throws -> [String: [(step: Int, value: Float)]] {
        var scalars: [String: [(step: Int, value: Float)]] = [:]
        for event in try events(run) {
            for value in (event[5] ?? []).flatMap({ $0.message[1] ?? [] }) {
                guard let number = value.message[2]?.first else { continue }
                scalars[value.message[1]![0].text, default: []].append(
                    (Int(event[2]?.first?.number ?? 0), Float(bitPattern: UInt32(number.number))))
            }
        }
        return scalars
    }

    private static let small = [
        "--length", "8", "--train-size", "500", "--valid-size", "100", "--test-size", "100", "--skew-init", "henaff",
    ]

    @Test func aRunAndItsContinuation() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        let result = try Tool(Self.small + ["--epochs", "2", "--output", run, "--tensorboard", "--quiet"])
        #expect(result.status == 0, "\(result.errors)")
        #expect(try Tool(["train", "--resume", run, "--epochs", "3", "--tensorboard", "--quiet"]).status == 0)
        let events = try Self.events(run), scalars = try Self.scalars(run)
        #expect(events.filter { $0[3]?.first?.text == "brain.Event:2" }.count == 2)
        // A session that starts at step 11 replaces other sessions' events from there on.
        let starts = events.filter { $0[7] != nil }
        #expect(starts.count == 1 && starts[0][7]![0].message[1]![0].number == 1 && starts[0][2]![0].number == 11)

        var histograms: [String: [Double]] = [:]
        for value in events.flatMap({ $0[5] ?? [] }).flatMap({ $0.message[1] ?? [] }) {
            let fields = value.message
            guard let histogram = fields[5]?.first else { continue }
            histograms[fields[1]![0].text, default: []].append(
                Double(bitPattern: histogram.message[3]![0].number))
        }
        let lines = try metrics(run)
        for (tag, split) in [("loss/train", "train"), ("loss/valid", "valid")] {
            let expected = lines.filter { $0["split"] as? String == split }.map { Float($0["loss"] as! Double) }
            #expect(scalars[tag]?.map(\.value) == expected && scalars[tag]?.map(\.step) == [5, 10, 15])
        }
        #expect(scalars["loss/test"]?.map(\.step) == [10, 15])
        #expect(scalars["batch/loss"]?.map(\.step) == Array(1...15))
        #expect(scalars["batch/gradient norm"]?.allSatisfy { $0.value > 0 } == true)
        #expect(histograms == ["eigenvalue angles/rnn.weight_hh_l0.W": [50, 50, 50, 50]])
        #expect(scalars["orthogonality error/rnn.weight_hh_l0.W"]?.allSatisfy { $0.value < 1e-5 } == true)
    }

    @Test func overwritingTakesTheOldEventsAway() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        for _ in 0..<2 {
            #expect(
                try Tool(Self.small + ["--epochs", "1", "--output", run, "--overwrite", "--tensorboard", "--quiet"])
                    .status == 0)
        }
        #expect(try Self.events(run).filter { $0[3] != nil }.count == 1)
    }

    @Test func withoutAFolderThereIsNowhereToWrite() throws {
        let result = try Tool(Self.small + ["--tensorboard"])
        #expect(result.status == 2 && result.errors.contains("--output"), "\(result.errors)")
    }
}
