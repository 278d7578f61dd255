import CUDABackend
import RecurrentCore
import RecurrentTestSupport
import Testing

struct DeepExpressionTests {
    /// The text of a kernel is generated without recursion over its expressions.
    @Test func aLongProgramIsTranslatedOnASmallStack() throws {
        let depth = 200_000
        let device = CollectingDevice()
        try withSmallStack {
            let program = PointwiseProgram(inputs: 1) { x, _ in
                [(0..<depth / 2).reduce(x[0]) { value, _ in value * 0.5 + 0.5 }]
            }
            _ = try CUDABackend(driver: device).compile(program)
        }
        let lines = device.sources.keys.map { $0.body.split(separator: "\n").count }
        #expect(lines.max()! > depth)
    }
}
