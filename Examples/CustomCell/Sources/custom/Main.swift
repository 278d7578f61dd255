import BuiltInPlugins
import CoRNNCell
import LSTMCell
import LionOptimizer
import ParityData
import PlainBackend
import RecurrentCommandLine
import RecurrentRuns

@main
enum Main {
    static func main() {
        var registry = Registry.builtIn
        registry.add(LSTM.self)
        registry.add(Softsign.self)
        registry.add(CoRNN.self)
        registry.add(Parity.self)
        registry.add(Lion.self)
        registry.add(PlainBackend.self)
        CommandLineTool.main(registry)
    }
}
