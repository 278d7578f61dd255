/// Where the files of a data set can be had, and how to tell that they are right.
public struct DownloadSource: Sendable {
    public struct File: Sendable, Equatable {
        public let name: String
        /// In bytes.
        public let size: Int
        /// 64 hexadecimal digits.
        public let sha256: String
        public init(name: String, size: Int, sha256: String) {
            self.name = name
            self.size = size
            self.sha256 = sha256
        }
    }

    /// As on the command line: the data set's.
    public let name: String
    /// A folder of the files, or an archive (.tgz, .tar.gz) that holds them somewhere.
    public let url: String
    public let files: [File]
    /// What the user must know before using the data: their licence.
    public let notice: String

    public init(name: String, url: String, files: [File], notice: String) {
        self.name = name
        self.url = url
        self.files = files
        self.notice = notice
    }
}
