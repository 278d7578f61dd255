import Foundation
import RecurrentCore
import Testing

/// Returns a file with this header and these bytes.
func safeTensors(_ header: String, data: [UInt8] = []) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + data
}

private func flaw(_ bytes: [UInt8]) -> String? {
    do {
        _ = try SafeTensors(bytes: bytes, path: "f")
        return nil
    } catch RecurrentError.checkpoint(path: "f", let reason) { return reason } catch {
        return "another error: \(error)"
    }
}

private func flaw(_ header: String, dataSize: Int = 0) -> String? {
    flaw(safeTensors(header, data: [UInt8](repeating: 0, count: dataSize)))
}

private func tensor(_ type: String = "F32", _ shape: String = "[2]", _ offsets: String = "[0,8]") -> String {
    #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
}

@Suite struct DamagedSafeTensors {
    @Test func headerLength() {
        #expect(flaw([]) == "not a safetensors file (it has only 0 bytes)")
        #expect(flaw([1, 2, 3]) == "not a safetensors file (it has only 3 bytes)")
        #expect(
            flaw([UInt8](repeating: 0xFF, count: 100))
                == "not a safetensors file (its header would have 18446744073709551615 bytes)")
        #expect(
            flaw([0, 0xE2, 0xF5, 5, 0, 0, 0, 0] + [0x7B])
                == "not a safetensors file (its header would have 100000256 bytes)")
        #expect(
            flaw([10, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8))
                == "is cut short: its header should have 10 bytes, but the file ends after 2")
        #expect(flaw([0, 0, 0, 0, 0, 0, 0, 0]) == "not a safetensors file (its header isn't a JSON object)")
        #expect(
            flaw(Array("PK\u{3}\u{4}\0\0\0\0 a zip file".utf8))
                == "not a safetensors file but one of torch.save; save the state dict with safetensors.torch.save_file")
    }

    @Test func jsonOfTheWrongShape() {
        #expect(flaw("[]") == "not a safetensors file (its header isn't a JSON object)")
        #expect(flaw(" {}") == "not a safetensors file (its header isn't a JSON object)")
        #expect(flaw("{}  \n\t ") == nil)
        #expect(flaw("{}x") == "is damaged: byte 2 of its header isn't the end of the header")
        #expect(flaw("{") == "is damaged: byte 1 of its header isn't '\"'")
        #expect(flaw(#"{"a":[]}"#) == "is damaged: byte 5 of its header isn't '{'")
        #expect(flaw(#"{"a":{}}"#) == "is damaged: tensor 'a' lacks its dtype, shape or data_offsets")
        #expect(flaw(#"{"a":\#(tensor()),}"#, dataSize: 8) == "is damaged: byte 54 of its header isn't '\"'")
        #expect(flaw(#"{"a":{"x":1}}"#) == "is damaged: tensor 'a' has an unknown or repeated field 'x'")
        #expect(
            flaw(#"{"a":{"dtype":"F32","dtype":"F32"}}"#)
                == "is damaged: tensor 'a' has an unknown or repeated field 'dtype'")
        #expect(flaw(#"{"__metadata__":{"a":1}}"#) == "is damaged: byte 21 of its header isn't '\"'")
        #expect(flaw(#"{"__metadata__":{"a":"","a":""}}"#) == "is damaged: its metadata holds 'a' twice")
        #expect(
            flaw(String(repeating: #"{"a":"#, count: 100_000))
                == "is damaged: tensor 'a' has an unknown or repeated field 'a'")
        for string in ["\\", "\\x", "\\u12G4", "\\uD800", "\\uD800\\u0041", "\\uDC00", "\n", "\\u00"] {
            #expect(
                flaw("{\"__metadata__\":{\"\(string)\":\"\"}}")?.hasPrefix("is damaged: byte ") == true, "\(string)")
        }
        #expect(flaw(safeTensors("{\"").dropLast(0) + [0xFF, 0x22]) != nil)
    }

    @Test func escapesAreUnderstood() throws {
        let bytes = safeTensors(#"{"__metadata__":{"\u00e9\uD83D\uDE00\/\b":"\t\"\\"}}"#)
        #expect(try SafeTensors(bytes: bytes, path: "f").metadata == ["é\u{1F600}/\u{8}": "\t\"\\"])
    }

    @Test func invalidUTF8() {
        let header = Array(#"{"__metadata__":{"a":"X"}}"#.utf8).map { $0 == UInt8(ascii: "X") ? 0xFF : $0 }
        #expect(
            flaw([UInt8(header.count), 0, 0, 0, 0, 0, 0, 0] + header)
                == "is damaged: byte 24 of its header isn't the end of a UTF-8 string")
    }

    @Test func tensorsThatCannotBe() {
        func one(_ tensor: String, dataSize: Int = 8) -> String? { flaw("{\"a\":\(tensor)}", dataSize: dataSize) }
        #expect(one(tensor()) == nil)
        #expect(one(tensor("F33")) == "tensor 'a' has the unknown element type 'F33'")
        #expect(one(tensor("F32", "[3]")) == "is damaged: tensor 'a' of type F32 and shape [3] can't have 8 bytes")
        #expect(one(tensor("F32", "[]")) == "is damaged: tensor 'a' of type F32 and shape [] can't have 8 bytes")
        #expect(one(tensor("F32", "[2]", "[8,0]")) == "is damaged: tensor 'a' has the data offsets [8, 0]")
        #expect(one(tensor("F32", "[2]", "[0]")) == "is damaged: tensor 'a' has the data offsets [0]")
        #expect(one(tensor("F32", "[2]", "[0,8,8]"))?.hasSuffix("isn't the end of a list of at most 2 numbers") == true)
        #expect(one(tensor(), dataSize: 7) == "is cut short: tensor 'a' should end at byte 8 of the data, which has 7")
        #expect(one(tensor(), dataSize: 9) == "is damaged: 1 bytes at its end belong to no tensor")
        for number in ["-1", "1.0", "1e3", "01", "null", "\"2\"", "99999999999999999999", ""] {
            #expect(one(tensor("F32", "[\(number),1]")) != nil, "\(number)")
        }
        // 2⁶² · 4 and 2⁶³ overflow, whatever else the shape says.
        #expect(one(tensor("F32", "[4611686018427387904]"))?.hasPrefix("is damaged: tensor 'a' of type F32") == true)
        #expect(one(tensor("F32", "[4611686018427387904,4,0]", "[0,0]"), dataSize: 0)?.hasPrefix("is damaged") == true)
        #expect(
            one(tensor("F32", "[\(String(repeating: "1,", count: 64))2]"))?.hasSuffix(
                "isn't the end of a list of at most 64 numbers") == true)
    }

    @Test func tensorsThatDoNotFitTogether() {
        func two(_ first: String, _ second: String, dataSize: Int) -> String? {
            flaw("{\"a\":\(tensor("U8", "[4]", first)),\"b\":\(tensor("U8", "[4]", second))}", dataSize: dataSize)
        }
        #expect(two("[0,4]", "[4,8]", dataSize: 8) == nil)
        #expect(two("[4,8]", "[0,4]", dataSize: 8) == nil)
        #expect(
            two("[0,4]", "[0,4]", dataSize: 4)
                == "is damaged: tensor 'b' starts at byte 0 of the data, but what comes before ends at 4")
        #expect(
            two("[0,4]", "[3,7]", dataSize: 7)
                == "is damaged: tensor 'b' starts at byte 3 of the data, but what comes before ends at 4")
        #expect(
            two("[0,4]", "[5,9]", dataSize: 9)
                == "is damaged: tensor 'b' starts at byte 5 of the data, but what comes before ends at 4")
        #expect(
            two("[1,5]", "[5,9]", dataSize: 9)
                == "is damaged: tensor 'a' starts at byte 1 of the data, but what comes before ends at 0")
        #expect(flaw("{\"a\":\(tensor()),\"a\":\(tensor())}", dataSize: 8) == "is damaged: it holds 'a' twice")
    }
}

