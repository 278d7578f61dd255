import Foundation
import RecurrentCore

#if MPI
    import MPICalls
#endif

/// The processes that `mpirun`, `mpiexec` or `srun` has started together; all bytes travel through MPI's own collectives.
///
/// It is built with the package's trait `MPI`, against Open MPI or MPICH; without it, it can only say so.
public final class MPICommunicator: CommunicatorPlugin, @unchecked Sendable {
    public let name: String
    public let rank: Int, size: Int
    public let localRank: Int, localSize: Int
    public private(set) var bytesSent = 0

    /// Whether a launcher of MPI has started this process, by the variables that it sets.
    public static var isLaunched: Bool {
        if let size = launchedSize { return size > 1 }
        // With PMIx alone, only Slurm says how many there are.
        return ProcessInfo.processInfo.environment["PMIX_RANK"] != nil && number("SLURM_NTASKS") ?? 1 > 1
    }

    /// The number of processes that a launcher has started, where it says so.
    private static var launchedSize: Int? { number("OMPI_COMM_WORLD_SIZE") ?? number("PMI_SIZE") }

    private static func number(_ variable: String) -> Int? {
        ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }
    }

    /// The number that the launcher gave this process; 0 if it is unknown.
    public static var launchedRank: Int {
        ["OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"].lazy.compactMap(number).first ?? 0
    }

    /// Settings that a user may have made, such as `OMPI_MCA_btl`, are none of them.
    public static func isOfLauncher(_ variable: String) -> Bool {
        let prefixes = [
            "OMPI_COMM_WORLD_", "OMPI_UNIVERSE_", "OMPI_APP_", "OMPI_NUM_", "OMPI_FIRST_", "OMPI_MCA_orte_",
            "OMPI_MCA_ess", "OMPI_MCA_pmix", "PMI_", "PMIX_", "PMI2_",
        ]
        return prefixes.contains { variable.hasPrefix($0) } && !variable.hasPrefix("PMIX_MCA_")
    }

    #if MPI
        /// Starts MPI in this process; it can be started once. Call its methods from the thread that started it.
        ///
        /// - Throws: ``RecurrentCore/RecurrentError/backend(_:)`` if MPI can't be started.
        public init() throws {
            var rank: Int32 = 0, size: Int32 = 0, localRank: Int32 = 0, localSize: Int32 = 0
            let code = mpc_start(&rank, &size, &localRank, &localSize)
            guard code == 0 else { throw RecurrentError.backend("MPI can't be started: \(Self.text(code))") }
            if size == 1, let started = Self.launchedSize, started > 1 {
                mpc_finish()
                throw RecurrentError.backend(
                    "\(started) processes were started, but each of them is alone by the MPI that this program was built with; start them with that one's mpirun"
                )
            }
            self.rank = Int(rank)
            self.size = Int(size)
            self.localRank = Int(localRank)
            self.localSize = Int(localSize)
            let lines = String(cString: mpc_library()).split(whereSeparator: \.isNewline)
            name = lines.first.map { String($0.prefix { $0 != "," }) } ?? "MPI"
        }

        public func finish() { _ = mpc_finish() }

        public func makeExchange(
            sent: [[UnsafeRawBufferPointer]], received: [[UnsafeMutableRawBufferPointer]]
        ) throws -> any Exchange {
            precondition(sent.count == size && received.count == size, "an exchange names all ranks")
            return try MPIExchange(self, sent, received)
        }

        public func allGather(_ bytes: [UInt8]) throws -> [[UInt8]] {
            var counts = [Int32](repeating: 0, count: size)
            try Self.check(mpc_gather_counts(Int32(bytes.count), &counts))
            let starts = counts.reduce(into: [Int32(0)]) { $0.append($0.last! + $1) }
            var all = [UInt8](repeating: 0, count: max(Int(starts[size]), 1))
            try Self.check(mpc_gather(bytes, Int32(bytes.count), &all, counts, starts))
            bytesSent += bytes.count * (size - 1)
            return (0..<size).map { Array(all[Int(starts[$0])..<Int(starts[$0 + 1])]) }
        }

        public func abort(status: Int32) -> Never {
            mpc_abort(status)
            exit(status)
        }

        fileprivate func didSend(_ count: Int) { bytesSent += count }

        fileprivate static func check(_ code: Int32) throws {
            if code != 0 { throw RecurrentError.device("MPI failed: \(text(code))") }
        }

        private static func text(_ code: Int32) -> String {
            var bytes = [CChar](repeating: 0, count: 512)
            mpc_explain(code, &bytes, Int32(bytes.count))
            let text = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return text.isEmpty ? "error \(code)" : text
        }
    #else
        /// Says that this program was built without MPI.
        ///
        /// - Throws: ``RecurrentCore/RecurrentError/backend(_:)`` in any case.
        public init() throws {
            throw RecurrentError.backend(
                "this program was built without MPI, so its copies can't train together; build it with swift build --traits MPI, or start it without mpirun"
            )
        }

        public func finish() {}
        public func makeExchange(
            sent: [[UnsafeRawBufferPointer]], received: [[UnsafeMutableRawBufferPointer]]
        ) throws -> any Exchange { preconditionFailure("built without MPI") }
        public func allGather(_ bytes: [UInt8]) throws -> [[UInt8]] { preconditionFailure("built without MPI") }
        public func abort(status: Int32) -> Never { exit(status) }
    #endif
}

#if MPI
    /// A prepared `MPI_Alltoallw`, whose types hold the addresses.
    private final class MPIExchange: Exchange {
        private let communicator: MPICommunicator
        private let exchange: OpaquePointer
        private let count: Int

        init(
            _ communicator: MPICommunicator, _ sent: [[UnsafeRawBufferPointer]],
            _ received: [[UnsafeMutableRawBufferPointer]]
        ) throws {
            self.communicator = communicator
            let own = communicator.rank
            let sent = sent.enumerated().map { $0 == own ? [] : $1 }
            let received = received.enumerated().map { $0 == own ? [] : $1 }
            count = sent.joined().reduce(0) { $0 + $1.count }
            func piece(_ base: UnsafeRawPointer?, _ count: Int) -> mpc_piece {
                mpc_piece(base: UnsafeMutableRawPointer(mutating: base), count: count)
            }
            var made: OpaquePointer?
            try MPICommunicator.check(
                mpc_exchange_make(
                    Int32(sent.count), sent.joined().map { piece($0.baseAddress, $0.count) },
                    sent.map { Int32($0.count) }, received.joined().map { piece($0.baseAddress, $0.count) },
                    received.map { Int32($0.count) }, &made))
            exchange = made!
        }

        deinit { mpc_exchange_free(exchange) }

        func run() throws {
            try MPICommunicator.check(mpc_exchange_run(exchange))
            communicator.didSend(count)
        }
    }
#endif
