// swift-tools-version: 6.1
import PackageDescription

func urnn(_ names: String...) -> [Target.Dependency] { names.map { .product(name: $0, package: "urnn") } }

let package = Package(
    name: "CustomCell",
    dependencies: [.package(name: "urnn", path: "../..")],
    targets: [
        // The plug-in: a cell and an activation, knowing RecurrentCore only.
        .target(name: "LSTMCell", dependencies: urnn("RecurrentCore")),
        // The commands of `cli`, with the plug-in among theirs.
        .executableTarget(
            name: "custom",
            dependencies: ["LSTMCell"] + urnn("RecurrentCommandLine", "BuiltInPlugins")),
        .testTarget(
            name: "LSTMCellTests",
            dependencies: ["LSTMCell"] + urnn("RecurrentCore", "RecurrentTestSupport", "ReferenceBackend", "CPUBackend")),
    ],
    swiftLanguageModes: [.v6]
)
