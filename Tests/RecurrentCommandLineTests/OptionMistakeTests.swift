import Foundation
import Testing

/// Options that contradict each other, do nothing, or stand in the wrong place, and words that name nothing.
struct OptionMistakeTests {
    static let mistakes: [(arguments: String, says: [String])] = [
        // Lists.
        ("--dropout 0.1 --dropout-on ,", ["--dropout-on", "empty element"]),
        ("--dropout 0.1 --dropout-on embedding,,output", ["--dropout-on", "empty element"]),
        ("--track-epochs 1,,2 --output x", ["--track-epochs", "empty element"]),
        ("--track-epochs 0 --output x", ["--track-epochs", "at least 1", "or none"]),
        ("compare --cells urnn,,gru", ["--cells", "empty element"]),
        ("search --try dropout=0 --seeds 1,,2 --output x", ["--seeds", "empty element"]),
        ("reproduce table3 --models ,rnn --output x", ["--models", "empty element"]),
        ("reproduce table1 table2 --epochs 3 --output x", ["--epochs", "table1 and table2 are computed"]),
        ("reproduce table1 --threads 2 --output x", ["--threads", "table1 is computed"]),
        ("reproduce table2 --report-only --output x", ["--report-only", "nothing is trained"]),
        ("reproduce table5 figure4 --models rnn --output x", ["--models", "table5 and figure4"]),
        ("reproduce table3 --scale smoke, --output x", ["--scale", "empty element"]),
        // Commands.
        ("evaluat run", ["unknown command 'evaluat'", "did you mean 'evaluate'?"]),
        ("help frob", ["unknown command 'frob'", "train, compare, evaluate"]),
        // Options without an effect.
        ("compare --cells identity-rnn --recurrent-init orthogonal", ["--recurrent-init", "identity-rnn", "W = I"]),
        ("compare --cells gru,rnn --skew-init henaff", ["the cell gru", "nor for rnn"]),
        ("compare --cells gru,rnn,identity-rnn --manifold cayley", ["the cell gru", "nor for rnn or identity-rnn"]),
        ("gradients --plot a.png", ["--plot", ".svg", ".png"]),
        ("gradients --plot-angles a.PDF", ["--plot-angles", ".svg"]),
        ("--manifold-learning-rate 1 --freeze rnn.*", ["--manifold-learning-rate does nothing", "are frozen or have"]),
        ("--learning-rate 1 --rate *=1", ["--learning-rate does nothing", "have a --rate of their own"]),
        (
            "--cell complex-urnn --manifold arjovsky-factors --skew-init henaff",
            ["--skew-init does nothing", "the manifold update arjovsky-factors"]
        ),
        // Numbers that no run could have.
        ("--clip-norm 0", ["--clip-norm must be above 0"]), ("--weight-dropout 1", ["--weight-dropout", "below 1"]),
        ("--zoneout 1", ["--zoneout", "below 1"]),
        ("--skew-init uniform --skew-scale 1e30", ["--skew-scale must be above 0 and below 1000"]),
        // Numbers and names in other forms.
        ("search --try lr=0.1 --trials -1 --output x", ["--trials", "at least 1", "-1"]),
        ("search --try lr=0.1 --jobs -1 --output x", ["--jobs", "1...256", "-1"]),
        ("benchmark --seconds -1", ["--seconds", "-1"]),
        ("evaluate run --batch-size x", ["--batch-size must be a number, not 'x'"]),
        ("evaluate run --batch-size 1.5", ["--batch-size must be a whole number, not 1.5"]),
        ("generate run --words 99999999999999999999", ["--words must be at most 9223372036854775807, not 9999"]),
        ("generate run --seed -1", ["--seed must be a whole number from 0 to 18446744073709551615, not -1"]),
        ("generate run --seed 18446744073709551616", ["--seed must be a whole number from 0 to 18446744073709551615"]),
        ("--seed 18446744073709551616", ["--seed must be a whole number from 0 to 18446744073709551615"]),
        ("--hidden-size 99999999999999999999", ["--hidden-size must be at most 16777216, not 9999"]),
        ("gradients --length 6 --from 5 --to 4", ["step 5 to step 4", "the first step must not be above the last"]),
        ("gradients --length 6 --from 7", ["these sequences have steps 1 to 6"]),
        ("--Help", ["no option --Help", "--help?"]), ("--=3", ["no option --;", "`--help` lists them"]),
        // Options given twice.
        ("--config a --config b", ["--config a and --config b", "leave one out"]),
        ("--output a --output=b", ["--output a and --output b", "leave one out"]),
        ("--lr 1 --learning-rate 2", ["--lr 1 and --learning-rate 2"]),
        ("--tied=yes", ["--tied takes no value but true and false", "'yes'"]),
        ("--tied --no-tied", ["--tied and --no-tied"]), ("--tied=true --tied=false", ["--tied and --tied=false"]),
        ("compare --cells urnn --cells rnn", ["--cells urnn and --cells rnn"]),
        ("search --try lr=0.1 --jobs 1 --jobs 2 --output x", ["--jobs 1 and --jobs 2"]),
        // Searches.
        ("search --try output=a,b --output x", ["--output", "its own folder"]),
        ("search --try config=a,b --output x", ["--config", "after --"]),
        ("search --try resume=a,b --output x", ["--resume", "resumes runs"]),
        ("search --try quiet=true,false --output x", ["--quiet", "prints"]),
        ("search --try jobs=1,2 --output x", ["--jobs", "of search itself"]),
        ("search --try threads=1,2 --output x", ["--threads", "--jobs"]),
        ("search --try checkpoint-every=1,2 --output x", ["--checkpoint-every", "don't depend on it"]),
        ("search --try track-gradients=1,2 --output x", ["--track-gradients", "nothing but the losses"]),
        ("search --try lr=0.1 --output x -- --tensorboard", ["--tensorboard", "nothing but the losses"]),
        ("search --try lr=0.1 --output x --epochs 1", ["--epochs", "after --"]),
        ("search --try lr=0.1 --output x --no-fresh-data", ["--no-fresh-data", "after --"]),
        ("search --try lr=0.1 --output x --cell=gru", ["--cell", "after --"]),
        ("search --try lr=0.1 -- --output x", ["--output", "before --"]),
        ("search --try lr=0.1 --output x -- --resume y", ["--resume", "does nothing in search"]),
        ("search --try lr=0.1 --output x -- --lr 1", ["--learning-rate", "leave one out"]),
        ("search --try lr=0.1 --output x -- --seed 1", ["--seed", "--seeds"]),
        ("search --try seed=1,2 --output x", ["--seeds 1,2,3"]),
        ("search --try lr=0.1..0.01 --output x", ["reversed", "0.01..0.1"]),
        ("search --try lr=0.1 --try learning_rate=0.2 --output x", ["learning-rate twice"]),
        ("search --try lr=0.1,x --output x", ["--learning-rate", "'x'"]),
        ("search --try cell=urnn,gur --output x", ["unknown cell 'gur'", "'gru'?"]),
        ("search --try dropout-on=embedding,output --output x", ["lists", "'dropout-on=embedding|output'"]),
        ("search --try lr=abc --output x", ["--learning-rate must be a number, not 'abc'"]),
        ("search --try lr= --output x", ["a value is empty"]), ("search --try lr=0.1,0.1 --output x", ["0.1 twice"]),
        ("search --try cell=urnn,URNN --output x", ["urnn and URNN are the same; leave one out"]),
        ("search --try fresh-data=true,TRUE --output x", ["true and TRUE are the same"]),
        ("search --try dropout-on=logits,output|output,logits --output x", ["are the same"]),
        ("search --try lr=0.1 --seeds 1,1 --output x", ["--seeds names a seed twice"]),
        ("compare --learning-rate=", ["--learning-rate must be a number, not ''"]),
        ("compare runs/a runs/b", ["unexpected argument 'runs/a'"]), ("compare --cells gru,GRU", ["'gru' twice"]),
        ("search --try lrr=1,2 --output x", ["--lrr", "--lr?"]),
        ("search --try foo=1,2 --output x", ["--foo; `train --help` lists them"]),
        ("search --try lr=0.1 --output x -- --bogus 3", ["--bogus; `train --help` lists them"]),
        // Characters that a terminal doesn't show.
        ("--\u{202E}x", ["--\\u{202e}x"]), ("a\u{200B}", ["'a\\u{200b}'"]),
    ]

