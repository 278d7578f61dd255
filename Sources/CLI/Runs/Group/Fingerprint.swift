import Foundation
import RecurrentCore

/// What the processes of a group must have in common, since each computes a part of the same run.
struct Fingerprint: Codable, Equatable {
    /// The checksum of the program's file.
    private let program: String
    /// The configuration, without what may differ from machine to machine.
    private let configuration: String
    private let data: String
    /// The folder of the run as it was given; nil if the run isn't kept.
    private let folder: String?

    /// The option that names the folder.
    private let folderOption: String

    init(_ run: Run, in folder: String?, by option: String) throws {
        self.folder = folder
        folderOption = option
        program = try Self.programChecksum()
        var configuration = run.configuration
        let places = configuration.places(run.registry)
        for kind in PluginKind.allCases {
            for name in places { configuration[kind]?.options[name] = nil }
        }
        self.configuration = String(decoding: try configuration.json(), as: UTF8.self)
        data = try DataChecksum.digits(of: run.dataset, batchSize: configuration.training.batchSize, all: true)
    }

    init(bytes: [UInt8]) throws { self = try JSONDecoder().decode(Self.self, from: Data(bytes)) }
    var bytes: [UInt8] { get throws { Array(try JSONEncoder().encode(self)) } }

    /// Returns what is different in a process, for a message.
    func difference(from first: Fingerprint, rank: Int) throws -> String {
        func message(_ name: String, _ old: String?, _ new: String?) -> String {
            "rank \(rank) was started with `\(name)` \(new ?? "not set"), rank 0 with \(old ?? "none"); start all ranks with the same options"
        }
        if folderOption != first.folderOption {
            return
                "rank \(rank) was started with `\(folderOption)`, rank 0 with `\(first.folderOption)`; start all ranks with the same options"
        }
        if folder != first.folder { return message(folderOption, first.folder, folder) }
        if configuration != first.configuration {
            let (old, new) = (try first.decoded(), try decoded())
            if old.from != new.from { return message("from", old.from, new.from) }
            return old.changes(to: new).first.map { message($0.name, $0.old?.text, $0.new?.text) }
                ?? "rank \(rank) was started with other options than rank 0; start all ranks with the same"
        }
        if program != first.program {
            return "rank \(rank) runs another build of this program than rank 0; give all machines the same file"
        }
        return "rank \(rank) reads other data than rank 0; give all machines the same files"
    }

    private func decoded() throws -> RunConfiguration {
        try RunConfiguration(json: Data(configuration.utf8), path: "configuration")
    }

    private static func programChecksum() throws -> String {
        guard let path = Bundle.main.executablePath else { return "" }
        var checksum = CRC32C()
        checksum.update(try FileReader.contents(of: path))
        return checksum.digits
    }
}
