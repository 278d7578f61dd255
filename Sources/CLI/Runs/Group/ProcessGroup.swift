import RecurrentCore

/// The processes that train a run together; each of them runs the same command.
public enum ProcessGroup {
    /// The communicator of the group; that of one process, unless a launcher has started several.
    @TaskLocal public static var communicator: any Communicator = OneRank()

    /// Does what may fail in one process and not in another, before they wait for each other.
    ///
    /// - Returns: what `body` returned, if it failed nowhere.
    /// - Throws: what `body` threw, if there is only one process; otherwise, in all of them, the failure of the first.
    package static func together<Result>(_ body: () throws -> Result) throws -> Result {
        guard communicator.size > 1 else { return try body() }
        let result = Swift.Result { try body() }
        var own: [UInt8] = []
        if case .failure(let error) = result { own = failure(error).bytes }
        let all = try communicator.allGather(own)
        guard let first = all.firstIndex(where: { !$0.isEmpty }) else { return try result.get() }
        throw GroupFailure(rank: first, isCommon: all.allSatisfy { $0 == all[first] }, bytes: all[first])
    }

    private static func failure(_ error: any Error) -> GroupFailure {
        GroupFailure(
            rank: communicator.rank, isCommon: true, isOption: (error as? RecurrentError)?.isOptionMistake ?? false,
            message: "\(error)")
    }

    /// Checks that all processes run the same program with the same options on the same data.
    ///
    /// - Parameters:
    ///   - folder: the folder of the run, as it was given.
    ///   - option: the option by which it was given.
    package static func checkAlike(_ run: Run, in folder: String?, by option: String = "output") throws {
        guard communicator.size > 1 else { return }
        let own = try together { try Fingerprint(run, in: folder, by: option) }
        let all = try communicator.allGather(own.bytes).map(Fingerprint.init(bytes:))
        try together {
            guard let other = all.indices.first(where: { all[$0] != all[0] }) else { return }
            throw RecurrentError.invalidOption(try all[other].difference(from: all[0], rank: other))
        }
    }
}

/// The failure of one of several processes.
package struct GroupFailure: Error {
    /// The process that failed, the first if there are several.
    package let rank: Int
    /// Whether all of them failed in the same way.
    package let isCommon: Bool
    /// Whether an option or an argument is wrong.
    package let isOption: Bool
    /// The message, without the process.
    package let message: String
}

extension GroupFailure {
    fileprivate init(rank: Int, isCommon: Bool, bytes: [UInt8]) {
        self.init(
            rank: rank, isCommon: isCommon, isOption: bytes.first == 1,
            message: String(decoding: bytes.dropFirst(), as: UTF8.self))
    }
    fileprivate var bytes: [UInt8] { [isOption ? 1 : 0] + Array(message.utf8) }
}

extension RecurrentError {
    /// Whether an option or an argument is wrong, or a device isn't available.
    package var isOptionMistake: Bool {
        switch self {
        case .unknownName, .invalidOption, .backend: true
        default: false
        }
    }
}