    @Test(arguments: mistakes.indices) func isOneLine(index: Int) throws {
        let mistake = Self.mistakes[index], result = try Tool(mistake.arguments)
        #expect(result.status == 2, "\(mistake.arguments): \(result.errors)")
        #expect(result.errors.hasPrefix("error: ") && result.errors.split(separator: "\n").count == 1)
        for word in mistake.says { #expect(result.errors.contains(word), "\(mistake.arguments): \(result.errors)") }
        #expect(!FileManager.default.fileExists(atPath: "x"))
    }

    /// A table that is the embedding would need E = H.
    @Test(arguments: ["--tied=false", "--no-tied"]) func aFlagIsTurnedOff(flag: String) throws {
        let measured = try Tool("gradients --length 4 --hidden-size 4 --embedding-size 3 \(flag)")
        #expect(measured.status == 0, "\(measured.errors)")
    }

    @Test func blanksMayStandBesideCommas() throws {
        let small = "--length 4 --train-size 100 --valid-size 50 --test-size 50 --hidden-size 4 --epochs 1"
        let words = small.split(separator: " ").map(String.init)
        let compared = try Tool(["compare", "--cells", "urnn, gru"] + words)
        #expect(compared.status == 0 && compared.output.contains("gru"), "\(compared.errors)")
        let trained = try Tool(words + ["--dropout-on", "embedding, output"])
        #expect(trained.status == 0 && trained.output.contains("dropout 0.2 on embedding+output"), "\(trained)")
    }

    /// Help names all options of a command, and no default that comes from elsewhere.
    @Test func helpIsTrueOfTheCommand() throws {
        #expect(try Tool("evaluate --help").output.contains("\n  --data <folder> "))
        let page = try Tool("import --help").output
        #expect(page.contains("ptb, ptb-char (default: ptb)") && !page.contains("recall"))
        #expect(!page.contains("(default: urnn)") && !page.contains("(default: relu)"))
    }

    /// Whatever isn't a terminal has 80 columns.
    @Test(arguments: [
        "list", "list cells", "list schedules", "list skew-inits", "list datasets", "search --help", "train --help",
        "compare --help", "gradients --help", "reproduce --help",
    ])
    func helpFitsInto80Columns(line: String) throws {
        let result = try Tool(line)
        #expect(result.status == 0)
        for line in result.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }
}
