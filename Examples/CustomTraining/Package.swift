// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "CustomTraining",
    dependencies: [.package(name: "urnn", path: "../..")],
    targets: [
        .executableTarget(
            name: "CustomTraining",
            dependencies: [
                "RecurrentCore", "URNNCell", "CPUBackend", "RecurrentOptimizers", "ManifoldUpdates", "ToyDatasets",
            ]
            .map { .product(name: $0, package: "urnn") })
    ],
    swiftLanguageModes: [.v6]
)
