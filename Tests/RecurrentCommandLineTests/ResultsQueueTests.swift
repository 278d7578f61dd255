import Foundation
import Testing

/// `scripts/results-queue`, with a script in place of the program.
struct ResultsQueueTests {
    /// A run of six epochs that ends at an interrupt and resumes from there; before each
    /// epoch it waits until the file `allowed` has the epoch's number. It has its own
    /// process group, like the program's runs.
    private static let program = """
        #!/usr/bin/env python3
        import os, pathlib, signal, subprocess, sys, time
        what, options = sys.argv[2], dict(zip(sys.argv, sys.argv[1:]))
        if what == "failing": sys.exit("error: no room left")
        if "--report-only" in sys.argv: sys.exit(pathlib.Path(options["--output"], "report.md").write_text(what) and 0)
        run = pathlib.Path(options["--output"], "runs/short", what, "seed1")
        if "--train" not in sys.argv:
            child = subprocess.Popen([__file__, *sys.argv[1:], "--train"], preexec_fn=os.setpgrp)
            signal.signal(signal.SIGINT, lambda *_: child.send_signal(signal.SIGINT))
            status = child.wait()
            if status == 0: (run / "reproduction.json").write_text('{\\n  "command" : [\\n    "train",\\n    "--data",\\n    "/corpus",\\n    "--epochs"\\n  ]\\n}\\n')
            sys.exit(status)
        stops = []
        signal.signal(signal.SIGINT, lambda *_: stops.append(1))
        run.mkdir(parents=True, exist_ok=True)
        (run / "pid").write_text(str(os.getpid()))
        (run / "config.json").write_text('{\\n  "dataset" : {\\n    "data" : "/corpus",\\n    "name" : "ptb"\\n  },\\n  "training" : {\\n    "epochs" : 6\\n  }\\n}\\n')
        (run / "model.safetensors").write_text("weights")
        (run / "gradients.json").write_text("[]")
        log = run / "metrics.jsonl"
        for epoch in range(log.read_text().count("\\n") + 1 if log.exists() else 1, 7):
            while int(pathlib.Path("allowed").read_text()) < epoch:
                if stops: sys.exit(130)
                time.sleep(0.02)
            with open(log, "a") as file: file.write('{"epoch":%d,"split":"valid"}\\n' % epoch)
        """

    private final class Queue {
        let folder: TemporaryFolder
        private static let script = URL(fileURLWithPath: #filePath).appendingPathComponent(
            "../../../scripts/results-queue"
        ).standardizedFileURL.path

        init(_ list: String) throws {
            folder = try TemporaryFolder()
            try FileManager.default.createDirectory(atPath: folder.file("queue"), withIntermediateDirectories: true)
            try allow(epochs: 6)
            try list.write(toFile: folder.file("list"), atomically: true, encoding: .utf8)
            try ResultsQueueTests.program.write(toFile: folder.file("program"), atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.file("program"))
        }
        /// Nothing may continue without its folder.
        deinit { _ = try? call("stop") }

        func allow(epochs: Int) throws {
            try "\(epochs)".write(toFile: folder.file("queue/allowed"), atomically: true, encoding: .utf8)
        }

        func call(_ what: String) throws -> (status: Int32, output: String, errors: String) {
            let process = Process(), output = Pipe(), errors = Pipe()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments =
                ["python3", Self.script, what, "--folder", folder.file("queue"), "--list", folder.file("list")]
                + ["--program", folder.file("program"), "--results", folder.file("Results")]
            (process.standardOutput, process.standardError, process.standardInput) = (
                output, errors, FileHandle.nullDevice
            )
            try process.run()
            let text = output.fileHandleForReading.readDataToEndOfFile(),
                complaint = errors.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return (
                process.terminationStatus, String(decoding: text, as: UTF8.self),
                String(decoding: complaint, as: UTF8.self)
            )
        }

        /// Returns the status, once it has a matching line or after a minute.
        func status(with line: Regex<Substring>) throws -> String {
            for _ in 0..<300 {
                let text = try call("status").output
                if text.contains(line) { return text }
                Thread.sleep(forTimeInterval: 0.2)
            }
            return try call("status").output
        }

        /// Returns the state of a process, `T` if it is stopped, or nil if there is none.
        func state(of process: String) -> Substring? {
            let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
            return text?.split(separator: ") ").last?.split(separator: " ").first
        }

        /// Runs tar on the file of collected runs, in its folder, and returns the output.
        func tar(_ what: String) throws -> String {
            let process = Process(), output = Pipe()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = [
                "tar", "-C", folder.file("Results/reproduction"), what, folder.file("Results/reproduction/runs.tar.gz"),
            ]
            process.standardOutput = output
            try process.run()
            let text = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return String(decoding: text, as: UTF8.self)
        }

        func read(_ name: String) -> String? { try? String(contentsOfFile: folder.file(name), encoding: .utf8) }
        func epochs(_ what: String) -> Int {
            read("queue/reproduction/runs/short/\(what)/seed1/metrics.jsonl")?.split(separator: "\n").count ?? 0
        }
    }

    private static let list = """
        # In this order.
        cli reproduce failing --output reproduction
        cli reproduce one --seeds 1 --output reproduction # the first

        cli reproduce two --output reproduction
        """

