import Foundation
import MPICommunicator
import RecurrentCore
import Testing

/// `mpirun` with the built program, as a user runs it; without the trait MPI, the program refuses it.
struct MPITests {
    /// How a command ended.
    struct Outcome {
        let status: Int32
        let output: String
        /// What the program printed on standard error, without what `mpirun` adds.
        let errors: [String]
    }

    /// A folder that is removed after the test.
    final class Folder {
        let path = NSTemporaryDirectory() + "ranks-\(UUID().uuidString)"
        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }
        func file(_ name: String) -> String { path + "/" + name }
    }

    private static let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appendingPathComponent("cli").path

    private static func start(_ command: [String], environment: [String: String] = [:]) throws -> (Process, Pipe, Pipe)
    {
        let process = Process(), output = Pipe(), errors = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // A program that hangs is a failure.
        process.arguments = ["timeout", "60"] + command
        process.environment = ProcessInfo.processInfo.environment.merging(
            // Open MPI otherwise refuses root, whom containers run as, and more ranks than processors.
            [
                "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                "OMPI_MCA_rmaps_base_oversubscribe": "1",
            ]
        ) { $1 }.merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return (process, output, errors)
    }

    private static func outcome(_ started: (process: Process, output: Pipe, errors: Pipe)) -> Outcome {
        let output = String(decoding: started.output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let errors = String(decoding: started.errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        started.process.waitUntilExit()
        return Outcome(
            status: started.process.terminationStatus, output: output,
            errors: errors.split(separator: "\n").map(String.init).filter { $0.hasPrefix("error: ") })
    }

    private static func mpirun(_ ranks: Int, _ arguments: [String]) throws -> Outcome {
        outcome(try start(["mpirun", "-n", "\(ranks)", program] + arguments))
    }

    @Test func aProcessByItselfIsNotInAGroup() { #expect(!MPICommunicator.isLaunched) }

    #if !MPI
        /// The variables are those of `mpirun`, so that it needn't be installed.
        @Test(arguments: [("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"), ("PMI_SIZE", "PMI_RANK")])
        func aProgramWithoutMPISaysSoOnce(size: String, rank: String) throws {
            for number in 0..<2 {
                let outcome = Self.outcome(
                    try Self.start(
                        [Self.program, "--length", "5", "--epochs", "1"], environment: [size: "2", rank: "\(number)"]))
                #expect(outcome.status == 2 && outcome.output.isEmpty)
                #expect(outcome.errors.count == (number == 0 ? 1 : 0))
                if number == 0 { #expect(outcome.errors[0].contains("swift build --traits MPI")) }
            }
        }
    #else
        /// As under the `mpirun` of an MPI that the program wasn't built with.
        @Test func processesThatDontFindEachOtherSaySoOnce() throws {
            for number in 0..<2 {
                let outcome = Self.outcome(
                    try Self.start(
                        [Self.program, "--length", "5", "--epochs", "1"],
                        environment: ["PMI_SIZE": "2", "PMI_RANK": "\(number)"]))
                #expect(outcome.status == 2 && outcome.output.isEmpty)
                #expect(outcome.errors.count == (number == 0 ? 1 : 0))
                if number == 0 { #expect(outcome.errors[0].contains("2 processes were started")) }
            }
        }

        private static let recall = [
            "--length", "8", "--train-size", "200", "--valid-size", "60", "--test-size", "50", "--batch-size", "40",
            "--hidden-size", "20", "--epochs", "2", "--shards", "4", "--threads", "1", "--quiet",
        ]

        private static func corpus(in folder: Folder, epochs: Int = 2) throws -> [String] {
            for (name, count) in [("train", 1500), ("valid", 300), ("test", 300)] {
                let text = (0..<count).map { "w\($0 * $0 % 37) w\($0 % 11)" + ($0 % 5 == 0 ? "\n" : " ") }.joined()
                try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: folder.file("ptb.\(name).txt")))
            }
            return [
                "--dataset", "ptb", "--data", folder.path, "--bptt", "7", "--embedding-size", "16", "--hidden-size",
                "16", "--batch-size", "8", "--evaluation-batch-size", "4", "--epochs", "\(epochs)", "--cell", "ugru",
                "--tied",
                "--layers", "2", "--dropout", "0.2", "--dropout-on", "embedding,output,logits", "--weight-dropout",
                "0.2", "--clip-norm", "1", "--optimizer", "adamw", "--weight-decay", "0.1", "--shards", "4",
                "--threads", "1", "--checkpoint-every", "5", "--quiet",
            ]
        }

        /// Returns what two runs must have in common: the weights as a file, and the state's tensors.
        private static func bits(_ run: String) throws -> [Data] {
            let state = try SafeTensors(path: run + "/state.safetensors")
            return [try Data(contentsOf: URL(fileURLWithPath: run + "/model.safetensors"))]
                + (try state.tensors.map { Data($0.name.utf8) + Data(try state.bytes($0.name)) })
        }

        @Test(arguments: ["rnn", "urnn", "gru", "ugru", "lstm", "mingru", "corpus"]) func ranksGiveTheBitsOfOneProcess(
            what: String
        )
            throws
        {
            let folder = try Folder()
            let options = what == "corpus" ? try Self.corpus(in: folder) : Self.recall + ["--cell", what]
            let alone = Self.outcome(try Self.start([Self.program] + options + ["--output", folder.file("alone")]))
            try #require(alone.status == 0, "\(alone.errors)")
            for ranks in [2, 4] {
                let run = folder.file("\(ranks)")
                let outcome = try Self.mpirun(ranks, options + ["--output", run])
                try #require(outcome.status == 0, "\(outcome.errors)")
                let isSame = try Self.bits(run) == Self.bits(folder.file("alone"))
                #expect(isSame, "\(ranks) ranks")
            }
        }

        /// A run that starts from other weights is saved before its first step, by all ranks together.
        @Test func aRunFromOtherWeightsIsTheSame() throws {
            let folder = try Folder(), source = folder.file("source")
            try #require(
                Self.outcome(try Self.start([Self.program] + Self.corpus(in: folder) + ["--output", source])).status
                    == 0)
            func from(_ run: String) -> [String] {
                ["train", "--from", source, "--output", folder.file(run), "--epochs", "1", "--quiet"]
            }
            let alone = Self.outcome(try Self.start([Self.program] + from("alone")))
            let ranks = try Self.mpirun(4, from("ranks"))
            try #require(alone.status == 0 && ranks.status == 0, "\(alone.errors) \(ranks.errors)")
            let isSame = try Self.bits(folder.file("ranks")) == Self.bits(folder.file("alone"))
            #expect(isSame)
        }

        /// Returns the processes that train a run, without those that have started them.
        private static func ranks(of run: String) -> [pid_t] {
            let numbers =
                (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { pid_t($0) } ?? []
            return numbers.filter { number in
                let words = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(number)/cmdline")))?.split(
                    separator: 0)
                return words?.first?.elementsEqual(program.utf8) == true
                    && words?.contains { $0.elementsEqual(run.utf8) } == true
            }
        }

        /// A rank that is killed takes the others down; the run goes on at another number of ranks.
        @Test(arguments: [1, 2]) func aRunWhoseRankDiedGoesOn(ranks: Int) throws {
            let folder = try Folder(), whole = folder.file("whole"), run = folder.file("run")
            let options = try Self.corpus(in: folder, epochs: 8)
            try #require(Self.outcome(try Self.start([Self.program] + options + ["--output", whole])).status == 0)
            let started = try Self.start(["mpirun", "-n", "4", Self.program] + options + ["--output", run])
            // Once it has been saved, a rank is killed wherever it is.
            while started.0.isRunning, !FileManager.default.fileExists(atPath: run + "/state.safetensors") {
                usleep(2000)
            }
            let killed = Self.ranks(of: run).randomElement().map { kill($0, SIGKILL) }
            let outcome = Self.outcome(started)
            try #require(killed == 0 && outcome.status != 0, "no rank was killed while the run went on")
            let resumed = try Self.mpirun(ranks, ["train", "--resume", run, "--quiet"])
            try #require(resumed.status == 0, "\(resumed.errors)")
            let isSame = try Self.bits(run) == Self.bits(whole)
            #expect(isSame)
        }

        /// One line, from one rank, and the status of a wrong option.
        @Test(arguments: [
            (3, ["--shards", "4"], "3 ranks can't share --shards 4 evenly; start 1, 2 or 4"),
            (2, ["--batch-size", "40"], "2 ranks can't share --shards 1 evenly; start only one, or choose --shards 2"),
            (2, ["--shards", "6"], "--shards must be a power of two that divides --batch-size 100, at most 4, not 6"),
            (2, ["--cell", "qrnn"], "qrnn"), (2, ["evaluate", "run"], "only train runs on 2 ranks"),
            (2, ["--resume", "/nowhere"], "/nowhere"),
        ])
        func mistakesAreSaidOnce(ranks: Int, arguments: [String], says: String) throws {
            let outcome = try Self.mpirun(ranks, arguments)
            #expect(outcome.errors.count == 1 && outcome.errors[0].contains(says), "\(outcome.errors)")
            #expect(outcome.status == (says == "/nowhere" ? 1 : 2) && outcome.output.isEmpty)
        }

        /// Also those that are tracked: TensorBoard's norm of the gradients is measured by all ranks together.
        @Test(arguments: [
            (["--layers", "2"], "--layers 2, rank 0 with 1"),
            (["--tensorboard"], "--tensorboard true, rank 0 with false"),
            (["--output", "OTHER"], "--output OTHER, rank 0 with RUN"),
        ])
        func ranksWithOtherOptionsAreRefused(more: [String], says: String) throws {
            let folder = try Folder(), run = folder.file("run")
            let options = Self.recall + ["--output", run, "--overwrite"]
            try #require(Self.outcome(try Self.start([Self.program] + options)).status == 0)
            let before = try Self.files(run)
            func filled(_ text: String) -> String {
                text.replacing("OTHER", with: folder.file("other")).replacing("RUN", with: run)
            }
            let second = (more[0] == "--output" ? Self.recall : options) + more.map(filled)
            let outcome = Self.outcome(
                try Self.start(
                    ["mpirun", "-n", "1", Self.program] + options + [":", "-n", "1", Self.program] + second))
            #expect(outcome.status == 2)
            #expect(
                outcome.errors == [
                    "error: rank 1 was started with \(filled(says)); start all ranks with the same options"
                ])
            let isUntouched = try Self.files(run) == before
            #expect(isUntouched)
        }

        /// The files of a run.
        private static func files(_ run: String) throws -> [String: Data] {
            try FileManager.default.contentsOfDirectory(atPath: run).reduce(into: [:]) {
                $0[$1] = try Data(contentsOf: URL(fileURLWithPath: run + "/" + $1))
            }
        }

        /// A run isn't resumed, and stays as it is, with other options, data or commands on one rank.
        @Test(arguments: [
            (["--epochs", "3", "--learning-rate", "0.05"], "--learning-rate 0.05, rank 0 with 0.001"),
            (["--epochs", "3", "--data", "other"], "reads other data than rank 0"),
            (["list"], "rank 1 was started with list, rank 0 with train"),
            (["--version"], "rank 1 was started with --help or --version, rank 0 with train"),
            (["--epochs", "three"], "--epochs must be a whole number"),
        ])
        func aRunIsResumedByRanksThatAreAlike(other: [String], says: String) throws {
            let folder = try Folder(), run = folder.file("run"), data = folder.file("other")
            let options = try Self.corpus(in: folder)
            try #require(Self.outcome(try Self.start([Self.program] + options + ["--output", run])).status == 0)
            try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
            for split in ["train", "valid", "test"] {
                let text = try String(contentsOfFile: folder.file("ptb.\(split).txt"), encoding: .utf8)
                // One word in the middle of what is read last.
                let words = text.split(separator: " ", omittingEmptySubsequences: false)
                let changed = words.enumerated().map { $0 == 150 && split == "test" ? "w1" : $1 }
                #expect(words[150] != "w1")
                try changed.joined(separator: " ").write(
                    toFile: data + "/ptb.\(split).txt", atomically: true, encoding: .utf8)
            }
            let before = try Self.files(run), resume = ["--resume", run, "--epochs", "3", "--quiet"]
            let more = other.map { $0 == "other" ? data : $0 }
            let second = other.first == "--epochs" ? ["--resume", run, "--quiet"] + more : more
            let outcome = Self.outcome(
                try Self.start(
                    ["mpirun", "-n", "1", Self.program] + resume + [":", "-n", "1", Self.program] + second))
            #expect(outcome.status != 0 && outcome.output.isEmpty)
            #expect(outcome.errors.count == 1 && outcome.errors[0].contains(says), "\(outcome.errors)")
            let isUntouched = try Self.files(run) == before
            #expect(isUntouched)
        }
    #endif
}
