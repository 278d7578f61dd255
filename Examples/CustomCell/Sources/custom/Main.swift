import BuiltInPlugins
import LSTMCell
import RecurrentCommandLine
import RecurrentCore

@main
enum Main {
    static func main() {
        var registry = Registry.builtIn
        registry.cells.append(Plugin("lstm", LSTM().summary) { LSTM(activation: try $0.activation(or: Tanh())) })
        registry.activations.append(Plugin("softsign", Softsign().summary) { _ in Softsign() })
        CommandLineTool.main(registry)
    }
}
