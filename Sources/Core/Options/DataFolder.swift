#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Finds the folder of a data set on disk.
public enum DataFolder {
    /// Returns the given folder, or else the one that an environment variable names, as an
    /// absolute path, so that a saved run finds it from any working directory.
    ///
    /// - Parameters:
    ///   - given: the option's value.
    ///   - variable: the environment variable, such as `PTB_DIR`.
    ///   - files: what the folder must hold, for the message.
    ///   - dataset: the data set's name, for the message.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if neither is given.
    public static func resolve(_ given: String?, variable: String, files: String, dataset: String) throws -> String {
        guard let folder = given ?? ProcessInfo.processInfo.environment[variable], !folder.isEmpty else {
            throw RecurrentError.invalidOption(
                "\(dataset): no data; set `data` (or \(variable)) to a folder with \(files)")
        }
        return absolute(folder)
    }

    /// Returns the absolute path for `path`, without `.` and `..`.
    public static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
}
