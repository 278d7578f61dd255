import BuiltInPlugins
import RecurrentCommandLine

@main
enum Main {
    static func main() { CommandLineTool.main(.builtIn) }
}
