import BuiltInPlugins
import IndRNNCell
import LionOptimizer
import ParityData
import PeepholeCell
import PlainBackend
import RecurrentCommandLine
import RecurrentRuns

@main
enum Main {
    static func main() {
        var registry = Registry.builtIn
        registry.add(PeepholeLSTM.self)
        registry.add(IndRNN.self)
        registry.add(Squareplus.self)
        registry.add(Parity.self)
        registry.add(Lion.self)
        registry.add(PlainBackend.self)
        CommandLineTool.main(registry)
    }
}
