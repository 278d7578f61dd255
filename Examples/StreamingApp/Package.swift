// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "StreamingApp",
    dependencies: [
        .package(name: "urnn", path: "../.."),
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
    ],
    targets: [
        .executableTarget(
            name: "StreamingApp",
            dependencies: [
                .product(name: "RecurrentCore", package: "urnn"), .product(name: "RecurrentRuns", package: "urnn"),
                .product(name: "BuiltInPlugins", package: "urnn"), .product(name: "FlyingFox", package: "FlyingFox"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
