import ArgumentParser

struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List every plug-in: cells, activations, data sets, backends, optimizers, manifold updates.")

    func run() throws {
        let registry = Registry.current
        func section<Value>(_ title: String, _ plugins: [Plugin<Value>]) {
            let width = plugins.map(\.name.count).max() ?? 0
            Terminal.print(title)
            for plugin in plugins {
                Terminal.print("  \(plugin.name)\(String(repeating: " ", count: width - plugin.name.count))  \(plugin.summary)")
            }
        }
        section("cells (--cell)", registry.cells)
        section("activations (--activation)", registry.activations)
        section("data sets (--dataset)", registry.datasets.map(\.plugin))
        section("backends (--backend)", registry.backends)
        section("optimizers (--optimizer)", registry.optimizers)
        section("manifold updates (--manifold)", registry.manifolds)
        section("skew initialisations (--skew-init)", registry.skewInits)
    }
}
