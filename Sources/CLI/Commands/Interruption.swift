import Foundation
import RecurrentCore
import Synchronization

/// The ways to stop a run so that it can be resumed: Ctrl-C, SIGTERM, SIGHUP (the terminal is closed), and the end of the
/// program that reads the output.
///
/// A second Ctrl-C ends the program at once, unless it comes so soon that no one has pressed the keys twice: a wrapper such
/// as `timeout` sends SIGINT to its child and then to the whole group. The other signals may come several times: a shell
/// passes on the SIGHUP that its runs have received already, and a command that starts runs passes on every signal.
enum Interruption {
    private static let requested = Atomic<Bool>(false)
    /// The time of the first Ctrl-C in milliseconds; 0 if there was none.
    private static let firstPress = Atomic<Int>(0)
    /// The milliseconds within which a second Ctrl-C is the same as the first.
    private static let shortestPause = 500

    /// Whether to stop after the current batch.
    static var isRequested: Bool { requested.load(ordering: .relaxed) || StandardStream.outputHasLostReader }

    /// Installs the signal handlers; a SIGHUP that is ignored, as under `nohup`, remains so.
    static func install() {
        let handled = [SIGINT, SIGTERM] + (WriteSignals.isIgnored(SIGHUP) ? [] : [SIGHUP])
        unblock(handled)
        // A handler must not be the first to use a static property, which is initialized under a lock.
        _ = (requested.load(ordering: .relaxed), firstPress.load(ordering: .relaxed))
        for number in handled {
            signal(number) { number in
                Interruption.requested.store(true, ordering: .relaxed)
                if number == SIGINT, Interruption.isSecondPress() { _exit(128 + number) }
            }
        }
    }

    /// Lets signals through that the program which started this one may have left blocked.
    static func unblock(_ numbers: [Int32]) {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in numbers { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// Returns whether a Ctrl-C is a second one; called in a signal handler.
    private static func isSecondPress() -> Bool {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let now = time.tv_sec * 1000 + time.tv_nsec / 1_000_000
        let (isFirst, first) = firstPress.compareExchange(expected: 0, desired: now, ordering: .relaxed)
        return !isFirst && now - first >= shortestPause
    }
}
