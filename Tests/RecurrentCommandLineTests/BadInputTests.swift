import Foundation
import Testing

/// Each mistake gives one line on standard error that says what is wrong and what
/// would be right, and an exit status.
struct BadInputTests {
    static let mistakes: [(arguments: String, status: Int32, says: [String])] = [
        ("--cell qrnn", 2, ["qrnn", "rnn, urnn, gru, ugru"]),
        ("--activation mish", 2, ["mish", "relu"]),
        ("--dataset mnist", 2, ["mnist", "recall, kth-largest, copying, adding, digits"]),
        ("--backend tpu", 2, ["tpu", "cpu, cuda, reference"]),
        ("--optimizer lion", 2, ["lion", "adam"]),
        ("--manifold sphere", 2, ["sphere", "cayley"]),
        ("--skew-init big", 2, ["big", "henaff"]),
        ("--dropout-on inputs", 2, ["inputs", "logits"]),
        ("--recurrent-init zeros", 2, ["zeros"]),
        ("--cell gru --reset-gate never", 2, ["never", "before"]),
        ("--hidden-size 0", 2, ["--hidden-size", "at least 1", "0"]),
        ("--embedding-size -3", 2, ["--embedding-size", "at least 1", "-3"]),
        ("--layers 0", 2, ["--layers", "at least 1"]),
        ("--batch-size 0", 2, ["--batch-size", "at least 1"]),
        ("--epochs 0", 2, ["epochs", "at least 1"]),
        ("--epochs many", 2, ["many", "epochs"]),
        ("--patience 0", 2, ["patience", "at least 1"]),
        ("--threads 0", 2, ["threads", "at least 1"]),
        ("--device 1", 2, ["--device", "cpu", "--backend cuda"]),
        ("--backend cuda --precision fp16", 2, ["fp16", "bf16"]),
        ("--precision bf16", 2, ["--precision", "cpu", "--backend cuda"]),
        ("--backend cuda --tf32 --precision bf16", 2, ["--tf32", "--precision bf16", "contradict"]),
        ("--backend cuda --device -1", 2, ["--device", "at least 0", "-1"]),
        ("benchmark --tf32", 2, ["--tf32", "cpu", "--backend cuda"]),
        ("--learning-rate 0", 2, ["--learning-rate", "above 0"]),
        ("--learning-rate -1", 2, ["--learning-rate", "above 0"]),
        ("--learning-rate nan", 2, ["--learning-rate"]),
        ("--dropout 1", 2, ["dropout", "below 1"]),
        ("--clip-recurrent 0", 2, ["clip-recurrent", "above 0"]),
        ("--activation leaky-relu --slope 2", 2, ["slope", "0...1"]),
        ("--length 0", 2, ["length", "at least 1"]),
        ("--symbols 1", 2, ["symbols", "at least 2"]),
        ("--train-size 0", 2, ["0"]),
        ("--dataset kth-largest --length 5 --k 9", 2, ["k", "1...5", "9"]),
        ("--dataset adding --embedding-size 3", 2, ["--embedding-size", "adding", "leave it out", "--train-size"]),
        ("--dataset adding --symbols 3", 2, ["--symbols", "adding"]),
        ("--dataset kth-largest --symbols 3", 2, ["--symbols", "kth-largest", "--k"]),
        ("--dataset digits --length 3", 2, ["--length", "digits", "--data, --classes"]),
        ("--dataset digits --no-fresh-data", 2, ["--no-fresh-data", "digits"]),
        ("--dataset ptb --train-size 3", 2, ["--train-size", "ptb", "--bptt"]),
        ("--dataset digits --permutation-seed 3", 2, ["--permutation-seed", "digits"]),
        ("--dataset digits --data /nonexistent --classes 300", 2, ["--classes", "2...256", "300"]),
        ("--data /nonexistent", 2, ["--data", "recall"]),
        ("--dataset ptb --data /nonexistent", 1, ["/nonexistent", "train"]),
        ("--output /proc/urnn", 1, ["/proc/urnn"]),
        ("--hidden-size 9223372036854775807", 2, ["--hidden-size", "at most"]),
        ("--batch-size 9223372036854775807", 2, ["--batch-size", "at most"]),
        ("--layers 100000000", 2, ["--layers", "at most 1000"]),
        ("--learning-rate inf", 2, ["--learning-rate", "finite"]),
        ("--locked-dropout", 2, ["--locked-dropout", "--dropout-on embedding,output"]),
        ("--zoneout 1", 2, ["--zoneout", "below 1"]),
        ("--schedule linear", 2, ["linear", "constant, step, plateau, cosine"]),
        ("--schedule-factor 0.5", 2, ["--schedule-factor", "--schedule step or plateau", "constant"]),
        ("--schedule cosine --schedule-patience 2", 2, ["--schedule-patience", "--schedule plateau", "cosine"]),
        ("--schedule step --minimum-learning-rate 1", 2, ["--minimum-learning-rate", "0.001"]),
        ("--tied", 2, ["--tied", "--embedding-size", "30 and 50"]),
        ("--clip-recurrent inf", 2, ["--clip-recurrent", "finite"]),
        ("--weight-decay -1", 2, ["--weight-decay", "at least 0"]),
        ("--optimizer sgd --momentum 1", 2, ["--momentum", "below 1"]),
        ("--optimizer sgd --nesterov", 2, ["--nesterov", "--momentum"]),
        ("--seed -1", 2, ["-1", "--seed"]),
        ("--output /dev/null", 1, ["/dev/null", "folder"]),
        ("--no-such-flag", 2, ["--no-such-flag"]),
        ("evaluate /nonexistent --batch-size 0", 2, ["--batch-size", "at least 1"]),
        ("generate /nonexistent --words -1", 2, ["--words", "at least 1", "-1"]),
        ("evaluate /nonexistent", 1, ["/nonexistent", "config.json"]),
        ("evaluate /nonexistent --split dev", 2, ["dev", "train, valid, test"]),
        ("benchmark --workload toy", 2, ["unknown workload 'toy'", "toy-gru-n20", "toy-CELL-nN"]),
        ("benchmark --workload toi-urnn-n20", 2, ["nearest are toy-urnn-n20, "]),
        ("benchmark --workload lm-lem-tanh-t35", 2, ["tanh does nothing for the cell lem", "write lm-lem-t35"]),
        ("benchmark --workload lm-rnn-tanh-relu-t3", 2, ["tanh-relu", "leaky-relu"]),
        ("benchmark --workload lm-rnn-h0-t3", 2, ["h0"]),
        ("benchmark --threads 0", 2, ["threads", "at least 1"]),
        ("benchmark --workload exp-n9999999999999", 2, ["exp-n9999999999999", "exp-n200"]),
        ("benchmark --seconds inf", 2, ["--seconds", "inf"]),
        ("compare --cells rnn,rnn", 2, ["rnn", "twice"]),
        ("compare --cells ,", 2, ["--cells", "empty element"]),
        ("compare --cells urnn,qrnn", 2, ["qrnn", "ugru"]),
        // Options without an effect.
        ("--cell gru --skew-init henaff", 2, ["--skew-init", "gru", "no orthogonal weight"]),
        ("--cell gru --manifold cayley", 2, ["--manifold", "gru"]),
        ("--cell urnn --manifold arjovsky-factors", 2, ["--manifold", "arjovsky-factors", "complex cell"]),
        ("--cell urnn --manifold spectral-margin --spectral-margin 2", 2, ["--spectral-margin"]),
        ("--cell rnn --manifold-learning-rate 0.1", 2, ["--manifold-learning-rate", "rnn"]),
        ("--cell urnn --recurrent-init identity", 2, ["--recurrent-init", "urnn"]),
        ("--momentum 0.9", 2, ["--momentum", "--optimizer sgd", "adam", "--beta1"]),
        ("--reset-gate before", 2, ["--reset-gate", "--cell gru or ugru", "urnn"]),
        ("--slope 0.3", 2, ["--slope", "--activation leaky-relu", "relu"]),
        ("--backend cuda --threads 2", 2, ["--threads", "--backend cpu", "cuda", "--device"]),
        ("--dropout 0 --dropout-on output", 2, ["--dropout-on", "--dropout"]),
        ("compare --cells gru,rnn --skew-init henaff", 2, ["--skew-init", "no orthogonal weight"]),
        ("generate run --epochs 3", 2, ["--epochs", "generate"]),
        ("evaluate run --cell gru", 2, ["--cell", "evaluate"]),
        ("benchmark --hidden-size 3", 2, ["--hidden-size", "benchmark"]),
        ("reproduce table1 --output x --lr 1", 2, ["--learning-rate", "reproduce"]),
        // Suggestions of what was meant.
        ("--celll gru", 2, ["--celll", "--cell?"]), ("--learning-rat 1", 2, ["--learning-rate?"]),
        ("--ouptut x", 2, ["--output?"]),
        ("--cell ugur", 2, ["'ugru'?"]), ("--dataset copyng", 2, ["'copying'?"]),
        ("--dropout-on logit", 2, ["'logits'?"]),
        ("--epochs", 2, ["--epochs", "needs a value"]), ("--tied=3", 2, ["--tied", "takes no value"]),
        ("more", 2, ["'more'"]),
        ("train -x", 2, ["-x"]), ("--config /nonexistent", 1, ["/nonexistent"]),
        ("--config a --from b", 2, ["--config", "--from"]),
        ("train --split test", 2, ["--split", "`--help` lists them"]),
        ("compare --cell gru", 2, ["--cell", "--cells"]),
        ("compare --overwrite", 2, ["--overwrite", "--output"]), ("train --overwrite", 2, ["--overwrite", "--output"]),
        ("--checkpoint-every 5", 2, ["--checkpoint-every", "--output"]),
        ("--dataset adding --tied", 2, ["--tied", "aren't tokens"]),
        ("search --try epochs=1,2 --halving --output x", 2, ["--halving", "--epochs"]),
        ("benchmark more", 2, ["'more'"]), ("list tables", 2, ["tables", "cells, activations"]),
        ("evaluate", 2, ["a run's folder"]),
        ("evaluate a b", 2, ["'b'"]),
    ]

