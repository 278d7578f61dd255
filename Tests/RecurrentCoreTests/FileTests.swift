import Foundation
import RecurrentCore
import Testing

@Suite struct AtomicFiles {
    @Test func replacesAndLeavesNothingElse() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/config.json"
        try AtomicFile.write("first", to: path)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "first")
        try AtomicFile.write("zweite Fassung — länger", to: path)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "zweite Fassung — länger")
        try AtomicFile.write(Data("data".utf8), to: path)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "data")
        try AtomicFile.write((0..<3).lazy.map { UInt8($0) }, to: path)
        #expect(try FileReader.contents(of: path) == [0, 1, 2])
        try AtomicFile.write([] as [UInt8], to: path)
        #expect(try FileReader.contents(of: path) == [])
        #expect(try directory.files == ["config.json"])
    }

    /// A reader sees a whole version, old or new, but never a mixture or a part.
    @Test func readersNeverSeeAPart() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/file"
        let size = 300_000
        try AtomicFile.write([UInt8](repeating: 0, count: size), to: path)
        await withTaskGroup(of: Bool.self) { group in
            for writer in 1...2 {
                group.addTask {
                    for _ in 0..<20 {
                        guard (try? AtomicFile.write([UInt8](repeating: UInt8(writer), count: size), to: path)) != nil
                        else { return false }
                    }
                    return true
                }
            }
            group.addTask {
                for _ in 0..<100 {
                    guard let bytes = try? FileReader.contents(of: path), bytes.count == size, Set(bytes).count == 1
                    else { return false }
                }
                return true
            }
            for await wentWell in group { #expect(wentWell) }
        }
        #expect(try directory.files == ["file"])
    }

    @Test func failuresNameThePathAndTheReason() throws {
        let directory = try TemporaryDirectory()
        func failure(_ name: String) -> String? {
            do {
                try AtomicFile.write("text", to: directory.path + "/" + name)
                return nil
            } catch { return "\(error)".replacingOccurrences(of: directory.path, with: "DIR") }
        }
        #expect(failure("missing/file") == "DIR/missing/file: can't be written: no such file or directory")
        try AtomicFile.write("old", to: directory.path + "/file")
        #expect(failure("file/inside") == "DIR/file/inside: can't be written: not a directory")
        try FileManager.default.createDirectory(atPath: directory.path + "/folder", withIntermediateDirectories: false)
        #expect(failure("folder") == "DIR/folder: can't be written: it exists and is not a regular file")
        #expect(
            failure(String(repeating: "n", count: 300))?.hasSuffix(": can't be written: file name too long") == true)
        #expect(try directory.files == ["file", "folder"])
        #expect(try String(contentsOfFile: directory.path + "/file", encoding: .utf8) == "old")
    }

    @Test func foldersAreCreatedAndFilesMoved() throws {
        let directory = try TemporaryDirectory(), folder = directory.path + "/a/b//c/"
        try AtomicFile.createFolder(folder)
        try AtomicFile.createFolder(folder)
        try AtomicFile.write("new", to: directory.path + "/a/b/c/draft")
        try AtomicFile.write("old", to: directory.path + "/a/file")
        try AtomicFile.move(directory.path + "/a/b/c/draft", to: directory.path + "/a/file")
        #expect(try FileReader.contents(of: directory.path + "/a/file") == Array("new".utf8))
        try AtomicFile.move(directory.path + "/a/b", to: directory.path + "/moved")
        #expect(try directory.files == ["a", "moved"])
        for path in [directory.path + "/a/file/inside", directory.path + "/a/file"] {
            #expect(throws: RecurrentError.self) { try AtomicFile.createFolder(path) }
        }
        #expect(throws: RecurrentError.self) {
            try AtomicFile.move(directory.path + "/none", to: directory.path + "/x")
        }
    }

    /// Nobody, not even the superuser, may create files in /proc.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self"), "needs /proc"))
    func directoriesWithoutPermission() {
        #expect(throws: RecurrentError.self) { try AtomicFile.write("text", to: "/proc/self/file") }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "needs /dev/full"))
    func aFullDisk() throws {
        let descriptor = open("/dev/full", O_WRONLY)
        defer { close(descriptor) }
        do {
            try [UInt8](repeating: 0, count: 10).withUnsafeBytes { try AtomicFile.writeAll($0, to: descriptor) }
            Issue.record("a full disk took 10 bytes")
        } catch let failure as SystemFailure { #expect(failure.reason == "no space left on device") }
    }
}

@Suite struct LogFiles {
    @Test func growsFromWhereItWasSaved() throws {
        let directory = try TemporaryDirectory(), path = directory.path + "/log"
        var file: LogFile? = try LogFile(path)
        try file!.append(Array("one\n".utf8))
        try file!.append(Array("two\n".utf8))
        try file!.synchronize()
        #expect(file!.size == 8)
        file = try LogFile(path, keeping: 4)
        #expect(try FileReader.contents(of: path) == Array("one\ntwo\n".utf8))
        try file!.append(Array("three\n".utf8))
        #expect(file!.size == 10)
        #expect(try FileReader.contents(of: path) == Array("one\nthree\n".utf8))
        #expect(
            throws: RecurrentError.checkpoint(
                path: path, reason: "is shorter than when the run was saved (10 bytes, not 11); put the whole file back"
            )
        ) { try LogFile(path, keeping: 11) }
        file = try LogFile(path)
        #expect(try FileReader.contents(of: path) == [])
    }

    /// A log that isn't what it was when the run was saved is refused, whatever it is now.
    @Test(arguments: ["one\nTwo\n", "one\ntwo!\nthree\n"]) func otherContentsAreRefused(contents: String) throws {
        let directory = try TemporaryDirectory(), path = directory.path + "/log"
        var file: LogFile? = try LogFile(path)
        try file!.append(Array("one\n".utf8))
        try file!.append(Array("two\n".utf8))
        let (size, checksum) = (file!.size, file!.checksum.digits)
        #expect(UInt32(checksum, radix: 16) == CRC32C.of("one\ntwo\n".utf8))
        file = nil
        #expect(try LogFile(path, keeping: size, checksum: checksum).checksum.digits == checksum)
        try AtomicFile.write(contents, to: path)
        let error = #expect(throws: RecurrentError.self) { try LogFile(path, keeping: size, checksum: checksum) }
        #expect("\(error!)".contains("isn't what it was when the run was saved"))
        // Without a checksum, as in runs of earlier versions, a line that is cut is noticed.
        guard contents.count > size else { return }
        #expect(throws: RecurrentError.self) { try LogFile(path, keeping: size) }
    }

    @Test func whatCannotBeWritten() throws {
        let directory = try TemporaryDirectory(), missing = directory.path + "/missing"
        #expect(
            throws: RecurrentError.checkpoint(
                path: missing,
                reason: "is missing; put it back, or start a new run from its weights with `from` and another `output`")
        ) { try LogFile(missing, keeping: 0) }
        #expect(throws: RecurrentError.file(path: directory.path, reason: "can't be written: is a directory")) {
            try LogFile(directory.path)
        }
        #expect(
            throws: RecurrentError.file(
                path: "/dev/null", reason: "can't be written: it exists and is not a regular file")
        ) {
            try LogFile("/dev/null")
        }
    }
}

