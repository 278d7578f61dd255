import Foundation
import RecurrentCore

/// A reader of bytes that come from elsewhere, for fuzzing.
///
/// Whatever the bytes are, it must read them or refuse them with a ``RecurrentError``. What it
/// has read must be the same when it is written and read again, and must be fit for use.
package protocol FuzzedReader: SendableMetatype {
    /// The name of the reader, for `scripts/fuzz`.
    static var name: String { get }
    /// Words of the format, which mutations insert.
    static var words: [String] { get }
    /// Creates a reader with a folder for its files.
    init(_ folder: ScratchFolder) throws
    /// Valid inputs, from which mutations start.
    var seeds: [[UInt8]] { get throws }
    /// Reads an input and uses what it has read.
    ///
    /// - Throws: ``RecurrentError`` if the input is refused, ``Finding`` if something is wrong with the reader.
    func read(_ input: [UInt8]) throws
}

/// All readers, each of which has a test.
package let fuzzedReaders: [any FuzzedReader.Type] = [
    TensorReader.self, StateReader.self, StateDictReader.self, ConfigurationReader.self, MetricsReader.self,
    EndReader.self, FlagReader.self, AxisReader.self, VocabularyReader.self, WordReader.self, CharacterReader.self,
    ImageReader.self,
]

/// What a reader did wrong.
package struct Finding: Error, CustomStringConvertible {
    package let description: String
}

/// Throws a finding if a condition doesn't hold.
func require(_ condition: Bool, _ finding: @autoclosure () -> String) throws {
    if !condition { throw Finding(description: finding()) }
}

extension FuzzedReader {
    /// Returns whether the reader takes an input.
    ///
    /// - Throws: ``Finding`` if it neither takes nor refuses it as it should.
    package func accepts(_ input: [UInt8]) throws -> Bool {
        do {
            try read(input)
            return true
        } catch let error as RecurrentError {
            // The command line escapes what a name in the message may contain.
            try require(!error.description.isEmpty, "refused without a message")
            return false
        } catch let finding as Finding {
            throw finding
        } catch {
            throw Finding(description: "refused with \(type(of: error)): \(error)")
        }
    }
}

/// A folder in memory, where there is one, that is removed with the object.
package final class ScratchFolder {
    /// The path of the folder.
    package let path: String

    /// Creates a folder with a new name.
    package init() throws {
        let memory = "/dev/shm"
        let parent = FileManager.default.isWritableFile(atPath: memory) ? memory + "/" : NSTemporaryDirectory()
        // libFuzzer ends without cleaning up, which `scripts/fuzz` therefore does.
        path = ProcessInfo.processInfo.environment["FUZZ_FOLDER"] ?? parent + "recurrent-fuzzing-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file in one call, since millions are written, and returns its path.
    @discardableResult
    func write(_ bytes: some Collection<UInt8>, to name: String) throws -> String {
        let file = path + "/" + name
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Finding(description: "\(file) can't be written") }
        defer { close(descriptor) }
        let bytes = Array(bytes)
        let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count else { throw Finding(description: "\(file) can't be written") }
        return file
    }
}
