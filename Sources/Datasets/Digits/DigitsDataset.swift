import RecurrentCore

/// Images read pixel by pixel and classified at the end: sequential MNIST (Le, Jaitly &
/// Hinton 2015) or, with the pixels in one random order, permuted MNIST. Any files in
/// MNIST's format will do.
///
/// Each step has one pixel in [0, 1]; an image of 28 × 28 pixels has 784 steps. The last
/// twelfth of the training images is the validation split.
public struct DigitsDataset: DatasetPlugin {
    public static let name = "digits"
    public static let summary = "images in MNIST's format, one pixel per step"

    /// The number of classes; every label is below it.
    public let classes: Int
    /// Whether the pixels come in a random order, the same for all images.
    public let isPermuted: Bool
    /// The images for training and validation, and for testing; nil if none of their splits was opened.
    private let train: Images?, test: Images?
    private let trainCount: Int
    /// The index of the pixel that each step reads.
    private let pixels: [Int]
    private let order: ShuffledOrder

    private struct Images: Sendable {
        let size: Int
        let pixels: [UInt8]
        let labels: [UInt8]
    }

    /// Creates a data set from the four files in a directory.
    ///
    /// - Parameters:
    ///   - directory: the folder of train-images-idx3-ubyte, train-labels-idx1-ubyte,
    ///     t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, unpacked; EMNIST's names and
    ///     torchvision's folders (`MNIST/raw`) are found as well.
    ///   - classes: the number of classes, in 2...256; labels are below it. 10 for MNIST and
    ///     similar data, 27 for EMNIST's letters, which are numbered from 1.
    ///   - isPermuted: whether the pixels come in a random order, the same for all images.
    ///   - permutationSeed: the seed of that order; the same for all runs, as results are compared
    ///     on one order.
    ///   - seed: the seed of the order of the training images in each epoch.
    ///   - splits: the splits that will be used; the files of the others may be missing.
    /// - Throws: ``RecurrentCore/RecurrentError/dataset(_:)`` if a file is missing or damaged or
    ///   has a label out of range, or if the files don't fit together;
    ///   ``RecurrentCore/RecurrentError/invalidOption(_:)`` for `classes` out of range.
    public init(
        directory: String, classes: Int = 10, isPermuted: Bool = false, permutationSeed: UInt64 = 1, seed: UInt64 = 1,
        splits: Set<Split> = Split.all
    ) throws {
        guard (2...256).contains(classes) else {
            throw RecurrentError.invalidOption("digits: the number of classes must be in 2...256, not \(classes)")
        }
        self.classes = classes
        let files = try DigitsFiles(in: directory, splits: splits)
        train = try files.train.map { try Self.read($0, classes: classes) }
        test = try files.test.map { try Self.read($0, classes: classes) }
        let size = (train ?? test)?.size ?? 0
        if let train, let test, train.size != test.size {
            throw RecurrentError.dataset(
                "\(directory): training and test images differ in size (\(train.size) and \(test.size) pixels)")
        }
        let labelCount = train?.labels.count ?? 0
        trainCount = labelCount - labelCount / 12
        guard train == nil || trainCount < labelCount else {
            throw RecurrentError.dataset(
                "\(directory): \(labelCount) training images are too few; the last twelfth is kept for validation"
            )
        }
        self.isPermuted = isPermuted
        var random = RandomStream(RandomKey(seed: permutationSeed, purpose: .shuffle, stream: 1))
        pixels = isPermuted ? (0..<size).shuffled(using: &random) : Array(0..<size)
        order = ShuffledOrder(seed: seed, count: trainCount)
    }

    private static func read(_ files: (images: String, labels: String), classes: Int) throws -> Images {
        let images = try IDXFile(path: files.images, dimensionCount: 3)
        let labels = try IDXFile(path: files.labels, dimensionCount: 1)
        let size = images.dimensions[1] * images.dimensions[2]
        guard images.dimensions[0] == labels.dimensions[0], size > 0, !labels.bytes.isEmpty else {
            throw RecurrentError.dataset(
                "\(files.images): has \(images.dimensions[0]) images of \(size) pixels, but \(files.labels) has \(labels.dimensions[0]) labels"
            )
        }
        if let index = labels.bytes.firstIndex(where: { $0 >= classes }) {
            throw RecurrentError.dataset(
                "\(files.labels): image \(index + 1) has the label \(labels.bytes[index]), but the labels of \(classes) classes are 0 to \(classes - 1)"
            )
        }
        return Images(size: size, pixels: images.bytes, labels: labels.bytes)
    }

    public var description: DatasetDescription {
        DatasetDescription(
            inputs: .vectors(width: 1), targets: .sequenceClass(classes: classes), isContinuous: false,
            metric: .accuracy)
    }

    private func images(_ split: Split) -> Images {
        guard let images = split == .test ? test : train else {
            preconditionFailure("the \(split) images weren't opened")
        }
        return images
    }

    private func count(_ split: Split) -> Int {
        let count = images(split).labels.count
        return switch split {
        case .train: trainCount
        case .valid: count - trainCount
        case .test: count
        }
    }

    public func batchCount(_ split: Split, batchSize: Int) -> Int {
        precondition(batchSize >= 1, "a batch has at least one image")
        return (count(split) + batchSize - 1) / batchSize
    }

    public func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> Batch {
        precondition(
            index >= 0 && index < batchCount(split, batchSize: batchSize),
            "batch \(index) is outside the \(split) split")
        let range = index * batchSize..<min((index + 1) * batchSize, count(split))
        let images = images(split)
        let numbers =
            switch split {
            case .train: order.order(epoch: epoch)[range].map(Int.init)
            case .valid: range.map { trainCount + $0 }
            case .test: Array(range)
            }
        var values = [Float](repeating: 0, count: images.size * numbers.count)
        for (t, pixel) in pixels.enumerated() {
            for (column, number) in numbers.enumerated() {
                values[t * numbers.count + column] = Float(images.pixels[number * images.size + pixel]) / 255
            }
        }
        return Batch(
            steps: images.size, size: numbers.count, inputs: .vectors(values, width: 1),
            targets: numbers.map { Int32(images.labels[$0]) })
    }
}
