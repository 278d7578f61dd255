import Foundation
import RecurrentCore
import Testing

/// Signals that end a run so that it can be resumed, and those that don't.
struct InterruptionTests {
    private static let endless = [
        "--length", "20", "--train-size", "2000", "--epochs", "100000", "--stop-loss", "1e-30", "--hidden-size", "10",
    ]

    /// A run whose output is read line by line.
    private final class Watched {
        let process: Process
        private let output: FileHandle
        private(set) var text = ""

        init(_ arguments: [String], ignoring: String = "") throws {
            let (process, output, _) = Tool.process(arguments)
            process.useShell("trap '' \(ignoring); exec \"$@\"")
            self.process = process
            self.output = output.fileHandleForReading
            try process.run()
        }

        /// Reads until the text occurs.
        func read(until part: String) {
            while !text.contains(part) {
                let data = output.availableData
                if data.isEmpty { break }
                text += String(decoding: data, as: UTF8.self)
            }
        }

        /// Reads to the end, and returns the exit status; minus the signal, if one ended the process.
        func end() -> Int32 {
            text += String(decoding: output.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        }
    }

    /// A closed terminal sends SIGHUP, and so does its shell; a wrapper such as `timeout` sends SIGINT to its child and to
    /// the whole group, within milliseconds.
    @Test(arguments: [SIGTERM, SIGHUP, SIGINT]) func theSameSignalMayComeTwice(signal: Int32) throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        let watched = try Watched(Self.endless + ["--output", run])
        watched.read(until: "epoch 1 ")
        for _ in 0..<2 {
            kill(watched.process.processIdentifier, signal)
            usleep(200)
        }
        #expect(watched.end() == 130)
        #expect(watched.text.hasSuffix("saved in \(run); resume it with: train --resume \(run)\n"), "\(watched.text)")
    }

    /// Ctrl-\ ends the program as it ends any other; Swift's runtime would print a backtrace, and go on.
    @Test func quitEndsAtOnce() throws {
        let watched = try Watched(Self.endless)
        watched.read(until: "epoch 1 ")
        kill(watched.process.processIdentifier, SIGQUIT)
        #expect(watched.end() == -SIGQUIT)
        #expect(!watched.text.contains("racing"), "\(watched.text)")
    }

    /// Nothing more is saved then, but the last checkpoint is there.
    @Test func aLaterSecondInterruptionEndsAtOnce() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        // After the second batch, validation takes long, and isn't interrupted.
        let slow =
            "--length 60 --hidden-size 500 --train-size 20 --batch-size 10 --checkpoint-every 1 --valid-size 10000 --test-size 10"
        let watched = try Watched(slow.split(separator: " ").map(String.init) + ["--output", run])
        while !FileManager.default.fileExists(atPath: run + "/state.safetensors"), watched.process.isRunning {
            usleep(5000)
        }
        for _ in 0..<2 {
            usleep(600_000)
            kill(watched.process.processIdentifier, SIGINT)
        }
        #expect(watched.end() == 130 && !watched.text.contains("saved in"), "\(watched.text)")

        let resumed = try Watched(["train", "--resume", run])
        resumed.read(until: "\n")
        #expect(resumed.text.hasPrefix("resumed after step 1\n"), "\(resumed.text)")
        kill(resumed.process.processIdentifier, SIGKILL)
        _ = resumed.end()
    }

    @Test func aRunUnderNohupContinues() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        let watched = try Watched(Self.endless + ["--output", run], ignoring: "HUP")
        watched.read(until: "epoch 1 ")
        kill(watched.process.processIdentifier, SIGHUP)
        // The batch at which the run would end is in the next epoch at the latest.
        watched.read(until: "epoch 4 ")
        #expect(watched.text.contains("epoch 4 ") && !watched.text.contains("interrupted"))
        kill(watched.process.processIdentifier, SIGTERM)
        #expect(watched.end() == 130)
    }

    /// Only the search gets the signal, as from `kill`; its runs, which have no terminal in common with it, must end too.
    @Test func aSearchEndsSoonAndContinues() throws {
        let folder = try TemporaryFolder()
        let results = folder.file("results"),
            search = ["search", "--try", "learning-rate=0.01,0.001", "--output", results]
        let watched = try Watched(search + ["--"] + Self.endless)
        let state = results + "/runs/learning-rate=0.01/seed1/state.safetensors"
        while !FileManager.default.fileExists(atPath: state), watched.process.isRunning { usleep(10_000) }
        let clock = ContinuousClock(), start = clock.now
        kill(watched.process.processIdentifier, SIGINT)
        #expect(watched.end() == 130)
        #expect(clock.now - start < .seconds(8))
        #expect(watched.text.hasSuffix("interrupted; give the same command again to continue\n"), "\(watched.text)")
        let end = try String(
            contentsOfFile: results + "/runs/learning-rate=0.01/seed1/end.json", encoding: .utf8)
        #expect(end.contains("interrupted"))

        let report = try Tool(search + ["--report-only", "--"] + Self.endless)
        #expect(
            report.status == 1 && report.errors.contains("no run of this search is finished yet"), "\(report.errors)")
        let other = try Tool(["search", "--try", "learning-rate=0.5", "--output", results, "--report-only"])
        #expect(other.status == 1 && other.errors.contains("has no runs of this search"), "\(other.errors)")
    }

    /// What was finished before the interruption isn't trained again.
    @Test func anInterruptedSearchKeepsFinishedPoints() throws {
        let folder = try TemporaryFolder(), results = folder.file("results"), runs = results + "/runs"
        let search =
            ["search", "--try", "epochs=1,100000", "--output", results, "--"]
            + "--length 4 --train-size 200 --valid-size 50 --test-size 50 --hidden-size 8 --stop-loss 1e-30".split(
                separator: " "
            ).map(String.init)
        var finished: Data?
        for isAgain in [false, true] {
            let watched = try Watched(search)
            watched.read(until: isAgain ? "1 of 2 runs were finished before\n" : "[1/2] epochs=1 seed 1")
            #expect(watched.text.contains("finished before") == isAgain)
            while !FileManager.default.fileExists(atPath: runs + "/epochs=100000/seed1/state.safetensors") {
                usleep(5000)
            }
            kill(watched.process.processIdentifier, SIGINT)
            #expect(watched.end() == 130)
            let metrics = FileManager.default.contents(atPath: runs + "/epochs=1/seed1/metrics.jsonl")
            #expect(metrics != nil && (finished == nil || finished == metrics))
            finished = metrics
        }
    }

    /// A test in the middle of a run would be one too many once the run is resumed.
    @Test func anInterruptedRunHasNoTestInItsEventFiles() throws {
        let folder = try TemporaryFolder(), run = folder.file("run")
        let watched = try Watched(Self.endless + ["--output", run, "--tensorboard"])
        watched.read(until: "epoch 1 ")
        kill(watched.process.processIdentifier, SIGINT)
        #expect(watched.end() == 130)
        #expect(try TensorBoardTests.scalars(run)["loss/test"] == nil)
        let epochs = try metrics(run).compactMap { $0["epoch"] as? Int }.max()! + 1
        #expect(try Tool(["train", "--resume", run, "--epochs", "\(epochs)", "--quiet"]).status == 0)
        #expect(try TensorBoardTests.scalars(run)["loss/test"]?.map(\.step) == [20 * epochs])
    }
}
