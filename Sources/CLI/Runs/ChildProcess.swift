import Foundation
import RecurrentCore

/// A process that this program started, and polls to see whether it has ended.
///
/// Foundation's `Process` is notified of a child's end through a socket on 127.0.0.1; on a machine without a network,
/// where that address may not be up, the notification never comes.
package final class ChildProcess {
    /// How a process ended: with an exit status, or by a signal.
    package enum Ending: Equatable, Sendable {
        case exit(Int32)
        case signal(Int32)
    }

    /// The destination of a child's standard output.
    package enum Output: Equatable {
        /// Discarded, or kept in memory.
        case none, kept
        /// Written to the file at this path, which is created or overwritten.
        case file(String)
    }

    /// Returns the path of a program, looked up in the folders of PATH.
    ///
    /// - Parameters:
    ///   - name: the name of the program.
    ///   - package: the Debian package to suggest; nil if it has the program's name.
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if it isn't installed.
    package static func find(_ name: String, package: String? = nil) throws -> String {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        guard let path = folders.map({ "\($0)/\(name)" }).first(where: FileManager.default.isExecutableFile) else {
            throw RecurrentError.file(
                path: name,
                reason: "this program is needed and isn't installed (Debian, Ubuntu: apt install \(package ?? name))")
        }
        return path
    }

    private let identifier: pid_t
    /// Whether the process leads a group of its own, with the processes that it starts.
    private let leadsGroup: Bool
    /// The read ends of the pipes for the child's standard error, and for its standard output if that is kept.
    private let errors: Int32
    private let output: Int32?
    private var known: Ending?

    /// Starts a program with empty standard input.
    ///
    /// - Parameters:
    ///   - executable: the path of the program.
    ///   - arguments: its arguments.
    ///   - destination: the destination of its standard output.
    ///   - environment: its environment; nil for that of this process.
    ///   - leadsGroup: whether it leads a process group of its own, so that signals also reach what it starts. They then
    ///     come only by ``send(_:)``, not from the terminal.
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if it can't be started.
    package init(
        _ executable: String, _ arguments: [String], output destination: Output = .none,
        environment: [String: String]? = nil, leadsGroup: Bool = false
    ) throws {
        let errors = try Self.pipe(executable), output = destination == .kept ? try Self.pipe(executable) : nil
        defer { for end in [errors.write, output?.write].compactMap({ $0 }) { close(end) } }

        var actions = posix_spawn_file_actions_t(), attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        if let output {
            posix_spawn_file_actions_adddup2(&actions, output.write, STDOUT_FILENO)
        } else if case .file(let path) = destination {
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, errors.write, STDERR_FILENO)
        // The child must not inherit descriptors that other threads have open.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            if let descriptor = Int32(name), descriptor > STDERR_FILENO {
                posix_spawn_file_actions_addclose(&actions, descriptor)
            }
        }
        var blocked = sigset_t(), restored = sigset_t()
        sigemptyset(&blocked)
        sigemptyset(&restored)
        // What this program ignores on its own account, a child doesn't; the system itself restores what is handled here.
        for signal in WriteSignals.ignored { sigaddset(&restored, signal) }
        posix_spawnattr_setsigmask(&attributes, &blocked)
        posix_spawnattr_setsigdefault(&attributes, &restored)
        let group = leadsGroup ? POSIX_SPAWN_SETPGROUP : 0
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | group))

        var words = ([executable] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { $0.map { strdup("\($0)=\($1)") } + [nil] } ?? []
        defer { for word in words + variables { free(word) } }
        func spawn(_ identifier: inout pid_t) -> Int32 {
            guard environment != nil else {
                return posix_spawn(&identifier, executable, &actions, &attributes, &words, environ)
            }
            return posix_spawn(&identifier, executable, &actions, &attributes, &words, &variables)
        }
        var identifier = pid_t()
        var problem = spawn(&identifier)
        // A program that has just been written is busy as long as a child that another thread is starting still holds
        // the inherited descriptor.
        for _ in 0..<100 where problem == ETXTBSY {
            usleep(10_000)
            problem = spawn(&identifier)
        }
        guard problem == 0 else {
            for end in [errors.read, output?.read].compactMap({ $0 }) { close(end) }
            throw Self.failure(executable, problem)
        }
        (self.identifier, self.errors, self.output) = (identifier, errors.read, output?.read)
        self.leadsGroup = leadsGroup
    }

    deinit { for end in [errors, output].compactMap({ $0 }) { close(end) } }

    /// Runs a program to its end, and returns what it writes.
    ///
    /// - Throws: ``RecurrentCore/RecurrentError/file(path:reason:)`` if it can't be started.
    package static func run(_ executable: String, _ arguments: [String]) throws -> (
        ending: Ending, output: String, errors: String
    ) {
        let child = try ChildProcess(executable, arguments, output: .kept)
        var output: [UInt8] = [], errors: [UInt8] = []
        while true {
            let ending = child.ending
            output += Self.drain(child.output!)
            errors += Self.drain(child.errors)
            if let ending {
                return (ending, String(decoding: output, as: UTF8.self), String(decoding: errors, as: UTF8.self))
            }
            usleep(2000)
        }
    }

    /// Creates a pipe whose read end doesn't block: its end may never come, as the child's own children may outlive the
    /// child, but all of the child's output is there when it has ended.
    private static func pipe(_ executable: String) throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Foundation.pipe(&ends) == 0 else { throw failure(executable, errno) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        return (ends[0], ends[1])
    }

    private static func failure(_ executable: String, _ error: Int32) -> RecurrentError {
        .file(path: executable, reason: "can't be started: \(String(cString: strerror(error)))")
    }

    /// How the process ended; nil while it runs.
    package var ending: Ending? {
        if known == nil {
            var status: Int32 = 0
            let ended = waitpid(identifier, &status, WNOHANG)
            // If something else has already waited for the process, its status is lost.
            if ended < 0, errno != EINTR { known = .exit(-1) }
            if ended == identifier { known = status & 0x7F == 0 ? .exit(status >> 8 & 0xFF) : .signal(status & 0x7F) }
        }
        return known
    }

    /// Sends the process a signal, and those of its group if it leads one, unless it has ended.
    package func send(_ signal: Int32) { if ending == nil { kill(leadsGroup ? -identifier : identifier, signal) } }

    /// Whether the process leads a group of which something still runs, although it may have ended itself.
    package var groupIsAlive: Bool { leadsGroup && kill(-identifier, 0) == 0 }

    /// Waits for the process to end.
    package func wait() -> Ending {
        while true {
            if let ending { return ending }
            usleep(5000)
        }
    }

    /// Returns what the process has written to its standard error since the last call.
    package func readErrors() -> String { String(decoding: Self.drain(errors), as: UTF8.self) }

    private static func drain(_ descriptor: Int32) -> [UInt8] {
        var bytes: [UInt8] = [], buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
    }
}
