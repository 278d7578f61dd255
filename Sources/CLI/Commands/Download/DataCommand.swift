import ArgumentParser
import Foundation
import RecurrentCore
import RecurrentRuns

struct DataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "Download a data set, and check that it is the right one.")

    @Argument(help: "The data set to download: ptb.")
    var name: String
    @Option(help: "Folder to put the files into.")
    var output: String
    @Option(help: "URL to download them from: a folder, or an archive (.tgz, .tar.gz) that contains them.")
    var url: String?
    @Flag(help: "Print nothing but errors.")
    var quiet = false

    func run() throws {
        let sources = Registry.current.downloads
        let name = try knownName(name, of: "data set to download", in: sources.map(\.name))
        let source = sources.first { $0.name == name }!
        guard !output.isEmpty else { throw RecurrentError.invalidOption("--output names no folder") }
        if !quiet { Terminal.print(source.notice) }
        let download = Download(source, from: url ?? source.url, into: output, isQuiet: quiet)
        let new = try download.run()
        if !quiet {
            Terminal.print(
                new.isEmpty
                    ? "\(output) already has all files"
                    : "\(new.map(\.name).joined(separator: ", ")) in \(output), SHA-256 checked")
            Terminal.print("train with: --dataset \(name) --data \(output)")
        }
    }
}
