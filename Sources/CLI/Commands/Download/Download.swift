import Foundation
import RecurrentCore
import RecurrentRuns

/// Files of a data set on their way into a folder: fetched by `curl` beside their
/// place, checked by `sha256sum`, and put into it only when all are right.
struct Download {
    private let source: DownloadSource
    private let url: String
    private let folder: String
    private let isQuiet: Bool

    init(_ source: DownloadSource, from url: String, into folder: String, isQuiet: Bool) {
        self.source = source
        self.url = url
        self.folder = folder
        self.isQuiet = isQuiet
    }

    /// - Returns: the files that were not there yet.
    /// - Throws: ``RecurrentError`` in one line if one can't be had, isn't the right
    ///   one, or can't be written. The folder then holds what it held.
    func run() throws -> [DownloadSource.File] {
        let manager = FileManager.default
        let missing = try source.files.filter { file in
            let path = "\(folder)/\(file.name)"
            guard manager.fileExists(atPath: path) else { return true }
            guard try Self.sha256(path) == file.sha256 else {
                throw RecurrentError.file(
                    path: path,
                    reason: "is another file than the one to be downloaded; move it away, or choose another --output")
            }
            return false
        }
        guard !missing.isEmpty else { return [] }
        let temporary = "\(folder)/.download-\(UUID().uuidString)"
        do {
            try manager.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        } catch {
            throw RecurrentError.file(
                path: folder, reason: "the folder can't be made or written; choose another --output")
        }
        defer { try? manager.removeItem(atPath: temporary) }
        let isArchive = [".tgz", ".tar.gz"].contains { url.lowercased().hasSuffix($0) }
        if isArchive {
            try unpack(missing, in: temporary)
        } else {
            let base = url.hasSuffix("/") ? String(url.dropLast()) : url
            for file in missing { try fetch("\(base)/\(file.name)", to: "\(temporary)/\(file.name)", size: file.size) }
        }
        for file in missing { try check(file, in: temporary) }
        for file in missing where rename("\(temporary)/\(file.name)", "\(folder)/\(file.name)") != 0 {
            throw RecurrentError.file(path: "\(folder)/\(file.name)", reason: String(cString: strerror(errno)))
        }
        return missing
    }

    private func check(_ file: DownloadSource.File, in temporary: String) throws {
        let found = try Self.sha256("\(temporary)/\(file.name)")
        guard found == file.sha256 else {
            throw RecurrentError.dataset(
                "\(url): \(file.name) isn't the file that was expected (SHA-256 \(found), not \(file.sha256)); nothing was kept, try another --url"
            )
        }
    }

    private func fetch(_ address: String, to path: String, size: Int?) throws {
        let curl = try ChildProcess(
            ChildProcess.find("curl"),
            [
                "--fail", "--silent", "--show-error", "--location", "--retry", "2", "--connect-timeout", "20",
                "--output", path, "--", address,
            ])
        let name = address.split(separator: "/").last.map(String.init) ?? address
        let isLive = Terminal.isInteractive && !isQuiet
        while curl.ending == nil {
            usleep(50_000)
            guard isLive else { continue }
            let bytes = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
            let share = size.map { "  \(min(100 * bytes / max($0, 1), 100)) %" } ?? ""
            Terminal.print("\r\u{1B}[K\(name)  \(bytes / 1000) kB\(share)", terminator: "")
        }
        if isLive { Terminal.print("\r\u{1B}[K", terminator: "") }
        let status = curl.wait(), complaint = Self.lastLine(curl.readErrors(), status)
        // curl's number for what it can't write.
        guard status != .exit(23) else {
            throw RecurrentError.file(
                path: folder,
                reason: "\(name) can't be written (\(complaint)); make room there, or choose another --output")
        }
        guard status == .exit(0) else {
            throw RecurrentError.dataset(
                "\(address): can't be downloaded (\(complaint)); check the network, or give another --url")
        }
        if !isQuiet { Terminal.print("\(name)  fetched") }
    }

    /// The archive's own paths don't matter, and are not followed: only the files
    /// that are looked for leave it.
    private func unpack(_ files: [DownloadSource.File], in temporary: String) throws {
        let archive = "\(temporary)/archive.tgz"
        try fetch(url, to: archive, size: nil)
        let program = try ChildProcess.find("tar")
        let (status, listing, _) = try ChildProcess.run(program, ["--list", "--gzip", "--file", archive])
        guard status == .exit(0) else { throw RecurrentError.dataset("\(url): isn't a gzipped tar archive") }
        let members = listing.split(separator: "\n").map(String.init)
        for file in files {
            guard let member = members.first(where: { $0 == file.name || $0.hasSuffix("/\(file.name)") }) else {
                throw RecurrentError.dataset("\(url): holds no \(file.name)")
            }
            let tar = try ChildProcess(
                program, ["--extract", "--gzip", "--file", archive, "--to-stdout", "--", member],
                output: .file("\(temporary)/\(file.name)"))
            let status = tar.wait()
            guard status == .exit(0) else {
                throw RecurrentError.dataset(
                    "\(url): \(member) can't be unpacked (\(Self.lastLine(tar.readErrors(), status)))")
            }
        }
    }

    /// What a program complained of at last.
    private static func lastLine(_ errors: String, _ ending: ChildProcess.Ending) -> String {
        errors.split(separator: "\n").last.map(String.init) ?? "\(ending)"
    }

    private static func sha256(_ path: String) throws -> String {
        let (status, text, _) = try ChildProcess.run(
            ChildProcess.find("sha256sum", package: "coreutils"), ["--", path])
        // A name with unusual characters is marked by a backslash.
        let digits = text.drop { $0 == "\\" }.prefix(64)
        guard status == .exit(0), digits.count == 64 else {
            throw RecurrentError.file(path: path, reason: "can't be read")
        }
        return String(digits)
    }
}