/// Thousands of mutated files: each is refused with an error of the right kind, or is a
/// valid file, whose tensors then fill it and can be read.
@Suite struct FuzzedSafeTensors {
    private func check(_ bytes: [UInt8]) throws -> Bool {
        let file: SafeTensors
        do { file = try SafeTensors(bytes: bytes, path: "f") } catch RecurrentError.checkpoint { return false }
        var end = 0
        for tensor in file.tensors {
            try #require(tensor.bytes.lowerBound == end)
            end = tensor.bytes.upperBound
            try #require(tensor.shape.reduce(tensor.type.size, *) == tensor.bytes.count)
            try #require(file.bytes(tensor.name).count == tensor.bytes.count)
            switch tensor.type {
            case .float16, .bfloat16, .float32, .float64: try #require(file.floats(tensor.name).count == tensor.count)
            case .int32, .int64: try #require(file.integers(tensor.name).count == tensor.count)
            default: break
            }
        }
        let headerSize = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        try #require(8 + headerSize + end == bytes.count)
        return true
    }

    @Test func truncated() throws {
        for size in 0..<pythonSafeTensors.count {
            let isValid = try check(Array(pythonSafeTensors.prefix(size)))
            #expect(!isValid, "cut to \(size) bytes")
        }
        #expect(try check(pythonSafeTensors))
    }

