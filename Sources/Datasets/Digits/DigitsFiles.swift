import RecurrentCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The paths of the four files of a data set in MNIST's format.
///
/// They are found under the names that MNIST, EMNIST, torchvision and Kaggle give them, in the folder itself or in its
/// subfolders, such as `MNIST/raw` or EMNIST's `gzip`.
struct DigitsFiles {
    /// The images and labels for training and validation, and for testing; nil for those that aren't needed.
    let train: (images: String, labels: String)?, test: (images: String, labels: String)?

    /// MNIST's own names, for messages.
    static let names = [
        "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
    ]

    /// One of the four files.
    private enum Role: Int, CaseIterable {
        case trainImages, trainLabels, testImages, testLabels
    }

    /// The files of one data set: those in a folder whose names begin in the same way.
    private struct Candidate {
        let folder: String
        let prefix: String
        let files: [Role: String]
    }

    /// Finds the files.
    ///
    /// - Parameters:
    ///   - directory: the folder that holds them, or a folder above it.
    ///   - splits: the splits that will be used; files of the others may be missing.
    /// - Throws: ``RecurrentCore/RecurrentError/dataset(_:)`` if a file is missing or if there is more than one data set.
    init(in directory: String, splits: Set<Split>) throws {
        guard !splits.isEmpty else {
            (train, test) = (nil, nil)
            return
        }
        let usesTraining = !splits.isDisjoint(with: [.train, .valid]), usesTest = splits.contains(.test)
        let needed: [Role] =
            (usesTraining ? [.trainImages, .trainLabels] : []) + (usesTest ? [.testImages, .testLabels] : [])
        let list = needed.map { Self.names[$0.rawValue] }.joined(separator: ", ")
        var found: [Candidate] = []
        for folder in try Self.folders(directory, list: list) {
            found += Self.candidates(in: folder)
            // The folders below one that has files belong to something else.
            if !found.isEmpty, folder == directory { break }
        }
        let whole = found.filter { $0.files.count == Role.allCases.count }
        let complete = whole.count == 1 ? whole : found.filter { found in needed.allSatisfy { found.files[$0] != nil } }
        guard let chosen = complete.first ?? found.first else {
            throw RecurrentError.dataset(
                "\(directory): has none of the files \(list) (unpacked); `data` (or MNIST_DIR) names the folder that has them"
            )
        }
        guard complete.count < 2 else {
            let places = complete.map { "\($0.folder)/\($0.prefix)".dropFirst(directory.count + 1) + "…" }
            throw RecurrentError.dataset(
                "\(directory): holds several data sets (\(places.joined(separator: ", "))); put the files of one into a folder of their own, and set `data` (or MNIST_DIR) to that"
            )
        }
        func path(_ role: Role) throws -> String {
            guard let path = chosen.files[role] else {
                let name = Self.names[role.rawValue]
                let own = chosen.prefix.isEmpty ? name : chosen.prefix + name.replacing("t10k", with: "test")
                throw RecurrentError.dataset("\(chosen.folder): has no \(own); it must hold the files \(list)")
            }
            return path
        }
        train = usesTraining ? (try path(.trainImages), try path(.trainLabels)) : nil
        test = usesTest ? (try path(.testImages), try path(.testLabels)) : nil
    }

    /// Returns the folder itself, its subfolders, and the folders named `raw` below these.
    private static func folders(_ directory: String, list: String) throws -> [String] {
        guard let contents = contents(directory) else {
            throw RecurrentError.dataset(
                "\(directory): there is no such folder; `data` (or MNIST_DIR) names the one with the files \(list)")
        }
        // A folder that is named like a file holds that file.
        let below = contents.filter { role(of: $0.dropFirst(directory.count + 1)) == nil && isFolder($0) }
        return [directory] + below + below.map { $0 + "/raw" }.filter(isFolder)
    }

    private static func isFolder(_ path: String) -> Bool { contents(path) != nil }

    /// Returns the paths of what a folder holds; nil if it is no folder that can be read.
    private static func contents(_ folder: String) -> [String]? {
        (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted().map { folder + "/" + $0 }
    }

    /// Returns the files of each data set in a folder, by what their names begin with: nothing for
    /// MNIST, `emnist-digits-` and so on for EMNIST.
    ///
    /// Of a file that is there both packed and unpacked, the unpacked one is returned. Unpackers such as Kaggle's put a
    /// file into a folder of the same name.
    private static func candidates(in folder: String) -> [Candidate] {
        var result: [String: [Role: String]] = [:]
        for path in contents(folder) ?? [] {
            guard let (prefix, role) = role(of: path.dropFirst(folder.count + 1)) else { continue }
            let file = isFolder(path) ? self.file(of: role, in: path) : path
            guard let file else { continue }
            if let other = result[prefix]?[role], !other.hasSuffix(".gz") { continue }
            result[prefix, default: [:]][role] = file
        }
        return result.sorted { $0.key < $1.key }.map { Candidate(folder: folder, prefix: $0.key, files: $0.value) }
    }

    private static func file(of role: Role, in folder: String) -> String? {
        contents(folder)?.first { self.role(of: $0.dropFirst(folder.count + 1))?.role == role && !isFolder($0) }
    }

    /// Returns what a file is by its name, in which dots, hyphens and underscores are the same; nil if it is
    /// something else.
    private static func role(of file: Substring) -> (prefix: String, role: Role)? {
        var name = file.lowercased().replacing(".", with: "-").replacing("_", with: "-")
        if name.hasSuffix("-gz") { name.removeLast(3) }
        let parts: [(String, Role)] = [
            ("train-images-idx3-ubyte", .trainImages), ("train-labels-idx1-ubyte", .trainLabels),
            ("t10k-images-idx3-ubyte", .testImages), ("t10k-labels-idx1-ubyte", .testLabels),
            ("test-images-idx3-ubyte", .testImages), ("test-labels-idx1-ubyte", .testLabels),
        ]
        guard let (ending, role) = parts.first(where: { name.hasSuffix($0.0) }) else { return nil }
        let prefix = String(name.dropLast(ending.count))
        return prefix.isEmpty || prefix.hasSuffix("-") ? (prefix, role) : nil
    }
}