    @Test(arguments: mistakes.indices)
    func oneClearLine(index: Int) throws {
        let mistake = Self.mistakes[index]
        let result = try Tool(mistake.arguments)
        #expect(result.status == mistake.status, "\(mistake.arguments): \(result.errors)")
        #expect(result.errors.hasPrefix("error: ") && result.errors.hasSuffix("\n"))
        #expect(
            result.errors.dropLast().contains("\n") == false,
            "\(mistake.arguments) gives more than a line: \(result.errors)")
        for word in mistake.says { #expect(result.errors.contains(word), "\(mistake.arguments): \(result.errors)") }
    }

    @Test func aCorpusMustBeNamed() throws {
        let result = try Tool(["--dataset", "ptb"], environment: ["PTB_DIR": ""])
        #expect(result.status == 2)
        #expect(result.errors.contains("--data") && result.errors.contains("PTB_DIR"))
        let digits = try Tool(["--dataset", "digits"], environment: ["MNIST_DIR": ""])
        #expect(digits.status == 2)
        #expect(digits.errors.contains("--data") && digits.errors.contains("MNIST_DIR"))
    }

    /// Nothing else on the command line keeps the help from being shown.
    @Test(arguments: ["", "=", "--cell", "--=", "--cell="]) func helpIsShownBesideAnything(word: String) throws {
        let result = try Tool(["train", word, "--help"])
        #expect(result.status == (word == "--cell=" ? 2 : 0), "\(result.errors)")
        #expect(result.output.contains("USAGE") != result.errors.hasPrefix("error: "))
    }
}
