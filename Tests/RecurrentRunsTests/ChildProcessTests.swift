import Foundation
import RecurrentCore
import RecurrentRuns
import Testing

/// Programs that this program starts.
struct ChildProcessTests {
    /// What this program ignores so that a failed write is an error doesn't concern other programs.
    @Test func aChildIgnoresNoSignalOnThisProgramsAccount() throws {
        StandardStream.prepare()
        let (ending, output, _) = try ChildProcess.run("/bin/sh", ["-c", "grep ^SigIgn: /proc/self/status"])
        let bits = try #require(UInt64(output.split(whereSeparator: \.isWhitespace).last ?? "", radix: 16))
        #expect(ending == .exit(0))
        for signal in [SIGPIPE, SIGXFSZ] {
            #expect(WriteSignals.isIgnored(signal))
            // What was ignored from the start, by whoever started these tests, remains so.
            #expect((bits >> UInt64(signal - 1) & 1 == 0) == WriteSignals.ignored.contains(signal))
        }
    }
}
