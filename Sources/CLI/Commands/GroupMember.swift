import ArgumentParser
import RecurrentCore
import RecurrentRuns

/// This process as one of several that a launcher such as `mpirun` has started.
///
/// All do the same, but only the first prints. Those that end with it, because an option is wrong or the run has diverged,
/// leave the exit status to it: launchers end the others as soon as one process fails.
enum GroupMember {
    /// Runs a command in the group that this process was started in, and returns the exit status.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/backend(_:)`` if it can't join the others.
    static func run(_ registry: Registry, _ command: () -> Int32) throws -> Int32 {
        guard let type = registry.communicators.first(where: { $0.isLaunched }) else { return command() }
        Terminal.isSilent.store(type.launchedRank != 0, ordering: .relaxed)
        let communicator = try type.init()
        Terminal.isSilent.store(communicator.rank != 0, ordering: .relaxed)
        if communicator.size > 1 { Terminal.isPlain.store(!Terminal.isOutputOfParent, ordering: .relaxed) }
        let status = ProcessGroup.$communicator.withValue(communicator, operation: command)
        communicator.finish()
        return communicator.rank == 0 ? status : 0
    }

    /// Returns what the arguments ask for, which must be the same for all processes, and one that they can share.
    static func agree(_ request: () throws -> CommandLineTool.Request) throws -> CommandLineTool.Request {
        let communicator = ProcessGroup.communicator
        guard communicator.size > 1 else { return try request() }
        let own = try ProcessGroup.together {
            do { return try request() } catch let error where !(error is RecurrentError) {
                throw RecurrentError.invalidOption(CommandLineTool.message(error))
            }
        }
        let names = try communicator.allGather(Array(own.name.utf8)).map { String(decoding: $0, as: UTF8.self) }
        try ProcessGroup.together {
            if let other = names.indices.first(where: { names[$0] != names[0] }) {
                throw RecurrentError.invalidOption(
                    "rank \(other) was started with \(names[other]), rank 0 with \(names[0]); start all ranks with the same command"
                )
            }
            if case .command(let command) = own, !(command is TrainCommand) {
                throw RecurrentError.invalidOption(
                    "only train runs on \(communicator.size) ranks; start \(own.name) by itself")
            }
        }
        return own
    }

    /// Does what several processes do together; if it fails in one, that ends them all.
    static func untilFailure<Result>(_ body: () throws -> Result) throws -> Result {
        let communicator = ProcessGroup.communicator
        do { return try body() } catch let error where communicator.size > 1 && !(error is GroupFailure) {
            Terminal.isSilent.store(false, ordering: .relaxed)
            communicator.abort(status: CommandLineTool.report(error, from: communicator.rank))
        }
    }

    /// Prints an error if it happened in this process.
    static func complain(_ line: String, from rank: Int) {
        guard ProcessGroup.communicator.rank == rank else { return }
        Terminal.isSilent.store(false, ordering: .relaxed)
        Terminal.complain(line)
    }
}

extension CommandLineTool.Request {
    /// The name of the command, for messages.
    fileprivate var name: String {
        switch self {
        case .text: "--help or --version"
        case .command(let command): type(of: command).configuration.commandName ?? "another command"
        }
    }
}
