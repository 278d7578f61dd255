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
        let status = ProcessGroup.$communicator.withValue(communicator, operation: command)
        communicator.finish()
        return communicator.rank == 0 ? status : 0
    }

    /// Refuses commands that several processes can't share.
    static func check(_ command: any ParsableCommand.Type) throws {
        let communicator = ProcessGroup.communicator
        guard communicator.size > 1, command != TrainCommand.self else { return }
        throw RecurrentError.invalidOption(
            "only train runs on \(communicator.size) ranks; start \(command.configuration.commandName ?? "this") by itself"
        )
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
