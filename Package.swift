// swift-tools-version: 6.1
import PackageDescription

// Every plug-in is one target, one library product and one test target. To add
// a cell, add one row here and one line to Sources/CLI/BuiltIn/Registrations.swift.

struct Module {
    var name: String
    var path: String
    var dependencies: [Target.Dependency] = []
    var exclude: [String] = []
    var testDependencies: [String] = []
    var testResources: [Resource] = []

    /// A cell; `hasFixtures` says that its tests have numbers of another program in their folder `Fixtures`.
    static func cell(_ name: String, _ folder: String, hasFixtures: Bool = false) -> Module {
        Module(
            name: name, path: "Sources/Cells/\(folder)", dependencies: ["RecurrentCore"],
            testDependencies: ["ReferenceBackend", "CPUBackend"],
            testResources: hasFixtures ? [.copy("Fixtures")] : [])
    }
    static func optimizers(_ name: String, _ path: String, exclude: [String] = []) -> Module {
        Module(
            name: name, path: path, dependencies: ["RecurrentCore"], exclude: exclude,
            testDependencies: ["ReferenceBackend", "CPUBackend", "RecurrentOptimizers"],
            testResources: [.copy("Fixtures")])
    }
    static func dataset(_ name: String, _ folder: String) -> Module {
        Module(name: name, path: "Sources/Datasets/\(folder)", dependencies: ["RecurrentCore"])
    }
    static func backend(
        _ name: String, _ folder: String, _ dependencies: [Target.Dependency] = [], testDependencies: [String] = [],
        testResources: [Resource] = []
    ) -> Module {
        Module(
            name: name, path: "Sources/Backends/\(folder)", dependencies: ["RecurrentCore"] + dependencies,
            testDependencies: ["ReferenceBackend"] + testDependencies, testResources: testResources)
    }
}

let cells: [Module] = [
    .cell("VanillaRNNCell", "VanillaRNN"),
    .cell("URNNCell", "URNN"),
    .cell("GRUCell", "GRU"),
    .cell("UGRUCell", "UGRU"),
    .cell("ComplexURNNCell", "ComplexURNN", hasFixtures: true),
    .cell("LSTMCell", "LSTM", hasFixtures: true),
    .cell("CoRNNCell", "CoRNN", hasFixtures: true),
    .cell("LEMCell", "LEM", hasFixtures: true),
    .cell("MinGRUCell", "MinGRU", hasFixtures: true),
    .cell("LRUCell", "LRU", hasFixtures: true),
    .cell("NNRNNCell", "NNRNN", hasFixtures: true),
]

