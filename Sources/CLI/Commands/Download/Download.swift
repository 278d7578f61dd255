import Foundation
import RecurrentCore
import RecurrentRuns

/// A download of the files of a data set into a folder.
///
/// `curl` fetches the files into a temporary folder, and `sha256sum` checks them; they are moved only if all are correct.
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

    /// Downloads the files that the folder lacks.
    ///
    /// - Returns: the files that were downloaded.
    /// - Throws: ``RecurrentError`` if a file can't be downloaded, isn't the right one, or can't be written. No file that
    ///   was downloaded incompletely or incorrectly is left in the folder.
    func run() throws -> [DownloadSource.File] {
        let manager = FileManager.default
        let missing = try source.files.filter { file in
            let path = "\(folder)/\(file.name)"
            guard manager.fileExists(atPath: path) else { return true }
            guard try Self.sha256(path) == file.sha256 else {
                throw RecurrentError.file(
                    path: path,
                    reason: "differs from the file to be downloaded; move it away, or choose another --output")
            }
            return false
        }
        guard !missing.isEmpty else { return [] }
        let temporary = "\(folder)/.download-\(UUID().uuidString)"
        do {
            try AtomicFile.createFolder(temporary)
        } catch {
            throw RecurrentError.file(
                path: folder, reason: "the folder can't be created or written; choose another --output")
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
        for file in missing { try AtomicFile.move("\(temporary)/\(file.name)", to: "\(folder)/\(file.name)") }
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
            try Terminal.checkReader()
            guard isLive else { continue }
            let bytes = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
            let share = size.map { "  \(min(100 * bytes / max($0, 1), 100)) %" } ?? ""
            Terminal.drawLiveLine { _ in "\(name)  \(bytes / 1000) kB\(share)" }
        }
        Terminal.clearLiveLine()
        let status = curl.wait(), isTooLarge = status == .signal(SIGXFSZ)
        let complaint = isTooLarge ? "file too large" : Self.lastLine(curl.readErrors(), status)
        // curl exits with 23 if it can't write the file.
        guard status != .exit(23), !isTooLarge else {
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

    /// Unpacks the wanted files from the archive at the URL. The paths in the archive have no effect on where they are
    /// written.
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

    /// Returns the last line of a program's error output, or how the program ended.
    private static func lastLine(_ errors: String, _ ending: ChildProcess.Ending) -> String {
        errors.split(separator: "\n").last.map(String.init) ?? "\(ending)"
    }

    private static func sha256(_ path: String) throws -> String {
        let (status, text, _) = try ChildProcess.run(
            ChildProcess.find("sha256sum", package: "coreutils"), ["--", path])
        // sha256sum marks a name with unusual characters by a leading backslash.
        let digits = text.drop { $0 == "\\" }.prefix(64)
        guard status == .exit(0), digits.count == 64 else {
            throw RecurrentError.file(path: path, reason: "can't be read")
        }
        return String(digits)
    }
}
