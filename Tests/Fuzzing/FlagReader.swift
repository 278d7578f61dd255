import BuiltInPlugins
import RecurrentCore
import RecurrentRuns

/// The flags of a command.
///
/// An input that begins with a zero byte chooses among the flags that there are, with values that fit their kinds, because
/// hardly any random text is a flag. Any other input is the flags themselves, one argument per line.
struct FlagReader: FuzzedReader {
    static let name = "flags"
    static let words =
        optionWords + [
            "--cell\n", "--dataset=", "--no-", "--learning-rate\n", "--epochs=", "--tied\n", "--dropout-on=",
            "--hidden-size=", "--activation=", "--manifold=", "--optimizer\n", "--schedule\n", "--clip-norm=",
            "--seed\n",
            "--checkpoint-every=", "--gradient-", "--zoneout=",
        ]
    private let registry = Registry.builtIn
    private let parser = FlagParser(registry: .builtIn)
    private let choices = FlagChoices(registry: .builtIn)
    init(_ folder: ScratchFolder) {}

    var seeds: [[UInt8]] {
        var random = RandomStream(RandomKey(seed: 1, purpose: .test))
        var chosen: [[UInt8]] = []
        while chosen.count < 30 {
            let input = [0] + (0..<PluginKind.allCases.count + 8).map { _ in UInt8(random.integer(below: 256)) }
            if (try? accepts(input)) == true { chosen.append(input) }
        }
        return chosen
            + [
                "--dataset\ncopying\n--cell=gru\n--layers\n2", "--learning-rate=1e-3\n--epochs\n4\n--optimizer\nadamw",
                "--cell\nurnn\n--activation\nmodrelu\n--manifold=cayley\n--skew-init\nhenaff",
                "--dataset=ptb\n--tied\n--embedding-size\n200\n--dropout=0.2\n--dropout-on=embedding,output",
                "--schedule\ncosine\n--warmup-steps=9\n--clip-norm\n1\n--stop-loss=0.1\n--no-fresh-data",
            ].map { Array($0.utf8) }
    }

    func read(_ input: [UInt8]) throws {
        let arguments =
            input.first == 0
            ? choices.arguments(input.dropFirst())
            : String(decoding: input, as: UTF8.self).split(separator: "\n").map(String.init)
        do {
            let configuration = try parser.configuration(arguments, locatesData: false)
            let flags = try registry.arguments(configuration)
            let again = try parser.configuration(flags, locatesData: false)
            try require(again == configuration, "the flags \(flags) give another run")
            try checkParts(configuration, registry)
        } catch let error as RecurrentError { throw Flags.translate(error) }
    }
}

/// The flags that there are, as numbers choose them.
private struct FlagChoices {
    private let plugins: [(flag: String, all: [Registry.Description])]
    private let general: [OptionDescription]

    init(registry: Registry) {
        func options<Section: OptionSection>(_ section: Section) -> [OptionDescription] { Section.options }
        let run = RunConfiguration()
        general = options(run.model) + options(run.training) + options(run.tracking)
        plugins = PluginKind.allCases.map { (Flags.flag($0.rawValue), registry.plugins($0)) }
    }

    /// Returns arguments: each kind of plug-in takes a byte, and each further flag two, the option and its value.
    func arguments(_ input: ArraySlice<UInt8>) -> [String] {
        var input = input, options = general, arguments: [String] = []
        func next(_ count: Int) -> Int { Int(input.popFirst() ?? 0) % count }
        for (flag, all) in plugins {
            // Zero leaves the plug-in to its default.
            let number = next(all.count + 1)
            guard number > 0 else { continue }
            arguments.append("--\(flag)=\(all[number - 1].name)")
            options += all[number - 1].options
        }
        while !input.isEmpty {
            let option = options[next(options.count)], flag = Flags.flag(option.name), number = next(256)
            let value = Self.value(option.kind, number)
            switch (option.kind, value) {
            case (.flag, "true"): arguments.append("--\(flag)")
            case (.flag, _): arguments.append("--no-\(flag)")
            default: arguments += number < 128 ? ["--\(flag)=\(value)"] : ["--\(flag)", value]
            }
        }
        return arguments
    }

    private static let numbers = ["0.5", "1e-3", "1", "0", "0.25", "-1", "7.5", "1e-40", "1e30", "nan"]

    /// Returns a value for an option; most numbers choose one within its range.
    private static func value(_ kind: OptionKind, _ number: Int) -> String {
        switch kind {
        case .flag: return number % 2 == 0 ? "true" : "false"
        case .integer(let range): return String(integer(number, in: range))
        case .integers(let range): return "\(integer(number, in: range)),\(integer(number / 4, in: range))"
        case .seed: return String(number)
        case .number: return numbers[number % numbers.count]
        case .choice(let names): return names[number % names.count]
        case .choices(let names):
            return names.enumerated().filter { number >> $0.offset & 1 == 1 }.map(\.element).joined(separator: ",")
        case .text, .path: return optionWords[number % optionWords.count]
        case .optional(let kind): return number % 4 == 3 ? "none" : value(kind, number)
        }
    }

    private static func integer(_ number: Int, in range: ClosedRange<Int>) -> Int {
        switch number % 8 {
        case 6: range.upperBound
        case 7: range.lowerBound &- 1
        default: min(range.lowerBound + number / 8, range.upperBound)
        }
    }
}
