import Foundation
import RecurrentCore

/// A cache of compiled kernels on disk, found by a hash of their text: compiling a model's
/// kernels takes longer than loading them. Files that are damaged or have another text
/// aren't used.
package final class KernelCache: Sendable {
    private let folder: String?
    private let kind: String

    /// Creates a cache in `$XDG_CACHE_HOME` or else `~/.cache`.
    convenience init(architecture: String, compiler: Int) {
        let environment = ProcessInfo.processInfo.environment
        let base =
            environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? environment["HOME"].map { "\($0)/.cache" }
        self.init(folder: base.map { "\($0)/urnn-kernels" }, architecture: architecture, compiler: compiler)
    }

    /// Creates a cache.
    ///
    /// - Parameters:
    ///   - folder: The cache's folder, which is created if necessary; if nil, nothing is kept.
    ///   - architecture: The target, such as `sm_90`, or `compute_90` for PTX.
    ///   - compiler: The compiler's version.
    package init(folder: String?, architecture: String, compiler: Int) {
        kind = ([architecture, "\(compiler)"] + NVRTC.options).joined(separator: " ") + "\n"
        self.folder = folder
        if let folder { try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
    }

    private func path(_ text: String) -> String? {
        // A 64-bit FNV-1a hash finds the file; the text in it says whether it is the right one.
        let hash = (kind + text).utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return folder.map { "\($0)/\(String(hash, radix: 16)).cubin" }
    }

    private func header(_ text: String) -> [UInt8] { Array((kind + text).utf8) + [0] }

    package func image(of text: String) -> [UInt8]? {
        guard let path = path(text), let bytes = try? FileReader.contents(of: path) else { return nil }
        let header = header(text)
        guard bytes.count > header.count + 4, bytes.starts(with: header) else { return nil }
        let image = Array(bytes[header.count..<bytes.count - 4])
        let sum = withUnsafeBytes(of: CRC32C.of(image).littleEndian) { Array($0) }
        return Array(bytes.suffix(4)) == sum ? image : nil
    }

    /// Keeps a compiled kernel; if the file can't be written, nothing is kept.
    package func keep(_ image: [UInt8], of text: String) {
        guard let path = path(text) else { return }
        let sum = withUnsafeBytes(of: CRC32C.of(image).littleEndian) { Array($0) }
        try? AtomicFile.write(header(text) + image + sum, to: path)
    }
}
