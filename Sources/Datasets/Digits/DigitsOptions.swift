import RecurrentCore

extension DigitsDataset {
    /// The folder of the images, and the number of classes.
    public struct Options: OptionSection {
        /// The folder of the four files; if nil, the one that `MNIST_DIR` names.
        public var data: String?
        /// The number of classes; every label is below it.
        public var classes = 10
        public init() {}
        public static let fields: [OptionField<Self>] = [.images(\.data), .classes(\.classes)]
    }

    public static func resolve(_ options: Options) throws -> Options {
        var options = options
        options.data = try imageFolder(options.data, name)
        return options
    }

    public init(options: Options, seed: UInt64) throws {
        try self.init(options: options, seed: seed, splits: Split.all)
    }
    public init(options: Options, seed: UInt64, splits: Set<Split>) throws {
        try self.init(
            directory: Self.imageFolder(options.data, Self.name, splits), classes: options.classes, seed: seed,
            splits: splits)
    }

    public static var hasTokenInputs: Bool { false }
    public static func adjust(_ defaults: inout RunDefaults) { defaults.useImageDefaults() }

    /// Returns the folder of the images; any text if no split is used.
    fileprivate static func imageFolder(_ given: String?, _ name: String, _ splits: Set<Split> = Split.all) throws
        -> String
    {
        guard !splits.isEmpty else { return "" }
        return try DataFolder.resolve(
            given, variable: "MNIST_DIR",
            files: "the four files \(DigitsFiles.names.joined(separator: ", ")) (unpacked)",
            dataset: name)
    }
}

/// The images of ``DigitsDataset`` with their pixels in one random order, the same for
/// all images and seeds, as the literature compares models on one order.
public struct PermutedDigitsDataset: DatasetPlugin {
    public static let name = "permuted-digits"
    public static let summary = "images in MNIST's format, with the pixels in one random order"
    /// The folder of the images, the number of classes, and the order of the pixels.
    public struct Options: OptionSection {
        /// The folder of the four files; if nil, the one that `MNIST_DIR` names.
        public var data: String?
        /// The number of classes; every label is below it.
        public var classes = 10
        /// The seed of the pixels' order, independent of the run's seed.
        public var permutationSeed: UInt64 = 1
        public init() {}
        public static let fields: [OptionField<Self>] = [
            .images(\.data), .classes(\.classes),
            .seed(
                "permutationSeed", \.permutationSeed, "Seed of the pixels' order, independent of the run's seed."
            ),
        ]
    }
    private let digits: DigitsDataset

    public static func resolve(_ options: Options) throws -> Options {
        var options = options
        options.data = try DigitsDataset.imageFolder(options.data, name)
        return options
    }

    public init(options: Options, seed: UInt64) throws {
        try self.init(options: options, seed: seed, splits: Split.all)
    }
    public init(options: Options, seed: UInt64, splits: Set<Split>) throws {
        digits = try DigitsDataset(
            directory: DigitsDataset.imageFolder(options.data, Self.name, splits), classes: options.classes,
            isPermuted: true,
            permutationSeed: options.permutationSeed, seed: seed, splits: splits)
    }

    public static var hasTokenInputs: Bool { false }
    public static func adjust(_ defaults: inout RunDefaults) { defaults.useImageDefaults() }

    public var description: DatasetDescription { digits.description }
    public func batchCount(_ split: Split, batchSize: Int) -> Int { digits.batchCount(split, batchSize: batchSize) }
    public func batch(_ split: Split, epoch: Int, index: Int, batchSize: Int) -> Batch {
        digits.batch(split, epoch: epoch, index: index, batchSize: batchSize)
    }
}

extension OptionField {
    fileprivate static func images(_ path: any WritableKeyPath<Section, String?> & Sendable) -> Self {
        .path("data", path, "folder", "Folder of the images, unpacked (default: $MNIST_DIR).")
    }
    fileprivate static func classes(_ path: any WritableKeyPath<Section, Int> & Sendable) -> Self {
        .integer("classes", path, 2...256, "Number of classes; labels are below it (EMNIST's letters need 27).")
    }
}

extension RunDefaults {
    /// Turns dropout off, and makes the hidden state large enough for an image.
    fileprivate mutating func useImageDefaults() {
        model.dropout = 0
        model.dropoutPlaces = [.output]
        model.hiddenSize = 128
    }
}
