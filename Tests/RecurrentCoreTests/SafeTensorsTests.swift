import Foundation
import RecurrentCore
import Testing

/// The output of Python's safetensors 0.8.0 for
///
///     {"weight": float32 [[0, 1.5, -2], [3, 1e-40, inf]], "steps": int64 [7, -1], "scale": float64 0.1,
///      "empty": float32 [0, 4], "ids": int32 [5, -6], 'größe "a"': float32 [1]},  metadata={"format": "pt"}
///
/// and, in `writtenByPython`, also for "half": float16 [1.5, -0.0, 6e-8, 65504, -inf, 0.33325…],
/// "brain": bfloat16 [1.5, -3.140625, 1e38], "mask": bool [True, False, True].
private let plainByPython = Data(
    base64Encoded: """
        kAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCJ9LCJzdGVwcyI6eyJkdHlwZSI6Ikk2NCIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2\
        V0cyI6WzAsMTZdfSwic2NhbGUiOnsiZHR5cGUiOiJGNjQiLCJzaGFwZSI6W10sImRhdGFfb2Zmc2V0cyI6WzE2LDI0XX0sImVtcHR5Ijp7ImR0eXBl\
        IjoiRjMyIiwic2hhcGUiOlswLDRdLCJkYXRhX29mZnNldHMiOlsyNCwyNF19LCJncsO2w59lIFwiYVwiIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOl\
        sxXSwiZGF0YV9vZmZzZXRzIjpbMjQsMjhdfSwid2VpZ2h0Ijp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyLDNdLCJkYXRhX29mZnNldHMiOlsyOCw1\
        Ml19LCJpZHMiOnsiZHR5cGUiOiJJMzIiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOls1Miw2MF19fSAgICAgBwAAAAAAAAD//////////5qZmZ\
        mZmbk/AACAPwAAAAAAAMA/AAAAwAAAQEDCFgEAAACAfwUAAAD6////
        """)!
private let writtenByPython = Data(
    base64Encoded: """
        QAIAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCJ9LCJzdGVwcyI6eyJkdHlwZSI6Ikk2NCIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2\
        V0cyI6WzAsMTZdfSwic2NhbGUiOnsiZHR5cGUiOiJGNjQiLCJzaGFwZSI6W10sImRhdGFfb2Zmc2V0cyI6WzE2LDI0XX0sImVtcHR5Ijp7ImR0eXBl\
        IjoiRjMyIiwic2hhcGUiOlswLDRdLCJkYXRhX29mZnNldHMiOlsyNCwyNF19LCJncsO2w59lIFwiYVwiIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOl\
        sxXSwiZGF0YV9vZmZzZXRzIjpbMjQsMjhdfSwid2VpZ2h0Ijp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyLDNdLCJkYXRhX29mZnNldHMiOlsyOCw1\
        Ml19LCJpZHMiOnsiZHR5cGUiOiJJMzIiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOls1Miw2MF19LCJicmFpbiI6eyJkdHlwZSI6IkJGMTYiLC\
        JzaGFwZSI6WzNdLCJkYXRhX29mZnNldHMiOls2MCw2Nl19LCJoYWxmIjp7ImR0eXBlIjoiRjE2Iiwic2hhcGUiOls2XSwiZGF0YV9vZmZzZXRzIjpb\
        NjYsNzhdfSwibWFzayI6eyJkdHlwZSI6IkJPT0wiLCJzaGFwZSI6WzNdLCJkYXRhX29mZnNldHMiOls3OCw4MV19fSAgICAHAAAAAAAAAP////////\
        //mpmZmZmZuT8AAIA/AAAAAAAAwD8AAADAAABAQMIWAQAAAIB/BQAAAPr////AP0nAln4APgCAAQD/ewD8VTUBAAE=
        """)!

/// 1e-40.
private let subnormal = Float(bitPattern: 0x1_16C2)

let pythonSafeTensors = [UInt8](writtenByPython)

