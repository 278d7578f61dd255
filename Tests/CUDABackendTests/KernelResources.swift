import Foundation

/// The resources of a processor that a kernel takes, according to its binary: the numbers
/// that `cuobjdump --dump-resource-usage` prints.
struct KernelResources: Equatable {
    /// The number of 32-bit registers of a thread.
    let registers: Int
    /// The bytes of a thread's local memory, which is outside the processor: spilled
    /// registers, and arrays that couldn't be kept in registers.
    let frame: Int
    /// The bytes of static shared memory, without the dynamic memory of a launch.
    let staticSharedMemory: Int
    /// The bytes of the arguments.
    let argumentSize: Int
    /// The most threads that a block may have, if the kernel has launch bounds.
    let mostThreads: Int?

    /// The attributes of `.nv.info` sections that are read here.
    private enum Attribute {
        static let mostThreads: UInt8 = 0x05, frameSize: UInt8 = 0x11, parameterSize: UInt8 = 0x19,
            registerCount: UInt8 = 0x2F
    }

    /// Reads the resources of a kernel, or returns nil if the binary doesn't contain them.
    init?(of kernel: String, in binary: [UInt8]) {
        let file = ELF(binary)
        guard let sections = file?.sections, let file, let symbol = file.symbol(kernel) else { return nil }
        func attributes(_ section: String) -> [(code: UInt8, value: Int, words: [Int])] {
            sections[section].map { file.attributes($0) } ?? []
        }
        // These attributes have a symbol and its number, for all kernels.
        func number(_ code: UInt8) -> Int? {
            attributes(".nv.info").first { $0.code == code && $0.words.count == 2 && $0.words[0] == symbol }?.words[1]
        }
        let own = attributes(".nv.info.\(kernel)")
        guard let registers = number(Attribute.registerCount), let frame = number(Attribute.frameSize),
            let arguments = own.first(where: { $0.code == Attribute.parameterSize })
        else { return nil }
        self.registers = registers
        self.frame = frame
        staticSharedMemory = sections[".nv.shared.\(kernel)"]?.size ?? 0
        argumentSize = arguments.value
        mostThreads = own.first { $0.code == Attribute.mostThreads }?.words.reduce(1, *)
    }
}

/// The parts of a 64-bit ELF file that a GPU's binary needs.
private struct ELF {
    struct Section { let type, offset, size, link: Int }

    private let bytes: [UInt8]
    private(set) var sections: [String: Section] = [:]
    private var symbols: [String: Int] = [:]

    init?(_ bytes: [UInt8]) {
        self.bytes = bytes
        guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]), bytes.count >= 64 else { return nil }
        let table = number(40, 8), entry = number(58, 2), count = number(60, 2), names = number(62, 2)
        guard table + entry * count <= bytes.count, names < count else { return nil }
        let list = (0..<count).map { index in
            let at = table + entry * index
            return (
                name: number(at, 4),
                section: Section(
                    type: number(at + 4, 4), offset: number(at + 24, 8), size: number(at + 32, 8),
                    link: number(at + 40, 4))
            )
        }
        for (name, section) in list { sections[string(list[names].section, name)] = section }
        guard let table = sections[".symtab"] else { return nil }
        for index in 0..<table.size / 24 {
            symbols[string(list[table.link].section, number(table.offset + 24 * index, 4))] = index
        }
    }

    func symbol(_ name: String) -> Int? { symbols[name] }

    private func number(_ offset: Int, _ size: Int) -> Int {
        (0..<size).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }
    private func string(_ table: Section, _ offset: Int) -> String {
        String(decoding: bytes[(table.offset + offset)...].prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Returns the records of a `.nv.info` section: a format, a code, and a 16-bit number, which
    /// in format 4 is the size of the data that follow.
    func attributes(_ section: Section) -> [(code: UInt8, value: Int, words: [Int])] {
        var result: [(code: UInt8, value: Int, words: [Int])] = []
        var at = section.offset
        while at + 4 <= section.offset + section.size {
            let value = number(at + 2, 2), size = bytes[at] == 4 ? value : 0
            result.append((bytes[at + 1], value, (0..<size / 4).map { number(at + 4 + 4 * $0, 4) }))
            at += 4 + size
        }
        return result
    }
}
