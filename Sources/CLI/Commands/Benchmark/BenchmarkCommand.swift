import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentRuns

struct BenchmarkCommand: FlagCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract:
            "Time training steps, manifold updates and matrix exponentials, and compare them with the floor set by their products.",
        discussion: """
            The floor is the time that a step's matrix products would take at the rate of one large product, \
            measured in the same run on the same backend and threads. Rounds go through all workloads in turn, \
            so that noise on the machine affects all of them alike. Where there are many more positions than \
            tokens, a first layer multiplies the embedding's rows (products of tokens) instead of the input's.
            """)
    static let scope = FlagScope(kinds: [.backend]) { _ in
        "does nothing in benchmark, whose workloads have fixed sizes; leave it out"
    }

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var arguments: [String] = []

    @Option(
        name: .customLong("workload"),
        help: ArgumentHelp(
            "Time only this workload; may be repeated (\(WorkloadName.forms)).")
    )
    var workloads: [String] = []
    @Option(parsing: .unconditional, help: "Approximate number of seconds to spend on each workload.")
    var seconds = 1.0
    @Flag(help: "Print a JSON array.")
    var json = false

    struct Result: Codable {
        /// The name of the backend and what it runs on.
        let backend: String
        let workload: String
        let input: Workload.Input?
        let medianMilliseconds: Double
        let floorMilliseconds: Double
        let ratioToFloor: Double
        let gemmGigaflops: Double
        let steps: Int
    }

    func run() throws {
        guard seconds > 0, seconds <= 3600 else {
            throw RecurrentError.invalidOption("--seconds must be above 0 and at most 3600, not \(seconds)")
        }
        let registry = Registry.current
        let configuration = try Self.parser.configuration(arguments, locatesData: false)
        let backend = try registry.makeBackend(configuration)
        let list = try (workloads.isEmpty ? Workload.defaultNames(registry) : workloads).map {
            try Workload.make($0, on: backend, registry: registry)
        }
        let timer = WorkloadTimer(list, on: backend, gemm: try GEMMRate(backend), seconds: seconds)
        try timer.run()
        let results = timer.results
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            Terminal.print(String(decoding: try encoder.encode(results), as: UTF8.self))
            return
        }
        Terminal.print(timer.backend)
        Terminal.print(
            "GEMM, 1024 × 1024 × 1024: \(Format.fixed(timer.gigaflops, digits: 1)) GFLOP/s (median of this run)")
        Terminal.print(
            Terminal.table(
                ["workload", "median ms", "floor ms", "ratio", "steps", "products of"],
                results.map {
                    [
                        $0.workload, Format.fixed($0.medianMilliseconds, digits: 3),
                        Format.fixed($0.floorMilliseconds, digits: 3), Format.fixed($0.ratioToFloor, digits: 2),
                        "\($0.steps)", $0.input?.rawValue ?? "–",
                    ]
                }))
        for (constrained, free) in [("urnn", "rnn"), ("ugru", "gru")] {
            for overhead in timer.overheads(of: constrained, over: free) {
                Terminal.print(
                    "\(overhead.name) over \(overhead.base): \(Format.fixed(100 * (overhead.ratio - 1), digits: 1)) % (median of paired steps)"
                )
            }
        }
        for share in timer.updates {
            Terminal.print(
                "\(share.name): \(Format.fixed(100 * share.ratio, digits: 1)) % of \(share.base) (median of paired steps)"
            )
        }
    }
}

/// A measurement of the rate of one large matrix product.
struct GEMMRate {
    private let backend: any Backend
    private let matrices: [MatrixView]
    private static let size = 1024

    init(_ backend: any Backend) throws {
        self.backend = backend
        matrices = try (0..<3).map { _ in try backend.allocate(rows: Self.size, columns: Self.size) }
        backend.fill(matrices[0], with: 0.5)
        backend.fill(matrices[1], with: 0.25)
    }

    /// Returns the duration of one product in seconds.
    func measure() -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        backend.gemm(matrices[0], matrices[1], into: matrices[2])
        backend.synchronize()
        return (clock.now - start).inSeconds
    }
    static var flops: Double { 2 * Double(size) * Double(size) * Double(size) }
}

/// A timer that measures several workloads in turn.
final class WorkloadTimer {
    private let workloads: [Workload]
    private let gemm: GEMMRate
    private let seconds: Double
    private var times: [[Double]]
    private var products: [Double] = []

    /// The name of the backend and what it runs on.
    let backend: String

    init(_ workloads: [Workload], on backend: any Backend, gemm: GEMMRate, seconds: Double) {
        self.workloads = workloads
        self.backend = "\(backend.name): \(backend.summary)"
        self.gemm = gemm
        self.seconds = seconds
        times = workloads.map { _ in [] }
    }

    func run() throws {
        let clock = ContinuousClock()
        func time(_ index: Int) throws -> Double {
            let start = clock.now
            try workloads[index].step()
            return (clock.now - start).inSeconds
        }
        // Warm up, and determine how many steps fit.
        let counts = try workloads.indices.map { index in
            for _ in 0..<2 { _ = try time(index) }
            return max(5, Int(seconds / max(try time(index), 1e-6)))
        }
        for _ in 0..<3 { _ = gemm.measure() }
        // At most as many rounds as steps, so that no round is without steps.
        let rounds = min(20, counts.max() ?? 0)
        for round in 0..<rounds {
            products += (0..<3).map { _ in gemm.measure() }
            for index in workloads.indices {
                let share = counts[index] * (round + 1) / rounds - counts[index] * round / rounds
                // The first step after another workload finds cold caches.
                if share > 2 { _ = try time(index) }
                for _ in 0..<share { times[index].append(try time(index)) }
            }
        }
    }

    private func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
    }

    var gigaflops: Double { GEMMRate.flops / median(products) / 1e9 }

    var results: [BenchmarkCommand.Result] {
        workloads.indices.map { index in
            let middle = median(times[index]) * 1e3, floor = workloads[index].flops / gigaflops / 1e6
            return BenchmarkCommand.Result(
                backend: backend, workload: workloads[index].name, input: workloads[index].input,
                medianMilliseconds: middle, floorMilliseconds: floor,
                ratioToFloor: middle / floor, gemmGigaflops: gigaflops, steps: times[index].count)
        }
    }

    /// Returns the step times of a constrained cell relative to those of its unconstrained counterpart, as medians of the
    /// ratios of steps in the same round.
    func overheads(of constrained: String, over free: String) -> [(name: String, base: String, ratio: Double)] {
        workloads.indices.compactMap { index in
            let name = workloads[index].name,
                base = name.replacingOccurrences(of: "-\(constrained)-", with: "-\(free)-")
            guard base != name, let other = workloads.firstIndex(where: { $0.name == base }) else { return nil }
            let ratios = zip(times[index], times[other]).map { $0 / $1 }
            return (name, base, median(ratios))
        }
    }

    /// The times of a weight's updates relative to a training step of an unconstrained RNN of that width, as medians of the
    /// ratios of steps in the same round.
    var updates: [(name: String, base: String, ratio: Double)] {
        workloads.indices.compactMap { index in
            let name = workloads[index].name, size = name.split(separator: "-").last?.dropFirst() ?? ""
            guard name.hasPrefix("update-"), !name.contains("-complex-"),
                let other = workloads.firstIndex(where: { $0.name.hasPrefix("toy-rnn-h\(size)-") })
            else { return nil }
            return (name, workloads[other].name, median(zip(times[index], times[other]).map { $0 / $1 }))
        }
    }
}
