import DigitsDataset
import Foundation
import RecurrentCore
import Testing

/// The four files are found under the names and in the folders in which they are distributed.
struct DigitsFilesTests {
    private static let names = [
        "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
    ]

    private func move(_ files: Files, to place: (String) -> String) throws {
        for name in Self.names {
            let target = "\(files.folder)/\(place(name))"
            try FileManager.default.createDirectory(
                atPath: URL(fileURLWithPath: target).deletingLastPathComponent().path,
                withIntermediateDirectories: true)
            try FileManager.default.moveItem(atPath: "\(files.folder)/\(name)", toPath: target)
        }
    }

    private func message(_ folder: String) -> String {
        do {
            _ = try DigitsDataset(directory: folder)
            return ""
        } catch { return "\(error)" }
    }

    @Test(arguments: [
        "dots", "emnist-digits-", "emnist-mnist-", "MNIST/raw/", "raw/", "EMNIST/raw/emnist-letters-", "Upper",
    ])
    func theyAreFound(form: String) throws {
        let files = try Files()
        try move(files) { name in
            switch form {
            case "dots": name.replacing("-idx", with: ".idx")
            case "Upper": name.uppercased()
            case _ where form.contains("emnist"): form + name.replacing("t10k", with: "test")
            default: form + name
            }
        }
        let digits = try DigitsDataset(directory: files.folder)
        #expect(digits.batchCount(.train, batchSize: 1) == 55 && digits.batchCount(.test, batchSize: 1) == 20)
    }

    /// torchvision keeps the packed files beside the unpacked ones.
    @Test func packedFilesBesideUnpackedOnesAreIgnored() throws {
        let files = try Files()
        for name in Self.names { try files.write([0x1F, 0x8B], name + ".gz") }
        #expect(try DigitsDataset(directory: files.folder).batchCount(.test, batchSize: 1) == 20)
    }

    @Test func packedFilesOfAnyNameAreToBeUnpacked() throws {
        let files = try Files()
        try move(files) { "MNIST/raw/emnist-digits-" + $0 + ".gz" }
        let text = message(files.folder)
        #expect(text.contains("still packed") && text.contains("gunzip -k \(files.folder)/MNIST/raw/*.gz"), "\(text)")
    }

    @Test func whatIsMissingIsNamed() throws {
        let files = try Files()
        try FileManager.default.removeItem(atPath: "\(files.folder)/t10k-labels-idx1-ubyte")
        #expect(message(files.folder).hasPrefix("\(files.folder): has no t10k-labels-idx1-ubyte; "))
        for name in Self.names.prefix(3) { try FileManager.default.removeItem(atPath: "\(files.folder)/\(name)") }
        for folder in [files.folder, files.folder + "/nowhere"] {
            let text = message(folder)
            for part in [folder, "`data`", "MNIST_DIR"] + Self.names { #expect(text.contains(part), "\(text)") }
        }
    }

    @Test func twoDataSetsAreNamed() throws {
        let files = try Files(), other = try Files()
        try move(files) { "emnist-digits-" + $0 }
        for name in Self.names {
            try FileManager.default.copyItem(
                atPath: "\(other.folder)/\(name)", toPath: "\(files.folder)/emnist-letters-\(name)")
        }
        let text = message(files.folder)
        #expect(text.contains("emnist-digits-…, emnist-letters-…"), "\(text)")
        try FileManager.default.removeItem(atPath: "\(files.folder)/emnist-letters-train-labels-idx1-ubyte")
        #expect(try DigitsDataset(directory: files.folder).batchCount(.test, batchSize: 1) == 20)
    }
}
