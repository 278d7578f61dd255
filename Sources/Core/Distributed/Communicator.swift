/// A group of processes that train one model together.
///
/// Each process is a rank. A run that is divided into shards gives the same bits at any number of ranks, so a
/// communicator only moves bytes: what it carries is added up by Core, in an order that doesn't depend on the ranks.
///
/// All ranks call the same methods in the same order; a rank that waits for others which never call is a programming
/// error. A rank that fails calls ``abort(status:)``, which ends the others.
public protocol Communicator: AnyObject, Sendable {
    /// What carries the bytes, for messages, such as "Open MPI 4.1.4".
    var name: String { get }
    /// The number of this process, from 0.
    var rank: Int { get }
    /// The number of processes.
    var size: Int { get }
    /// The number of this process among those on the same machine, from 0, by which it chooses a device.
    var localRank: Int { get }
    /// The number of processes on the same machine, which share its processors.
    var localSize: Int { get }
    /// The number of bytes that this rank has sent to others so far.
    var bytesSent: Int { get }

    /// Prepares an exchange between all ranks, which can be run many times.
    ///
    /// - Parameters:
    ///   - sent: for each rank, the places in memory whose bytes it gets; they must last as long as the exchange. What
    ///     this rank would send itself is ignored.
    ///   - received: for each rank, the places where the bytes from it go, as many as it sends.
    /// - Throws: ``RecurrentError/device(_:)`` if it can't be prepared.
    func makeExchange(sent: [[UnsafeRawBufferPointer]], received: [[UnsafeMutableRawBufferPointer]]) throws
        -> any Exchange

    /// Gives every rank the bytes of all ranks, which may be of different lengths.
    ///
    /// - Returns: the bytes of each rank, by its number.
    /// - Throws: ``RecurrentError/device(_:)`` if they can't be sent.
    func allGather(_ bytes: [UInt8]) throws -> [[UInt8]]

    /// Ends all ranks at once.
    ///
    /// - Parameter status: the exit status.
    func abort(status: Int32) -> Never
}

/// A communicator that a program takes part in if a launcher, such as `mpirun`, has started several copies of it.
public protocol CommunicatorPlugin: Communicator {
    /// Whether the launcher has started this process together with others.
    static var isLaunched: Bool { get }
    /// The number that the launcher gave this process, by which one of them reports that ``init()`` failed.
    static var launchedRank: Int { get }
    /// Returns whether a launcher sets a variable of the environment to tell a process its place among the others.
    ///
    /// A process that one of them starts doesn't inherit it, since it has no such place. By default, no variable is one.
    static func isOfLauncher(_ variable: String) -> Bool
    /// Joins the other processes.
    ///
    /// - Throws: ``RecurrentError/backend(_:)`` if it can't.
    init() throws
    /// Leaves the other processes, in order, before the program ends.
    func finish()
}

extension CommunicatorPlugin {
    public static func isOfLauncher(_ variable: String) -> Bool { false }
}

/// A prepared exchange of bytes between all ranks.
public protocol Exchange: AnyObject {
    /// Sends and receives; when it returns, all bytes have arrived.
    ///
    /// - Throws: ``RecurrentError/device(_:)`` if they can't be sent.
    func run() throws
}

/// The communicator of a process that trains alone.
public final class OneRank: Communicator {
    /// Creates the communicator.
    public init() {}
    public var name: String { "one process" }
    public var rank: Int { 0 }
    public var size: Int { 1 }
    public var localRank: Int { 0 }
    public var localSize: Int { 1 }
    public var bytesSent: Int { 0 }

    public func makeExchange(
        sent: [[UnsafeRawBufferPointer]], received: [[UnsafeMutableRawBufferPointer]]
    ) -> any Exchange { Nothing() }
    public func allGather(_ bytes: [UInt8]) -> [[UInt8]] { [bytes] }
    public func abort(status: Int32) -> Never { preconditionFailure("one process has no others to end") }

    private final class Nothing: Exchange { func run() {} }
}

extension Communicator {
    /// Gives every rank the numbers of all ranks.
    func allGather(_ numbers: [Double]) throws -> [[Double]] {
        guard size > 1 else { return [numbers] }
        let bytes = numbers.withUnsafeBytes { Array($0) }
        return try allGather(bytes).map { bytes in
            bytes.withUnsafeBytes { bytes in
                (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self) }
            }
        }
    }
}

/// A few numbers of each rank that all ranks get again and again, without allocating anything.
final class SharedNumbers {
    private let own: UnsafeMutableBufferPointer<Double>
    private let all: UnsafeMutableBufferPointer<Double>
    private let exchange: any Exchange
    private let rank: Int

    /// Prepares the exchange of `count` numbers from each rank.
    init(_ count: Int, _ communicator: any Communicator) throws {
        let ranks = 0..<communicator.size
        own = .allocate(capacity: count)
        all = .allocate(capacity: count * ranks.count)
        own.initialize(repeating: 0)
        all.initialize(repeating: 0)
        rank = communicator.rank
        exchange = try communicator.makeExchange(
            sent: ranks.map { [own] _ in [UnsafeRawBufferPointer(own)] },
            received: ranks.map { [all] in
                [
                    UnsafeMutableRawBufferPointer(
                        UnsafeMutableBufferPointer(rebasing: all[$0 * count..<($0 + 1) * count]))
                ]
            })
    }

    deinit {
        own.deallocate()
        all.deallocate()
    }

    /// Returns the numbers of all ranks, rank by rank, given those of this one.
    func gather(_ numbers: some Collection<Double>) throws -> UnsafeBufferPointer<Double> {
        for (index, number) in numbers.enumerated() {
            own[index] = number
            all[rank * own.count + index] = number
        }
        try exchange.run()
        return UnsafeBufferPointer(all)
    }
}