@Suite struct ReadingSafeTensors {
    @Test func fromPython() throws {
        let file = try SafeTensors(bytes: pythonSafeTensors, path: "python")
        #expect(file.metadata == ["format": "pt"])
        #expect(
            file.tensors.map(\.name) == [
                "steps", "scale", "empty", "größe \"a\"", "weight", "ids", "brain", "half", "mask",
            ])
        #expect(try file.floats("weight", shape: [2, 3]) == [0, 1.5, -2, 3, subnormal, .infinity])
        #expect(try file.doubles("weight") == [0, 1.5, -2, 3, Double(subnormal), .infinity])
        #expect(try file.integers("steps") == [7, -1])
        #expect(try file.integers("ids", shape: [2]) == [5, -6])
        #expect(try file.doubles("scale", shape: []) == [0.1])
        #expect(try file.floats("scale") == [0.1])
        #expect(try file.floats("empty", shape: [0, 4]) == [])
        #expect(try file.floats("größe \"a\"") == [1])
        #expect(try file.floats("brain") == [1.5, -3.140625, 9.969209968386869e+37])
        #expect(try file.bytes("mask") == [1, 0, 1])
        let half = try file.floats("half")
        #expect(half == [1.5, -0.0, 5.960464477539063e-08, 65504, -.infinity, 0.333251953125])
        #expect(half[1].sign == .minus)
    }

    @Test func everyHalfIsWidenedExactly() throws {
        let bits = (0...UInt16.max).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let header = #"{"h":{"dtype":"F16","shape":[65536],"data_offsets":[0,131072]}}"#
        let file = try SafeTensors(bytes: safeTensors(header, data: bits), path: "halves")
        for (pattern, value) in try file.floats("h").enumerated() {
            let expected = expectedHalf(pattern)
            #expect(value == expected || (value.isNaN && expected.isNaN))
        }
    }

    /// Returns the value by definition: sign, 5 bits of exponent, 10 of fraction.
    private func expectedHalf(_ pattern: Int) -> Float {
        let (exponent, fraction) = (pattern >> 10 & 31, Float(pattern & 1023))
        let magnitude: Float =
            switch exponent {
            case 0: fraction * 0x1p-24
            case 31: fraction == 0 ? .infinity : .nan
            default: (1 + fraction / 1024) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
            }
        return pattern >> 15 == 0 ? magnitude : -magnitude
    }

    @Test func wrongRequestsNameWhatIsThere() throws {
        let file = try SafeTensors(bytes: pythonSafeTensors, path: "m.safetensors")
        func refusal(_ read: () throws -> Any) -> String? {
            do {
                _ = try read()
                return nil
            } catch { return "\(error)" }
        }
        #expect(
            refusal { try file.floats("bias") }
                == "m.safetensors: has no tensor 'bias'; it holds steps, scale, empty, größe \"a\", weight, ids, brain, half, mask"
        )
        #expect(
            refusal { try file.floats("weight", shape: [3, 2]) }
                == "m.safetensors: tensor 'weight' has the shape [2, 3], not [3, 2]")
        #expect(
            refusal { try file.floats("ids") }
                == "m.safetensors: tensor 'ids' has the element type I32; expected floating-point numbers (F16, BF16, F32, F64)"
        )
        #expect(
            refusal { try file.integers("scale") }
                == "m.safetensors: tensor 'scale' has the element type F64; expected integers (I32, I64)")
    }
}

@Suite struct WritingSafeTensors {
    @Test func sameBytesAsPythonInAnyOrder() throws {
        typealias Add = (inout SafeTensorsWriter) -> Void
        let additions: [Add] = [
            { $0.add("weight", shape: [2, 3], [0, 1.5, -2, 3, subnormal, .infinity] as [Float]) },
            { $0.add("steps", shape: [2], [7, -1] as [Int64]) },
            { $0.add("scale", shape: [], [0.1] as [Double]) },
            { $0.add("empty", shape: [0, 4], [] as [Float]) },
            { $0.add("ids", shape: [2], [5, -6] as [Int32]) },
            { $0.add("größe \"a\"", shape: [1], [1] as [Float]) },
        ]
        for start in additions.indices {
            var writer = SafeTensorsWriter(metadata: ["format": "pt"])
            for i in additions.indices { additions[(start + i) % additions.count](&writer) }
            #expect(writer.encoded() == [UInt8](plainByPython))
        }
    }

    @Test func whatIsWrittenIsRead() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/model.safetensors"
        var random = RandomStream(RandomKey(seed: 1, purpose: .test))
        let values = (0..<1000).map { _ in Float(random.normal()) }
        let strange = "\"\\/\u{8}\u{C}\n\r\t\u{1F}\u{7F}ü世\u{1F600}"
        var writer = SafeTensorsWriter(metadata: ["b": strange, strange: "a"])
        writer.add(strange, shape: [10, 100], values)
        writer.add("doubles", shape: [1000, 1], values.map(Double.init))
        try writer.write(to: path)
        let file = try SafeTensors(path: path)
        #expect(file.metadata == ["b": strange, strange: "a"])
        #expect(try file.floats(strange, shape: [10, 100]) == values)
        #expect(try file.doubles("doubles", shape: [1000, 1]) == values.map(Double.init))
        #expect(file.tensors.map(\.type) == [.float64, .float32])
    }

    @Test func nothingAtAll() throws {
        let file = try SafeTensors(bytes: SafeTensorsWriter().encoded(), path: "empty")
        #expect(file.tensors.isEmpty && file.metadata.isEmpty)
    }

    /// Names that Swift's Strings take for equal: an é of one code point, and one of two.
    @Test func namesAreBytes() throws {
        let (one, two) = ("caf\u{e9}", "cafe\u{301}")
        var writer = SafeTensorsWriter(metadata: ["a": one])
        writer.add(one, shape: [1], [1] as [Float])
        writer.add(two, shape: [2], [2, 3] as [Float])
        let file = try SafeTensors(bytes: writer.encoded(), path: "names")
        #expect(try file.floats(one) == [1] && file.floats(two, shape: [2]) == [2, 3])
        #expect(file[one] != file[two])
        var single = SafeTensorsWriter()
        single.add(one, shape: [1], [1] as [Float])
        #expect(try SafeTensors(bytes: single.encoded(), path: "name")[two] == nil)
        // Keys of the metadata may differ in the same way.
        let header = "{\"__metadata__\":{\"\(one)\":\"1\",\"\(two)\":\"2\"}}"
        #expect(try SafeTensors(bytes: safeTensors(header), path: "keys").tensors.isEmpty)
    }
}
