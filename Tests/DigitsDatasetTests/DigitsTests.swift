import DigitsDataset
import Foundation
import RecurrentCore
import RecurrentTestSupport
import Testing

/// Small files of MNIST's format.
final class Files {
    let folder = NSTemporaryDirectory() + "digits-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (part, count) in [("train", 60), ("t10k", 20)] {
            try write(Self.images(count, part == "train" ? 0 : 100), "\(part)-images-idx3-ubyte")
            try write(Self.header(1, [count]) + (0..<count).map { UInt8($0 % 10) }, "\(part)-labels-idx1-ubyte")
        }
    }
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }

    static func header(_ count: UInt8, _ sizes: [Int]) -> [UInt8] {
        [0, 0, 8, count] + sizes.flatMap { size in (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * $0)) } }
    }
    /// Returns images of 3 × 4 pixels; pixel p of image i is i + 7 p.
    static func images(_ count: Int, _ first: Int) -> [UInt8] {
        header(3, [count, 3, 4])
            + (0..<count).flatMap { i in (0..<12).map { UInt8(truncatingIfNeeded: first + i + 7 * $0) } }
    }
}

struct DigitsTests {
    @Test(arguments: [false, true]) func theyAreADataSet(isPermuted: Bool) throws {
        let files = try Files()
        try checkDataset(try DigitsDataset(directory: files.folder, isPermuted: isPermuted), batchSize: 4)
    }

    @Test func aPixelAStep() throws {
        let files = try Files(), digits = try DigitsDataset(directory: files.folder)
        #expect(digits.description.inputs == .vectors(width: 1) && digits.classes == 10)
        // The last twelfth, images 55 to 59, is for validation.
        let batch = digits.batch(.valid, epoch: 0, index: 0, batchSize: 8)
        guard case .vectors(let values, width: 1) = batch.inputs else { return #expect(Bool(false), "no vectors") }
        #expect(batch.steps == 12 && batch.size == 5 && batch.targets == [5, 6, 7, 8, 9])
        for t in 0..<12 { for i in 0..<5 { #expect(values[t * 5 + i] == Float(55 + i + 7 * t) / 255) } }
        // An epoch contains every training image once.
        let labels = (0..<digits.batchCount(.train, batchSize: 8)).flatMap {
            digits.batch(.train, epoch: 3, index: $0, batchSize: 8).targets
        }
        #expect(labels.sorted() == (0..<55).map { Int32($0 % 10) }.sorted() && labels != labels.sorted())
    }

    @Test func permutedPixelsAreTheSamePixels() throws {
        let files = try Files()
        let plain = try DigitsDataset(directory: files.folder).batch(.test, epoch: 0, index: 0, batchSize: 1)
        let other = try DigitsDataset(directory: files.folder, isPermuted: true).batch(
            .test, epoch: 0, index: 0, batchSize: 1)
        guard case .vectors(let a, _) = plain.inputs, case .vectors(let b, _) = other.inputs else { return }
        #expect(a.sorted() == b.sorted() && a != b)
    }

    private func pixels(_ folder: String, permutationSeed: UInt64, seed: UInt64) throws -> [Float] {
        let digits = try DigitsDataset(
            directory: folder, isPermuted: true, permutationSeed: permutationSeed, seed: seed)
        guard case .vectors(let values, _) = digits.batch(.test, epoch: 0, index: 0, batchSize: 1).inputs else {
            return []
        }
        return values
    }

    @Test func thePermutationHasASeedOfItsOwn() throws {
        let files = try Files(), first = try pixels(files.folder, permutationSeed: 1, seed: 1)
        #expect(try first.count == 12 && pixels(files.folder, permutationSeed: 1, seed: 2) == first)
        #expect(try pixels(files.folder, permutationSeed: 2, seed: 1) != first)
    }

    @Test func labelsAreClasses() throws {
        let files = try Files(), name = "t10k-labels-idx1-ubyte"
        try files.write(Files.header(1, [20]) + [UInt8](repeating: 26, count: 20), name)
        #expect(
            try DigitsDataset(directory: files.folder, classes: 27).description.targets == .sequenceClass(classes: 27))
        #expect(
            throws: RecurrentError.dataset(
                "\(files.folder)/\(name): image 1 has the label 26, but the labels of 10 classes are 0 to 9")
        ) {
            try DigitsDataset(directory: files.folder)
        }
        for classes in [1, 257] {
            #expect(throws: RecurrentError.self) { try DigitsDataset(directory: files.folder, classes: classes) }
        }
    }

    @Test func filesAsTheyAreShippedAreToBeUnpacked() throws {
        let files = try Files(), name = "train-images-idx3-ubyte"
        try FileManager.default.moveItem(atPath: "\(files.folder)/\(name)", toPath: "\(files.folder)/\(name).gz")
        #expect(
            throws: RecurrentError.dataset(
                "\(files.folder)/\(name).gz: is still packed; unpack it and the others with: gunzip -k \(files.folder)/*.gz"
            )
        ) { try DigitsDataset(directory: files.folder) }
    }

    @Test(arguments: [
        "missing", "empty", "short", "long", "type", "gzip", "dimensions", "huge", "none", "counts", "sizes",
    ])
    func damagedFilesAreRefusedInOneLine(damage: String) throws {
        let files = try Files(), name = "train-images-idx3-ubyte", whole = Files.images(60, 0)
        switch damage {
        case "missing": try FileManager.default.removeItem(atPath: "\(files.folder)/\(name)")
        case "empty": try files.write([], name)
        case "short": try files.write(Array(whole.dropLast()), name)
        case "long": try files.write(whole + [0], name)
        case "type": try files.write([0, 0, 13] + whole.dropFirst(3), name)
        case "gzip": try files.write([0x1F, 0x8B] + whole.dropFirst(2), name)
        case "dimensions": try files.write(Files.header(1, [60]) + [UInt8](repeating: 0, count: 60), name)
        case "huge": try files.write(Files.header(3, [0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF]), name)
        // No images, but each would have more pixels than there are numbers.
        case "none": try files.write(Files.header(3, [0, 0xFFFF_FFFF, 0xFFFF_FFFF]), name)
        case "counts": try files.write(Files.images(59, 0), name)
        default: try files.write(Files.header(3, [60, 2, 2]) + [UInt8](repeating: 1, count: 240), name)
        }
        do {
            _ = try DigitsDataset(directory: files.folder)
            #expect(Bool(false), "no error")
        } catch RecurrentError.dataset(let message) {
            #expect(message.hasPrefix(files.folder) && !message.contains("\n"), "\(message)")
            if damage == "gzip" { #expect(message.contains("gunzip")) }
        }
    }
}
