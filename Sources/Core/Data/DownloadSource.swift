/// The address of a data set's files, with the sizes and checksums that verify them.
public struct DownloadSource: Sendable {
    /// A file to download, with what verifies it.
    public struct File: Sendable, Equatable {
        /// The file's name, without a folder.
        public let name: String
        /// The size in bytes.
        public let size: Int
        /// The SHA-256 checksum in 64 hexadecimal digits.
        public let sha256: String
        /// Creates a file from its name, its size in bytes and its SHA-256 checksum.
        public init(name: String, size: Int, sha256: String) {
            self.name = name
            self.size = size
            self.sha256 = sha256
        }
    }

    /// The name of the data set on the command line.
    public let name: String
    /// The address of a folder with the files, or of an archive (.tgz, .tar.gz) that contains
    /// them in any folder.
    public let url: String
    /// The files that the data set needs.
    public let files: [File]
    /// A notice to read before using the data, about their licence.
    public let notice: String

    /// Creates a source from the data set's name, an address, the files and a notice.
    public init(name: String, url: String, files: [File], notice: String) {
        self.name = name
        self.url = url
        self.files = files
        self.notice = notice
    }
}
