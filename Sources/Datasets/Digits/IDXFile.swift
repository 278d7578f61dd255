import RecurrentCore

/// A file in the IDX format of the MNIST digits: two zero bytes, a type, the
/// number of dimensions, their sizes (32 bits, big-endian), then the elements.
/// Only files of unsigned bytes can be read.
struct IDXFile {
    let dimensions: [Int]
    let bytes: [UInt8]

    /// Reads an unpacked file.
    ///
    /// - Parameters:
    ///   - path: the file's path; one that ends in .gz is refused as still packed.
    ///   - dimensionCount: the number of dimensions that it must have, at most 3.
    /// - Throws: ``RecurrentCore/RecurrentError/dataset(_:)`` if the file can't be read, isn't in
    ///   this format, or its size isn't what its header says.
    init(path: String, dimensionCount: Int) throws {
        func fail(_ reason: String) -> RecurrentError { .dataset("\(path): \(reason)") }
        if path.hasSuffix(".gz") {
            let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            throw fail("is still packed; unpack it and the others with: gunzip -k \(folder.shellWord)/*.gz")
        }
        let file: FileReader
        do { file = try FileReader(path) } catch RecurrentError.file(_, let reason) { throw fail(reason) }
        let headerSize = 4 + 4 * dimensionCount
        guard file.size >= headerSize else { throw fail("isn't an IDX file: it has only \(file.size) bytes") }
        var header = [UInt8](repeating: 0, count: headerSize)
        try header.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
        if header[0] == 0x1F, header[1] == 0x8B {
            throw fail("is compressed; give it a name that ends in .gz and unpack it with gunzip")
        }
        guard header[0] == 0, header[1] == 0, header[2] == 8 else { throw fail("isn't an IDX file of unsigned bytes") }
        guard Int(header[3]) == dimensionCount else {
            throw fail("has \(header[3]) dimensions, not \(dimensionCount); are images and labels swapped?")
        }
        dimensions = (0..<dimensionCount).map { index in
            header[(4 + 4 * index)..<(8 + 4 * index)].reduce(0) { $0 << 8 | Int($1) }
        }
        // The product of 3 numbers of 32 bits can overflow, so each multiplication is checked; that of the others as well if
        // one of them is 0.
        var count = 1
        for size in dimensions where size > 0 {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow else { throw fail("has the impossible dimensions \(dimensions) in its header") }
            count = product
        }
        if dimensions.contains(0) { count = 0 }
        guard file.size - headerSize == count else {
            throw fail(
                "has \(file.size - headerSize) bytes after its header, which promises \(dimensions.map(String.init).joined(separator: " × "))"
            )
        }
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBytes { try file.read(at: headerSize, into: $0) }
        self.bytes = bytes
    }
}