    @Test func pausesStopsAndGoesOn() throws {
        let queue = try Queue(Self.list)
        try queue.allow(epochs: 2)
        #expect(try queue.call("start").status == 0)
        #expect(try queue.call("start").errors.contains("is at work already"))
        #expect(try queue.status(with: /one\/seed1: 2 of 6 epochs/).contains("at work on 2 of 3"))
        let pid = try #require(queue.read("queue/reproduction/runs/short/one/seed1/pid"))

        #expect(try queue.call("pause").output.contains(": paused"))
        #expect(queue.state(of: pid) == "T")
        try queue.allow(epochs: 4)
        Thread.sleep(forTimeInterval: 1)
        #expect(queue.epochs("one") == 2)
        #expect(try queue.call("resume").output.contains(": running"))
        #expect(try queue.status(with: /one\/seed1: 4 of 6 epochs/).contains("4 of 6"))

        // It can also be stopped while it is paused.
        _ = try queue.call("pause")
        let stopped = try queue.call("stop")
        #expect(stopped.status == 0 && stopped.output.contains(": stopped"), "\(stopped)")
        #expect(queue.state(of: pid) == nil && queue.epochs("one") == 4)
        #expect(try queue.call("stop").errors.contains("no queue is at work"))

        try queue.allow(epochs: 6)
        #expect(try queue.call("start").status == 0)
        let end = try queue.status(with: /: stopped/)
        #expect(
            end.contains("finished: 2 of 3 commands, 2 runs") && end.contains("failed: cli reproduce failing"), "\(end)"
        )
        #expect(end.contains("no room left") && queue.epochs("one") == 6 && queue.epochs("two") == 6)
        let commands = try #require(queue.read("queue/finished.txt")).split(separator: "\n").map {
            $0.split(separator: " ").dropFirst(2).joined(separator: " ")
        }
        #expect(
            commands == [
                "cli reproduce one --seeds 1 --output reproduction", "cli reproduce two --output reproduction",
            ])
    }

    /// The collected files contain no weights and no folder of this machine.
    @Test func collectsWhatResultsKeep() throws {
        let queue = try Queue("cli reproduce one --output reproduction\n")
        #expect(try queue.call("start").status == 0)
        #expect(try queue.status(with: /: stopped/).contains("finished: 1 of 1 commands, 1 runs"))
        let collected = try queue.call("collect")
        #expect(collected.status == 0, "\(collected)")
        let run = "Results/reproduction/runs/short/one/seed1"
        // The runs are packed, as Results keep them.
        #expect(!FileManager.default.fileExists(atPath: queue.folder.file("Results/reproduction/runs")))
        let names = try queue.tar("-tzf").split(separator: "\n").filter { $0.contains("/seed1/") && !$0.hasSuffix("/") }
        #expect(names.count == 5)
        _ = try queue.tar("-xzf")
        let files = try FileManager.default.contentsOfDirectory(atPath: queue.folder.file(run)).sorted()
        #expect(files == ["commits.txt", "config.json", "gradients.json", "metrics.jsonl", "reproduction.json"])
        #expect(
            queue.read(run + "/config.json")
                == "{\n  \"dataset\" : {\n    \"data\" : \"$PTB_DIR\",\n    \"name\" : \"ptb\"\n  },\n  \"training\" : {\n    \"epochs\" : 6\n  }\n}\n"
        )
        #expect(queue.read(run + "/reproduction.json")?.contains("\"--data\",\n    \"$PTB_DIR\",\n") == true)
        #expect(queue.read(run + "/commits.txt") == queue.read("queue/program/commit.txt"))
        #expect(queue.read("Results/reproduction/report.md") == "all")

        // Runs that Results have aren't trained again, and are kept when others are added.
        try FileManager.default.removeItem(atPath: queue.folder.file("Results/reproduction/runs"))
        try FileManager.default.removeItem(atPath: queue.folder.file("queue/reproduction"))
        try "cli reproduce two --output reproduction\n".write(
            toFile: queue.folder.file("list"), atomically: true, encoding: .utf8)
        #expect(try queue.call("start").status == 0)
        #expect(try queue.status(with: /: stopped/).contains("finished: 1 of 1 commands"))
        #expect(queue.epochs("one") == 6)
        #expect(try queue.call("collect").output.contains("5 new files"))
        let kept = try queue.tar("-tzf").split(separator: "\n").filter { $0.hasSuffix("metrics.jsonl") }
        #expect(kept == ["runs/short/one/seed1/metrics.jsonl", "runs/short/two/seed1/metrics.jsonl"])

        // Other paths of this machine are refused.
        try "{\"command\" : [\"/corpus\"]}".write(
            toFile: queue.folder.file("queue/reproduction/runs/short/one/seed1/reproduction.json"), atomically: true,
            encoding: .utf8)
        #expect(try queue.call("collect").errors.contains("has a path of this machine"))
    }

    @Test(arguments: [
        ("cli train --output x", "line 1"), ("# why\ncli reproduce one", "line 2"),
        ("cli reproduce one --output ../x", "line 1"),
        ("# why\n\ncli reproduce 'one --output x", "line 3"),
    ])
    func aCommandThatIsNoneIsRefused(list: String, place: String) throws {
        let start = try Queue(list).call("start")
        #expect(start.status == 2 && start.errors.hasPrefix("error: list, \(place)"), "\(start)")
    }

    @Test(arguments: ["pause", "resume", "stop", "status", "collect", "work"])
    func aFolderWithoutAQueueIsRefused(what: String) throws {
        let call = try Queue(Self.list).call(what)
        #expect(call.status == 2 && call.errors.contains("holds no queue"), "\(call)")
        #expect(call.errors.split(separator: "\n").count == 1)
    }
}
