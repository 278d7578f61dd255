// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "Library",
    dependencies: [.package(name: "urnn", path: "../..")],
    targets: [
        .executableTarget(
            name: "Library",
            dependencies: [
                "RecurrentCore", "URNNCell", "CPUBackend", "RecurrentOptimizers", "ManifoldUpdates", "ToyDatasets",
            ]
            .map { .product(name: $0, package: "urnn") })
    ],
    swiftLanguageModes: [.v6]
)
