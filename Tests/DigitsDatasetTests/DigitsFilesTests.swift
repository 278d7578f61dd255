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
            // A folder may have the name of the file.
            try FileManager.default.moveItem(
                atPath: "\(files.folder)/\(name)", toPath: "\(files.folder)/\(name).moving")
            let target = "\(files.folder)/\(place(name))"
            try FileManager.default.createDirectory(
                atPath: URL(fileURLWithPath: target).deletingLastPathComponent().path,
                withIntermediateDirectories: true)
            try FileManager.default.moveItem(atPath: "\(files.folder)/\(name).moving", toPath: target)
        }
    }

    @Test func withoutASplitNothingIsRead() throws {
        let digits = try DigitsDataset(directory: "/nonexistent", splits: [])
        #expect(digits.description.inputs == .vectors(width: 1))
        #expect(digits.description.targets == .sequenceClass(classes: 10))
    }

    private func message(_ folder: String) -> String {
        do {
            _ = try DigitsDataset(directory: folder)
            return ""
        } catch { return "\(error)" }
    }

    @Test(arguments: [
        "dots", "emnist-digits-", "emnist-mnist-", "MNIST/raw/", "raw/", "EMNIST/raw/emnist-letters-", "Upper",
        "MNIST/", "gzip/emnist-balanced-", "underscores", "folders", "folders of dots",
    ])
    func theyAreFound(form: String) throws {
        let files = try Files()
        try move(files) { name in
            switch form {
            case "dots": name.replacing("-idx", with: ".idx")
            case "Upper": name.uppercased()
            case "underscores": name.replacing("-", with: "_")
            case "folders": "\(name)/\(name)"
            case "folders of dots": "\(name)/\(name.replacing("-idx", with: ".idx"))"
            case _ where form.contains("emnist"): form + name.replacing("t10k", with: "test")
            default: form + name
            }
        }
        let digits = try DigitsDataset(directory: files.folder)
        #expect(digits.batchCount(.train, batchSize: 1) == 55 && digits.batchCount(.test, batchSize: 1) == 20)
    }

    /// Kaggle's archive has each file twice: by itself, and in a folder of nearly the same name.
    @Test func foldersOfTheSameNameBesideFiles() throws {
        let files = try Files()
        for name in Self.names {
            let folder = "\(files.folder)/\(name)", dotted = folder.replacing("-idx", with: ".idx")
            try FileManager.default.moveItem(atPath: folder, toPath: dotted)
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            if name.contains("train") { try FileManager.default.copyItem(atPath: dotted, toPath: "\(folder)/\(name)") }
        }
        #expect(try DigitsDataset(directory: files.folder).batchCount(.test, batchSize: 1) == 20)
    }

    /// The test images are evaluated without those for training, and the other way round.
    @Test func onlyTheSplitsThatAreUsedNeedTheirFiles() throws {
        let whole = try Files(), files = try Files()
        let all = try DigitsDataset(directory: whole.folder, isPermuted: true)
        for name in Self.names.prefix(2) { try FileManager.default.removeItem(atPath: "\(files.folder)/\(name)") }
        let test = try DigitsDataset(directory: files.folder, isPermuted: true, splits: [.test])
        #expect(test.batchCount(.test, batchSize: 8) == all.batchCount(.test, batchSize: 8))
        #expect(
            test.batch(.test, epoch: 0, index: 1, batchSize: 8).targets
                == all.batch(.test, epoch: 0, index: 1, batchSize: 8).targets)
        #expect(message(files.folder).contains("has no train-images-idx3-ubyte"))
        for name in Self.names.suffix(2) { try FileManager.default.removeItem(atPath: "\(whole.folder)/\(name)") }
        let train = try DigitsDataset(directory: whole.folder, splits: [.valid])
        #expect(train.batchCount(.train, batchSize: 1) == 55 && train.batchCount(.valid, batchSize: 1) == 5)
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

    /// The advice works as it is when it is pasted into a shell.
    @Test func theAdviceIsQuoted() throws {
        let files = try Files()
        try move(files) { "it's MNIST/\($0).gz" }
        let text = message(files.folder + "/it's MNIST")
        #expect(text.hasSuffix("gunzip -k '\(files.folder)/it'\\''s MNIST'/*.gz"), "\(text)")
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
