import Foundation
import Synchronization

/// The handling of Ctrl-C and SIGTERM: the first signal asks a run to stop after its batch, and a second one ends the
/// program at once.
enum Interruption {
    private static let requested = Atomic<Bool>(false)

    /// Whether a signal has been received.
    static var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// Installs the signal handlers.
    static func install() {
        // The program that started this one may have left the signals blocked.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                if Interruption.requested.exchange(true, ordering: .relaxed) { _exit(128 + number) }
            }
        }
    }
}