    @Test func everyBitOfTheHeaderFlipped() throws {
        let size = 8 + Int(pythonSafeTensors[0]) + Int(pythonSafeTensors[1]) << 8
        for bit in 0..<8 * size {
            var bytes = pythonSafeTensors
            bytes[bit / 8] ^= 1 << (bit % 8)
            _ = try check(bytes)
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func mutated(seed: UInt64) throws {
        let fragments: [[UInt8]] =
            [
                "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "0", "-1", "1e9", "9223372036854775807",
                "18446744073709551616",
                "null", "\"F64\"", "\"BOOL\"", "\"shape\":", "\"dtype\":", "\"data_offsets\":[0,0]",
                "\"__metadata__\":", "\u{0}", " ",
            ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xED, 0xA0, 0x80]]
        var random = RandomStream(RandomKey(seed: seed, purpose: .test))
        var valid = 0
        for _ in 0..<20_000 {
            var bytes = pythonSafeTensors
            for _ in 0...random.integer(below: 4) {
                let position = random.integer(below: bytes.count)
                let length = min(random.integer(below: 9), bytes.count - position)
                switch random.integer(below: 6) {
                case 0: bytes[position] = UInt8(random.integer(below: 256))
                case 1: bytes.removeSubrange(position..<position + length)
                case 2: bytes.insert(contentsOf: fragments[random.integer(below: fragments.count)], at: position)
                case 3:
                    let fragment = fragments[random.integer(below: fragments.count)]
                    bytes.replaceSubrange(position..<min(position + fragment.count, bytes.count), with: fragment)
                case 4:
                    bytes.insert(
                        contentsOf: bytes[position..<position + length], at: random.integer(below: bytes.count))
                default: bytes.removeLast(min(length, bytes.count - 1))
                }
            }
            // Most mutations of the header would be detected by its length alone; in half of
            // the cases the length is repaired, so that the parser sees them.
            if random.integer(below: 2) == 0, bytes.count > 8 {
                let size = min(max(bytes.count - 8 - 81, 0), 100_000)
                bytes.replaceSubrange(0..<8, with: withUnsafeBytes(of: UInt64(size).littleEndian) { Array($0) })
            }
            if try check(bytes) { valid += 1 }
        }
        // Changes of data and names leave a file valid, so not everything may be refused.
        #expect(valid > 100 && valid < 15_000)
    }
}
