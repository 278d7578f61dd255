import Foundation
import Synchronization

/// Runs `body` on a thread with a call stack of 512 KiB, that of secondary threads on macOS,
/// waits for its end, and returns or throws what it does.
package func withSmallStack<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
    let outcome = Mutex<Swift.Result<Result, any Error>?>(nil)
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
        let result = Swift.Result { try body() }
        outcome.withLock { $0 = result }
        done.signal()
    }
    thread.stackSize = 512 << 10
    thread.start()
    done.wait()
    return try outcome.withLock { try $0!.get() }
}
