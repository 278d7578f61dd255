import Foundation
import RecurrentCore
import Synchronization

/// The ways to stop a run so that it can be resumed: Ctrl-C, SIGTERM, SIGHUP (the terminal is closed), and the end of the
/// program that reads the output.
///
/// A second Ctrl-C ends the program at once. The other signals may come several times: a shell passes on the SIGHUP that
/// its runs have received already, and a command that starts runs passes on every signal.
enum Interruption {
    private static let requested = Atomic<Bool>(false), wasPressed = Atomic<Bool>(false)

    /// Whether to stop after the current batch.
    static var isRequested: Bool { requested.load(ordering: .relaxed) || StandardStream.outputHasLostReader }

    /// Installs the signal handlers; a SIGHUP that is ignored, as under `nohup`, remains so.
    static func install() {
        let handled = [SIGINT, SIGTERM] + (WriteSignals.isIgnored(SIGHUP) ? [] : [SIGHUP])
        // The program that started this one may have left the signals blocked.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in handled { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        for number in handled {
            signal(number) { number in
                Interruption.requested.store(true, ordering: .relaxed)
                if number == SIGINT, Interruption.wasPressed.exchange(true, ordering: .relaxed) {
                    _exit(128 + number)
                }
            }
        }
    }
}
