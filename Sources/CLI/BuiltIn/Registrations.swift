import CPUBackend
import CUDABackend
import DigitsDataset
import GRUCell
import ManifoldUpdates
import PTBDataset
import RecurrentCommandLine
import RecurrentCore
import RecurrentOptimizers
import ReferenceBackend
import ToyDatasets
import UGRUCell
import URNNCell
import VanillaRNNCell

extension Registry {
    /// Every plug-in of this package, one line each.
    public static var builtIn: Registry {
        var registry = Registry()
        registry.cells = [
            Plugin("rnn", VanillaRNN().summary) { VanillaRNN(activation: try $0.activation(or: ReLU())) },
            Plugin("urnn", URNN().summary) { URNN(activation: try $0.activation(or: ReLU())) },
            Plugin("gru", GRU().summary) { GRU(activation: try $0.activation(or: Tanh()), resetGate: $0.resetGate) },
            Plugin("ugru", UGRU().summary) { UGRU(activation: try $0.activation(or: Tanh()), resetGate: $0.resetGate) },
        ]
        registry.activations = [
            Plugin("identity", Identity().summary) { _ in Identity() },
            Plugin("abs", AbsoluteValue().summary) { _ in AbsoluteValue() },
            Plugin("relu", ReLU().summary) { _ in ReLU() },
            Plugin("leaky-relu", LeakyReLU().summary) { LeakyReLU(slope: $0.options.slope) },
            Plugin("tanh", Tanh().summary) { _ in Tanh() },
            Plugin("sigmoid", Sigmoid().summary) { _ in Sigmoid() },
            Plugin("modrelu", ModReLU().summary) { _ in ModReLU() },
        ]
        registry.datasets = [
            DatasetPlugin(
                "recall", "task I: name the first of N numbers", options: .generated.union([.symbols, .embeddingSize]),
                defaults: { $0.useToyDefaults() }, settings: { "N \($0.length) M \($0.symbols), \($0.sequences)" }
            ) {
                try RecallDataset(
                    length: $0.options.length, symbols: $0.options.symbols, sizes: $0.sizes, seed: $0.options.seed,
                    freshEachEpoch: $0.options.freshData)
            },
            DatasetPlugin(
                "kth-largest", "task II: find the k-th largest of N numbers", options: .generated.union([.k, .embeddingSize]),
                defaults: { $0.useToyDefaults() }, settings: { "N \($0.length) k \($0.k), \($0.sequences)" }
            ) {
                try KthLargestDataset(
                    length: $0.options.length, k: $0.options.k, sizes: $0.sizes, seed: $0.options.seed,
                    freshEachEpoch: $0.options.freshData)
            },
            DatasetPlugin(
                "copying", "repeat ten symbols after --length steps", options: .generated.union([.embeddingSize]),
                defaults: { $0.useMemoryDefaults() }, settings: { "T \($0.length), \($0.sequences)" }
            ) {
                try CopyingDataset(
                    delay: $0.options.length, sizes: $0.sizes, seed: $0.options.seed, freshEachEpoch: $0.options.freshData)
            },
            DatasetPlugin(
                "adding", "the sum of the two marked ones of N numbers", options: .generated,
                defaults: { $0.useMemoryDefaults() }, settings: { "N \($0.length), \($0.sequences)" }
            ) {
                try AddingDataset(
                    length: $0.options.length, sizes: $0.sizes, seed: $0.options.seed, freshEachEpoch: $0.options.freshData)
            },
            DatasetPlugin(
                "digits", "images of MNIST's format, a pixel a step (--data or $MNIST_DIR)", options: [.data, .classes],
                defaults: { $0.useDigitDefaults() }, settings: { "\($0.classes) classes" }
            ) {
                try DigitsDataset(directory: $0.digitsDirectory(), classes: $0.options.classes, seed: $0.options.seed)
            },
            DatasetPlugin(
                "permuted-digits", "the same with the pixels in a random order, for all seeds the same",
                options: [.data, .classes, .permutationSeed], defaults: { $0.useDigitDefaults(permutationSeed: 1) },
                settings: { "\($0.classes) classes, permutation \($0.permutationSeed ?? $0.seed)" }
            ) {
                try DigitsDataset(
                    directory: $0.digitsDirectory(), classes: $0.options.classes, isPermuted: true,
                    permutationSeed: $0.options.permutationSeed ?? $0.options.seed, seed: $0.options.seed)
            },
            DatasetPlugin(
                "ptb", "a corpus by words: Penn Treebank (--data or $PTB_DIR)", options: .corpus,
                defaults: { $0.useCorpusDefaults() }, settings: { "BPTT \($0.bptt)" }
            ) {
                try PennTreebank(directory: $0.corpusDirectory(), bptt: $0.options.bptt)
            },
            DatasetPlugin(
                "ptb-char", "a corpus by characters", options: .corpus, tokens: .characters(blank: PennTreebank.blank),
                defaults: { $0.useCharacterDefaults() }, settings: { "BPTT \($0.bptt)" }
            ) {
                try PennTreebank(directory: $0.corpusDirectory(), bptt: $0.options.bptt, level: .characters)
            },
        ]
        registry.backends = [
            Plugin("cpu", "OpenBLAS and vectorised kernels on all processors, Float32") { try CPUBackend(threads: $0.options.threads) },
            Plugin("cuda", "NVIDIA GPUs, Float32: cuBLAS, cuSOLVER, kernels compiled when they are needed") {
                try CUDABackend(device: $0.options.device, precision: $0.cudaPrecision)
            },
            Plugin("reference", ReferenceBackend().summary) { _ in ReferenceBackend() },
        ]
        registry.deviceBackends = ["cuda"]
        registry.optimizers = [
            Plugin("sgd", SGD().summary) { SGD(momentum: $0.options.momentum, nesterov: $0.options.nesterov) },
            Plugin("rmsprop", RMSprop().summary) { _ in RMSprop() },
            Plugin("adam", Adam().summary) { _ in Adam() },
            Plugin("adamw", AdamW().summary) { AdamW(weightDecay: $0.options.weightDecay ?? 0.01) },
        ]
        registry.manifolds = [
            Plugin("exponential", ExponentialUpdate().summary) { _ in ExponentialUpdate() },
            Plugin("exponential-eigen", ExponentialUpdate(method: .eigendecomposition).summary) { _ in
                ExponentialUpdate(method: .eigendecomposition)
            },
            Plugin("exact-exponential", ExactExponentialUpdate().summary) { _ in ExactExponentialUpdate() },
            Plugin("cayley", CayleyUpdate().summary) { _ in CayleyUpdate() },
        ]
        registry.skewInits = [
            Plugin("zero", ZeroSkew().summary) { _ in ZeroSkew() },
            Plugin("henaff", HenaffSkew().summary) { _ in HenaffSkew() },
            Plugin("cayley", CayleySkew().summary) { _ in CayleySkew() },
            Plugin("uniform", UniformSkew().summary) { _ in UniformSkew() },
        ]
        registry.downloads = [PennTreebank.source]
        return registry
    }
}

extension RunConfiguration {
    /// Of generated data, for the line under a table.
    fileprivate var sequences: String { "\(trainSize)\(freshData ? " fresh" : "") sequences" }
}

extension PluginContext {
    var cudaPrecision: CUDAPrecision {
        switch options.precision {
        case .fp32: .float32
        case .tf32: .tf32
        case .bf16: .bfloat16
        }
    }

    var sizes: SplitSizes {
        SplitSizes(train: options.trainSize, valid: options.validSize, test: options.testSize)
    }
}
