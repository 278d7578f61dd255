#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Finds the folder of data that lie on disk.
public enum DataFolder {
    /// The folder that was asked for, or else what an environment variable names; as an
    /// absolute path, so that a saved run finds it from anywhere.
    ///
    /// - Parameters:
    ///   - given: the option's value.
    ///   - variable: the environment variable, such as `PTB_DIR`.
    ///   - files: what the folder has to hold, for the message.
    ///   - dataset: the data set's name, for the message.
    /// - Throws: ``RecurrentError/dataset(_:)`` if neither is given.
    public static func resolve(_ given: String?, variable: String, files: String, dataset: String) throws -> String {
        guard let folder = given ?? ProcessInfo.processInfo.environment[variable], !folder.isEmpty else {
            throw RecurrentError.dataset("\(dataset): no data; give `data` (or set \(variable)) with \(files)")
        }
        return absolute(folder)
    }

    /// A path from the root, without `.` and `..`.
    public static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
}
