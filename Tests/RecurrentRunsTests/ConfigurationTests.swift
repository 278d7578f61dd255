import BuiltInPlugins
import Foundation
import RecurrentCore
import RecurrentRuns
import Testing

/// A run's configuration as a value that is written, read, compared and shown.
struct ConfigurationTests {
    private let registry = Registry.builtIn

    @Test func partsMayBeLeftOut() throws {
        let text =
            #"{"version": 2, "dataset": {"name": "kth-largest", "k": 3}, "manifold": {"start": {"name": "henaff"}}, "training": {"epochs": 7}}"#
        let read = try RunConfiguration(json: Data(text.utf8), path: "config.json")
        #expect(
            read.dataset == PluginChoice("kth-largest", ["k": 3]) && read.skewInit == "henaff" && read.manifold == nil)
        #expect(read.training.epochs == 7 && read.training.batchSize == 100 && read.seed == 1)
        // A configuration that isn't resolved can be written too.
        #expect(try RunConfiguration(json: Data(read.json()), path: "config.json") == read)
        let resolved = try registry.resolve(read)
        #expect(
            resolved.manifold?.name == "exponential" && resolved.activation == "relu"
                && resolved.dataset["length"] == 100)
    }

    /// Options that a file doesn't contain have its data set's defaults, as on a command line.
    @Test func aPartialFileHasItsDataSetsDefaults() throws {
        let text = #"{"version": 2, "dataset": {"name": "ptb", "data": "/corpus"}, "model": {"hiddenSize": 64}}"#
        let read = try RunConfiguration(json: Data(text.utf8), path: "config.json", registry: registry)
        let flags = try FlagParser(registry: registry).configuration(
            ["--dataset=ptb", "--data=/corpus", "--nhid=64"], locatesData: false)
        #expect(try registry.resolve(read, locatesData: false) == flags && read.training.clipRecurrent == 0.25)
    }

    @Test(arguments: [
        ("{}", "no version"), ("[]", "no JSON object"), (#"{"version": 3}"#, "version 3"),
        (#"{"version": 2, "modle": {}}"#, "'model'"),
        (#"{"version": 2, "model": {"hiddenSiz": 3}}"#, "'hiddenSize'"),
        (#"{"version": 2, "model": {"hiddenSize": 0}}"#, "at least 1"),
        (
            #"{"version": 2, "model": {"hiddenSize": "many"}}"#,
            #""hiddenSize" must be a whole number, not the text "many""#
        ),
        (#"{"version": 2, "model": {"hiddenSize": "1"}}"#, #"not the text "1""#),
        (#"{"version": 2, "model": {"hiddenSize": 1.5}}"#, "a whole number, not 1.5"),
        (
            #"{"version": 2, "model": {"dropoutOn": "output"}}"#,
            #"a list of names (some of embedding, output, logits), not the text "output""#
        ),
        (#"{"version": 2, "cell": {}}"#, #""cell" has no "name""#),
        (#"{"version": 1, "epocs": 3}"#, #"unknown option "epocs"; did you mean 'epochs'?"#),
        (#"{"version": 2, "training": {"learningRate": null}}"#, #""learningRate" must be a number, not null"#),
        (#"{"version": 2, "cell": "urnn"}"#, #""cell" must be an object"#),
        (#"{"version": 2, "seed": -1}"#, #""seed""#), (#"{"version": 1, "epochs": "many"}"#, #""epochs""#),
        (#"{"version": 1, "optimizer": 3}"#, #""optimizer""#),
        (#"{"version": 2, "model": {"dropoutOn": ["input"]}}"#, "embedding"),
    ])
    func whatIsWrongIsNamed(text: String, says: String) {
        let error = #expect(throws: RecurrentError.self) {
            try RunConfiguration(json: Data(text.utf8), path: "config.json")
        }
        #expect(error?.description.contains(says) == true, "\(String(describing: error))")
    }

    /// The width of the output depends on the cell, which only a registry knows.
    @Test(arguments: [("gru", "30 and 50"), ("complex-urnn", "100, not 30")])
    func aTiedEmbeddingFitsTheCell(cell: String, says: String) throws {
        let text = #"{"version": 2, "cell": {"name": "\#(cell)"}, "model": {"tied": true}}"#
        let configuration = try RunConfiguration(json: Data(text.utf8), path: "config.json")
        let error = #expect(throws: RecurrentError.self) {
            try Registry.builtIn.resolve(configuration, locatesData: false)
        }
        #expect(error?.description.contains(says) == true, "\(String(describing: error))")
    }

    @Test func numbersAreReadAsPeopleWriteThem() throws {
        for (value, text) in [
            (1e-4, "0.0001"), (2.5e-05, "0.000025"), (-3e-7, "-0.0000003"), (0.1, "0.1"), (20, "20"), (1e-12, "1e-12"),
            (1.25, "1.25"), (0, "0"),
        ] { #expect(OptionValue.number(value).text == text && Double(text) == value) }
        let choice = try registry.resolve(RunConfiguration(optimizer: PluginChoice("adam", ["beta1": 0])))
        #expect(choice.optimizer["beta1"] == .number(0))
    }

    /// A value is the same after it has been written and read again, also where a Double can't hold what the text says.
    @Test(arguments: [
        "9223372036854775807.9", "18446744073709551615.5", "1e19", "1e300", "-9223372036854775808.5", "-0.0", "2.50",
    ])
    func numbersStayTheSame(text: String) throws {
        let read = try JSONDecoder().decode(OptionValue.self, from: Data(text.utf8))
        #expect(try JSONDecoder().decode(OptionValue.self, from: JSONEncoder().encode(read)) == read)
    }

    /// Differences are described by the options' names, plug-ins first.
    @Test func runsAreComparedByTheirValues() throws {
        var wanted = RunConfiguration(dataset: PluginChoice("copying", ["length": 10]))
        let first = try registry.resolve(wanted)
        wanted.cell = "gru"
        wanted.training.epochs = 3
        wanted.backend = PluginChoice("cpu", ["threads": 2])
        let second = try registry.resolve(wanted)
        #expect(
            first.changes(to: second).map(\.name) == [
                "cell", "activation", "manifold", "skewInit", "epochs", "exponentialMethod", "resetGate", "threads",
            ])
        #expect(first.isSameRun(as: first, registry: registry) && !first.isSameRun(as: second, registry: registry))
        var other = first
        other.backend = PluginChoice("cpu", ["threads": 2])
        other.tracking.trackTest = true
        #expect(first.isSameRun(as: other, registry: registry))
        // Another backend, or rounded products, give different numbers.
        other.backend = "reference"
        #expect(try !first.isSameRun(as: registry.resolve(other), registry: registry))
        other.backend = first.backend
        other.training.epochs = 9
        #expect(
            !first.isSameRun(as: other, registry: registry)
                && first.isSameRun(as: other, except: ["epochs"], registry: registry))
    }

    /// Options that do nothing in a run don't make it another one; in one where they do, they do.
    @Test func idleOptionsMakeNoOtherRun() throws {
        func isSame(_ base: RunConfiguration, _ change: (inout RunConfiguration) -> Void) throws -> Bool {
            var other = base
            change(&other)
            return try registry.resolve(base).isSameRun(as: registry.resolve(other), registry: registry)
        }
        let identity: (inout RunConfiguration) -> Void = { $0.model.recurrentInitialization = .identity }
        #expect(try isSame(RunConfiguration(cell: "urnn"), identity))
        #expect(try !isSame(RunConfiguration(cell: "rnn"), identity))
        let wider: (inout RunConfiguration) -> Void = { $0.model.embeddingSize = 7 }
        #expect(try isSame(RunConfiguration(dataset: "adding"), wider))
        #expect(try !isSame(RunConfiguration(dataset: "recall"), wider))
        let places: (inout RunConfiguration) -> Void = { $0.model.dropoutPlaces = [.output] }
        #expect(try isSame(RunConfiguration(), places))
        var dropped = RunConfiguration()
        dropped.model.dropout = 0.5
        #expect(try !isSame(dropped, places))
        #expect(registry.threadsOption(of: "cpu") == "threads" && registry.threadsOption(of: "reference") == nil)
    }

    /// The command that is shown for a run gives that run.
    @Test(arguments: [
        "--cell ugru --lr 0.003 --reset-gate before --tied --emsize 50",
        "--dataset copying --skew-init zero --clip-norm none --dropout 0.5",
        "--dataset adding --cell gru --optimizer adamw --weight-decay 0.05 --beta2 0.99 --no-fresh-data --schedule step --schedule-epochs 4",
        "--activation leaky-relu --slope 0.25 --manifold cayley --skew-init uniform --skew-scale 0.1 --seed 18446744073709551615",
        "--dataset ptb --data /corpus --bptt 20 --cell RNN --recurrent-init rotations --track-epochs 1,7 --track-gradients 5 --batch_size 7",
        "--backend cuda --tf32 --dropout-on output,embedding --wd 0.1 --model gru --nlayers 2 --nhid 7",
    ])
    func argumentsGiveTheRunAgain(line: String) throws {
        let parser = FlagParser(registry: registry)
        let configuration = try parser.configuration(line.split(separator: " ").map(String.init), locatesData: false)
        let arguments = try registry.arguments(configuration)
        #expect(try parser.configuration(arguments, locatesData: false) == configuration, "\(arguments)")
        #expect(arguments.count <= line.split(separator: " ").count + 5, "\(arguments)")
    }

    /// A run that starts from another has that run's options, also where a flag names another plug-in that has them;
    /// where there is only a file, such a flag brings the defaults.
    @Test func aRunThatStartsFromAnotherKeepsItsOptions() throws {
        let parser = FlagParser(registry: registry)
        func changed(_ line: String, _ flags: String, from: String? = "runs/first") throws -> [String: OptionValue] {
            var base = try parser.configuration(line.split(separator: " ").map(String.init))
            base.from = from
            return try parser.configuration(flags.split(separator: " ").map(String.init), onto: base).values
        }
        for (line, flags, option, kept, usual) in [
            ("--activation tanh", "--cell rnn", "activation", "tanh", "relu"),
            ("--activation leaky-relu --slope 0.3", "--cell rnn", "slope", 0.3, nil),
            ("--cell gru --activation relu", "--cell ugru", "activation", "relu", "tanh"),
            ("--cell gru", "--cell ugru --activation relu", "activation", "relu", "relu"),
            ("--cell gru", "--cell cornn", "activation", nil, nil),
            ("--cell gru --reset-gate before", "--cell ugru", "resetGate", "before", "after"),
            ("--optimizer adam --beta1 0.5", "--optimizer adamw", "beta1", 0.5, 0.9),
            // Adam's default, unlike AdamW's, is none.
            ("--optimizer adam", "--optimizer adamw", "weightDecay", 0.01, 0.01),
            ("--schedule step --schedule-factor 0.5", "--schedule plateau", "scheduleFactor", 0.5, 0.25),
            ("--manifold spectral-margin --base-period 7", "--manifold dynamic-trivialization", "basePeriod", 7, 100),
            ("--dataset recall --train-size 300", "--dataset kth-largest", "trainSize", 300, 10_000),
        ] as [(String, String, String, OptionValue?, OptionValue?)] {
            #expect(try changed(line, flags)[option] == kept, "\(line) \(flags)")
            #expect(try changed(line, flags, from: nil)[option] == usual, "\(line) \(flags)")
        }
        #expect(try changed("--activation leaky-relu --slope 0.3", "--cell rnn --slope 0.1")["slope"] == 0.1)
    }

    @Test func messagesAreTranslated() {
        #expect(
            Flags.translate("`learningRate` must be above `clipNorm`, see `train --output`")
                == "--learning-rate must be above --clip-norm, see `train --output`")
    }
}

/// A line of metrics is read as it was written.
struct MetricsRecordTests {
    @Test(arguments: [
        #"{"accuracy":0.5,"epoch":2,"isBest":true,"loss":1.25,"split":"valid","step":12}"#,
        #"{"epoch":1,"learningRate":0.001,"loss":"Infinity","perplexity":"NaN","seconds":0.5,"sequencesPerSecond":10,"split":"train","step":6}"#,
        #"{"epoch":3,"frobeniusNorm":1.5,"frobeniusNormMinimum":1,"lowerBound":0,"step":19,"upperBound":"Infinity"}"#,
    ])
    func isOneForWriterAndReader(line: String) throws {
        let decoder = JSONDecoder(), encoder = JSONEncoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        encoder.outputFormatting = .sortedKeys
        let record = try decoder.decode(MetricsRecord.self, from: Data(line.utf8))
        #expect(String(decoding: try encoder.encode(record), as: UTF8.self) == line)
    }

    @Test func aTornLineIsLeftOutAndABrokenOneNamed() throws {
        let folder = try TemporaryFolder()
        func write(_ text: String) throws {
            try text.write(toFile: folder.file("metrics.jsonl"), atomically: true, encoding: .utf8)
        }
        try write("{\"epoch\":1,\"step\":2}\n{\"epoch\":2,\"st")
        #expect(
            try MetricsRecord.read(folder.path).map(\.epoch) == [1]
                && MetricsRecord.last(folder.path).map(\.step) == [2])
        try write("{\"epoch\":1,\"step\":2}\nnothing\n")
        let error = #expect(throws: RecurrentError.self) { try MetricsRecord.read(folder.path) }
        #expect(error?.description.contains("line 2") == true)
        #expect(try MetricsRecord.read(folder.file("nowhere")).isEmpty)
    }
}
