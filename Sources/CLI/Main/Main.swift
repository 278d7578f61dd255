import BuiltInPlugins
import RecurrentCommandLine

/// The program `cli`, with the plug-ins of this package.
@main
enum Main {
    static func main() { CommandLineTool.main(.builtIn) }
}
