import Foundation

// The entry points of libFuzzer, which `scripts/fuzz` links to this module. They take the reader's name
// from FUZZED_READER, and write its seeds into the folder FUZZ_SEEDS.

nonisolated(unsafe) private var reader: (any FuzzedReader)!
nonisolated(unsafe) private var folder: ScratchFolder!
nonisolated(unsafe) private var mutator: Mutator!
/// Whether each input is a changed seed: without coverage, libFuzzer keeps no input to go on from.
nonisolated(unsafe) private var startsFromSeeds = false
/// libFuzzer's own mutation, which tests that link no libFuzzer lack.
private let ownMutation = dlsym(nil, "LLVMFuzzerMutate").map {
    unsafeBitCast($0, to: (@convention(c) (UnsafeMutablePointer<UInt8>?, Int, Int) -> Int).self)
}

@_cdecl("LLVMFuzzerInitialize")
public func initializeFuzzer(_ count: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?) -> CInt {
    let environment = ProcessInfo.processInfo.environment
    guard let type = fuzzedReaders.first(where: { $0.name == environment["FUZZED_READER"] }) else {
        print("FUZZED_READER must name one of: \(fuzzedReaders.map { $0.name }.joined(separator: ", "))")
        exit(2)
    }
    startsFromSeeds = environment["FUZZ_FROM_SEEDS"] != nil
    do {
        folder = try ScratchFolder()
        reader = try type.init(folder)
        mutator = try Mutator(seeds: reader.seeds, words: type.words, seed: UInt64(getpid()))
        if let seeds = environment["FUZZ_SEEDS"] {
            for (number, seed) in try reader.seeds.enumerated() {
                try Data(seed).write(to: URL(fileURLWithPath: "\(seeds)/seed-\(number)"))
            }
            let words = type.words.map { word in
                "\"" + word.utf8.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\"\n"
            }
            try words.joined().write(toFile: seeds + ".words", atomically: true, encoding: .utf8)
        }
    } catch { fatalError("\(error)") }
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    do {
        _ = try reader.accepts(Array(UnsafeBufferPointer(start: data, count: size)))
    } catch { fatalError("\(error)") }
    return 0
}

/// Mutates an input in half of the cases as libFuzzer does, which knows what is compared with what, and in the
/// others as ``Mutator`` does, which knows about numbers and the words of the format.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutateInput(_ data: UnsafeMutablePointer<UInt8>?, _ size: Int, _ largest: Int, _ seed: UInt32) -> Int {
    if seed % 2 == 0, !startsFromSeeds, let ownMutation { return ownMutation(data, size, largest) }
    let bytes =
        (startsFromSeeds ? mutator.next() : mutator.mutated(Array(UnsafeBufferPointer(start: data, count: size))))
        .prefix(largest)
    for (index, byte) in bytes.enumerated() { data![index] = byte }
    return bytes.count
}