@Suite struct ReadingFiles {
    private func failure(_ path: String) -> String? {
        do {
            _ = try FileReader.contents(of: path)
            return nil
        } catch { return "\(error)" }
    }

    @Test func whatCannotBeRead() throws {
        let directory = try TemporaryDirectory()
        let missing = directory.path + "/missing"
        #expect(failure(missing) == "\(missing): no such file or directory")
        #expect(failure(directory.path) == "\(directory.path): is not a regular file")
        let pipe = directory.path + "/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(failure(pipe) == "\(pipe): is not a regular file")
    }

    @Test func aFileCutShortWhileItIsOpen() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/model.safetensors"
        try AtomicFile.write(pythonSafeTensors, to: path)
        let file = try SafeTensors(path: path)
        #expect(try file.integers("steps") == [7, -1])
        #expect(truncate(path, 600) == 0)
        #expect(throws: RecurrentError.file(path: path, reason: "ended while it was being read")) {
            try file.bytes("mask")
        }
    }

    /// For a sparse file that claims a terabyte, nothing is allocated.
    @Test func aHugeHollowFile() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/hollow.safetensors"
        let header = #"{"a":{"dtype":"F32","shape":[1,250000000000],"data_offsets":[0,1000000000000]}}"#
        try AtomicFile.write(safeTensors(header), to: path)
        try #require(truncate(path, off_t(8 + header.utf8.count) + 1_000_000_000_000) == 0)
        let file = try SafeTensors(path: path)
        #expect(file["a"]?.count == 250_000_000_000)
        #expect(
            throws: RecurrentError.checkpoint(
                path: path, reason: "tensor 'a' has the shape [1, 250000000000], not [10, 10]")
        ) {
            try file.floats("a", shape: [10, 10])
        }
    }

    /// The check value of the CRC catalogue, and RFC 3720's B.4 examples.
    @Test func crc32c() {
        #expect(CRC32C.of("123456789".utf8) == 0xE306_9283)
        #expect(CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.of([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.of((0..<32).map { UInt8($0) }) == 0x46DD_794E)
        var pieces = CRC32C()
        for piece in ["1", "2345", "6789"] { pieces.update(piece.utf8) }
        #expect(pieces.value == 0xE306_9283)
    }
}
