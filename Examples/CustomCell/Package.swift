// swift-tools-version: 6.1
import PackageDescription

func urnn(_ names: String...) -> [Target.Dependency] { names.map { .product(name: $0, package: "urnn") } }

let package = Package(
    name: "CustomCell",
    dependencies: [.package(name: "urnn", path: "../..")],
    targets: [
        // The plug-ins (cells, an activation, a data set, an optimizer, a backend), in targets that depend
        // only on RecurrentCore.
        .target(name: "PeepholeCell", dependencies: urnn("RecurrentCore")),
        .target(name: "IndRNNCell", dependencies: urnn("RecurrentCore")),
        .target(name: "ParityData", dependencies: urnn("RecurrentCore")),
        .target(name: "LionOptimizer", dependencies: urnn("RecurrentCore")),
        .target(name: "PlainBackend", dependencies: urnn("RecurrentCore")),
        // The commands of `cli`, with these plug-ins added.
        .executableTarget(
            name: "custom",
            dependencies: ["PeepholeCell", "IndRNNCell", "ParityData", "LionOptimizer", "PlainBackend"]
                + urnn("RecurrentCommandLine", "RecurrentRuns", "BuiltInPlugins")),
        .testTarget(
            name: "PluginTests",
            dependencies: ["PeepholeCell", "IndRNNCell", "ParityData", "LionOptimizer", "PlainBackend"]
                + urnn("RecurrentCore", "RecurrentTestSupport", "ReferenceBackend", "CPUBackend")),
    ],
    swiftLanguageModes: [.v6]
)
