import RecurrentCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The paths of the four files of a data set in MNIST's format.
///
/// They are found under the names that MNIST, EMNIST and torchvision give them, in the folder
/// itself or in its subfolders such as `MNIST/raw`.
struct DigitsFiles {
    /// The images and labels of the training split and of the test split.
    let train: (images: String, labels: String), test: (images: String, labels: String)

    /// MNIST's own names, for messages.
    static let names = [
        "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
    ]

    /// One of the four files.
    private enum Role: Int, CaseIterable {
        case trainImages, trainLabels, testImages, testLabels
    }

    /// Finds the files.
    ///
    /// - Parameter directory: the folder that holds them, or torchvision's folder above it.
    /// - Throws: ``RecurrentCore/RecurrentError/dataset(_:)`` if a file is missing or still packed,
    ///   or if there is more than one data set.
    init(in directory: String) throws {
        var found: [(place: String, files: [Role: String])] = []
        for folder in try Self.folders(directory) {
            for (prefix, files) in Self.files(in: folder) { found.append((folder + "/" + prefix, files)) }
            // The folders below one that has files belong to something else.
            if !found.isEmpty, folder == directory { break }
        }
        let complete = found.filter { $0.files.count == Role.allCases.count }
        guard let chosen = complete.first ?? found.first else {
            throw RecurrentError.dataset(
                "\(directory): has none of the four files \(Self.names.joined(separator: ", ")) (unpacked); `data` (or MNIST_DIR) names the folder that has them"
            )
        }
        guard complete.count < 2 else {
            let places = complete.map { String($0.place.dropFirst(directory.count + 1)) + "…" }
            throw RecurrentError.dataset(
                "\(directory): holds several data sets (\(places.joined(separator: ", "))); put the four files of one into a folder of their own, and set `data` (or MNIST_DIR) to that"
            )
        }
        func path(_ role: Role) throws -> String {
            guard let path = chosen.files[role] else {
                let folder = chosen.place.split(separator: "/", omittingEmptySubsequences: false).dropLast()
                throw RecurrentError.dataset(
                    "\(folder.joined(separator: "/")): has no \(Self.names[role.rawValue]); it must hold the four files \(Self.names.joined(separator: ", "))"
                )
            }
            return path
        }
        train = (try path(.trainImages), try path(.trainLabels))
        test = (try path(.testImages), try path(.testLabels))
    }

    /// Returns the folder itself, and the folders named `raw` below it and below its subfolders.
    private static func folders(_ directory: String) throws -> [String] {
        func subfolders(_ folder: String) -> [String] {
            contents(folder).filter { isFolder($0) }
        }
        guard isFolder(directory) else {
            throw RecurrentError.dataset(
                "\(directory): there is no such folder; `data` (or MNIST_DIR) names the one with the four files \(names.joined(separator: ", "))"
            )
        }
        let raw = ([directory] + subfolders(directory)).map { $0 + "/raw" }.filter { isFolder($0) }
        return [directory] + raw
    }

    private static func isFolder(_ path: String) -> Bool {
        (try? FileManager.default.contentsOfDirectory(atPath: path)) != nil
    }

    private static func contents(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted().map { folder + "/" + $0 }
    }

    /// Returns the files of each data set in a folder, by what their names begin with: nothing for
    /// MNIST, `emnist-digits-` and so on for EMNIST.
    ///
    /// Of a file that is there both packed and unpacked, the unpacked one is returned.
    private static func files(in folder: String) -> [(prefix: String, files: [Role: String])] {
        var result: [String: [Role: String]] = [:]
        for path in contents(folder) {
            guard let (prefix, role) = role(of: path.dropFirst(folder.count + 1)) else { continue }
            if let other = result[prefix]?[role], !other.hasSuffix(".gz") { continue }
            result[prefix, default: [:]][role] = path
        }
        return result.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Returns what a file is by its name, in which dots and hyphens are the same; nil if it is
    /// something else.
    private static func role(of file: Substring) -> (prefix: String, role: Role)? {
        var name = file.lowercased().replacing(".", with: "-")
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
