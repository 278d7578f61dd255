import Foundation
import RecurrentCore
import Synchronization

/// One plug-in: its name on the command line, one line about it, and how it is
/// made from the options.
public struct Plugin<Value>: Sendable {
    public let name: String
    public let summary: String
    public let make: @Sendable (PluginContext) throws -> Value

    public init(_ name: String, _ summary: String, _ make: @escaping @Sendable (PluginContext) throws -> Value) {
        self.name = name
        self.summary = summary
        self.make = make
    }
}

/// What a plug-in is made from.
public struct PluginContext: Sendable {
    public let options: RunConfiguration
    let registry: Registry
    private let choices = Choices()

    init(options: RunConfiguration, registry: Registry) {
        self.options = options
        self.registry = registry
    }

    /// What plug-ins chose where the options leave it to them.
    private final class Choices: Sendable {
        let activation = Mutex<String?>(nil)
        let data = Mutex<String?>(nil)
    }

    /// The options, with the plug-ins' choices filled in.
    var resolved: RunConfiguration {
        var result = options
        result.activation = options.activation ?? choices.activation.withLock { $0 }
        result.data = choices.data.withLock { $0 } ?? options.data
        return result
    }

    /// The activation that was asked for, or the cell's own.
    public func activation(or standard: any Activation) throws -> any Activation {
        guard let name = options.activation else {
            // One that isn't registered could not be found again.
            let isRegistered = registry.activations.contains { $0.name == standard.name }
            choices.activation.withLock { $0 = isRegistered ? standard.name : nil }
            return standard
        }
        return try registry.activations.find("activation", name).make(self)
    }

    public var resetGate: ResetGate { ResetGate(rawValue: options.resetGate) ?? .after }

    /// `--data`, else what an environment variable names; absolute, so that a saved
    /// run finds it from anywhere.
    ///
    /// - Parameters:
    ///   - variable: `PTB_DIR`, for instance.
    ///   - files: what the folder has to hold, for the message.
    /// - Throws: ``RecurrentError/dataset(_:)`` if neither is given.
    public func dataDirectory(variable: String, files: String) throws -> String {
        if let folder = options.data ?? ProcessInfo.processInfo.environment[variable], !folder.isEmpty {
            let path = URL(fileURLWithPath: folder).standardizedFileURL.path
            choices.data.withLock { $0 = path }
            return path
        }
        throw RecurrentError.dataset(
            "\(options.dataset): no data; give --data FOLDER (or set \(variable)) with \(files)")
    }

    /// ``dataDirectory(variable:files:)`` of a corpus: `$PTB_DIR`.
    public func corpusDirectory() throws -> String {
        try dataDirectory(variable: "PTB_DIR", files: "ptb.train.txt, ptb.valid.txt and ptb.test.txt")
    }
    /// ``dataDirectory(variable:files:)`` of images in MNIST's format: `$MNIST_DIR`.
    public func digitsDirectory() throws -> String {
        try dataDirectory(variable: "MNIST_DIR", files: "MNIST's four unpacked files, train-images-idx3-ubyte and so on")
    }
}

/// All that the commands can put together: one line per plug-in.
public struct Registry: Sendable {
    public var cells: [Plugin<any RecurrentCell>] = []
    public var activations: [Plugin<any Activation>] = []
    public var datasets: [DatasetPlugin] = []
    public var backends: [Plugin<any Backend>] = []
    public var optimizers: [Plugin<any Optimizer>] = []
    public var manifolds: [Plugin<any ManifoldUpdate>] = []
    public var skewInits: [Plugin<any SkewInitialization>] = []

    /// Names of the backends that take `--device` and `--precision`.
    public var deviceBackends: Set<String> = []
    /// What `data` can fetch.
    public var downloads: [DownloadSource] = []

    public init() {}

    /// The registry of the commands that are running.
    @TaskLocal static var current = Registry()

    func context(_ options: RunConfiguration) -> PluginContext { PluginContext(options: options, registry: self) }

    func dataset(_ name: String) throws -> DatasetPlugin {
        _ = try datasets.map(\.plugin).find("data set", name)
        return datasets.first { $0.plugin.name == name }!
    }
}

extension Array {
    /// - Throws: ``RecurrentError/unknownName(kind:name:known:)``.
    func find<Value>(_ kind: String, _ name: String) throws -> Plugin<Value> where Element == Plugin<Value> {
        guard let plugin = first(where: { $0.name == name }) else {
            throw RecurrentError.unknownName(kind: kind, name: name, known: map(\.name))
        }
        return plugin
    }
}