let modules: [Module] =
    [
        Module(
            name: "RecurrentCore", path: "Sources/Core", exclude: ["TestSupport", "ONNX"],
            testDependencies: cells.map(\.name) + [
                "ReferenceBackend", "CPUBackend", "RecurrentOptimizers", "ManifoldUpdates", "ToyDatasets",
                "AllocationCounting",
            ],
            testResources: [.copy("Fixtures")]),
        Module(name: "RecurrentTestSupport", path: "Sources/Core/TestSupport", dependencies: ["RecurrentCore"]),
        Module(
            name: "RecurrentONNX", path: "Sources/Core/ONNX", dependencies: ["RecurrentCore"],
            testDependencies: cells.map(\.name) + ["ReferenceBackend"]),

        .optimizers("RecurrentOptimizers", "Sources/Optimizers", exclude: ["Manifold"]),
        .optimizers("ManifoldUpdates", "Sources/Optimizers/Manifold"),

        .dataset("ToyDatasets", "Toy"),
        .dataset("PTBDataset", "PTB"),
        .dataset("DigitsDataset", "Digits"),

        // Its tests start the built program under mpirun.
        .backend(
            "MPICommunicator", "MPI", [.target(name: "MPICalls", condition: .when(traits: ["MPI"]))],
            testDependencies: ["RecurrentCLI"]),
        .backend("ReferenceBackend", "Reference", testResources: [.copy("Fixtures")]),
        .backend("CPUBackend", "CPU", ["CPUKernels", "COpenBLAS"]),
        .backend(
            "CUDABackend", "CUDA", ["CUDADriver"],
            testDependencies: cells.map(\.name) + ["RecurrentOptimizers", "ManifoldUpdates", "ToyDatasets"],
            testResources: [.embedInCode("HostEmulation.h")]),

        Module(
            name: "RecurrentRuns", path: "Sources/CLI/Runs", dependencies: ["RecurrentCore"],
            testDependencies: ["BuiltInPlugins", "CPUBackend", "ReferenceBackend", "UGRUCell"],
            testResources: [.copy("Fixtures")]),
        Module(
            name: "RecurrentReproduction", path: "Sources/CLI/Reproduction",
            dependencies: ["RecurrentCore", "RecurrentRuns"],
            testDependencies: ["BuiltInPlugins"]),
        Module(
            name: "RecurrentCommandLine", path: "Sources/CLI/Commands",
            dependencies: [
                "RecurrentCore", "RecurrentONNX", "RecurrentRuns", "RecurrentReproduction",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            testDependencies: ["BuiltInPlugins", "RecurrentCLI"],
            testResources: [.copy("Fixtures")]),
    ] + cells

/// What `cli` is put together from: everything but the kits for tests.
let plugins = modules.map(\.name).filter { $0 != "RecurrentTestSupport" }

let package = Package(
    name: "urnn",
    products: (modules.map(\.name) + ["BuiltInPlugins"]).map { .library(name: $0, targets: [$0]) } + [
        .executable(name: "cli", targets: ["RecurrentCLI"])
    ],
    traits: [
        .trait(name: "MPI", description: "Training by several processes, with Open MPI or MPICH."),
        // URNN_TRAITS=MPI enables a trait in packages that depend on this one, too, so that nothing is built twice.
        .default(enabledTraits: Set((Context.environment["URNN_TRAITS"] ?? "").split(separator: ",").map(String.init))),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: modules.map {
        .target(name: $0.name, dependencies: $0.dependencies, path: $0.path, exclude: $0.exclude)
    } + [
        .systemLibrary(
            name: "COpenBLAS", path: "Sources/Backends/COpenBLAS", pkgConfig: "openblas",
            providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(
            name: "CLAPACKE", path: "Sources/Backends/CLAPACKE", pkgConfig: "lapacke",
            providers: [.apt(["liblapacke-dev"])]),
        // The implementation of MPI that is chosen by `update-alternatives`, or the pkg-config file that is named.
        .systemLibrary(
            name: "CMPI", path: "Sources/Backends/CMPI", pkgConfig: Context.environment["MPI_PKG_CONFIG"] ?? "mpi-c"),
        .target(
            name: "MPICalls", dependencies: [.target(name: "CMPI", condition: .when(traits: ["MPI"]))],
            path: "Sources/Backends/MPICalls", cSettings: [.define("WITH_MPI", .when(traits: ["MPI"]))]),
        .executableTarget(
            name: "RecurrentCLI",
            dependencies: ["BuiltInPlugins", "RecurrentCommandLine"], path: "Sources/CLI/Main"),
        .target(
            name: "BuiltInPlugins", dependencies: plugins.map { .init(stringLiteral: $0) },
            path: "Sources/CLI/BuiltIn"),
        .target(name: "CUDADriver", path: "Sources/Backends/CUDADriver", linkerSettings: [.linkedLibrary("dl")]),
        .target(name: "CPUKernels", dependencies: ["COpenBLAS", "CLAPACKE"], path: "Sources/Backends/CPUKernels"),
        // The readers of foreign bytes, for a test and for `scripts/fuzz`.
        .target(
            name: "RecurrentFuzzing",
            dependencies: (plugins + ["BuiltInPlugins"]).map { .init(stringLiteral: $0) }, path: "Tests/Fuzzing"),
        .target(name: "AllocationCounting", path: "Tests/AllocationCounting"),
        .testTarget(
            name: "RecurrentFuzzingTests", dependencies: ["RecurrentFuzzing"], path: "Tests/RecurrentFuzzingTests"),
    ]
        + modules.filter { plugins.contains($0.name) }.map {
            .testTarget(
                name: "\($0.name)Tests",
                dependencies: Set([$0.name, "RecurrentCore", "RecurrentTestSupport"] + $0.testDependencies).sorted()
                    .map { .init(stringLiteral: $0) },
                path: "Tests/\($0.name)Tests", resources: $0.testResources)
        },
    swiftLanguageModes: [.v6]
)
