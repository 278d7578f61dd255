import CPUBackend
import Foundation
import RecurrentCore
import Testing

/// Compares the vectorised functions with Double on the host.
struct PointwiseAccuracyTests {
    static let sets = InstructionSet.allCases.filter(\.isSupported)

    struct Function: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// The largest error, in units in the last place of the exact result.
        let bound: Double
        let exact: @Sendable (Double) -> Double
        let apply: @Sendable (RecurrentCore.SymbolicValue) -> RecurrentCore.SymbolicValue
    }
    static let functions: [Function] = [
        Function(testDescription: "exp", bound: 2, exact: { Foundation.exp($0) }, apply: { RecurrentCore.exp($0) }),
        Function(testDescription: "log", bound: 2, exact: { Foundation.log($0) }, apply: { RecurrentCore.log($0) }),
        Function(testDescription: "tanh", bound: 4, exact: { Foundation.tanh($0) }, apply: { RecurrentCore.tanh($0) }),
        Function(
            testDescription: "sigmoid", bound: 4, exact: { 1 / (1 + Foundation.exp(-$0)) },
            apply: { RecurrentCore.sigmoid($0) }),
        Function(testDescription: "sin", bound: 2, exact: { Foundation.sin($0) }, apply: { RecurrentCore.sin($0) }),
        Function(testDescription: "cos", bound: 2, exact: { Foundation.cos($0) }, apply: { RecurrentCore.cos($0) }),
        Function(testDescription: "erf", bound: 2, exact: { Foundation.erf($0) }, apply: { RecurrentCore.erf($0) }),
        Function(testDescription: "sqrt", bound: 0.5, exact: { $0.squareRoot() }, apply: { RecurrentCore.sqrt($0) }),
    ]

    /// Numbers of every exponent and sign, and many of the magnitude that occurs in cells.
    private static let arguments: [Float] = {
        let spread = stride(from: UInt32(0), to: UInt32(0x7F80_0000), by: 9973).flatMap {
            [Float(bitPattern: $0), -Float(bitPattern: $0)]
        }
        return spread + stride(from: Float(-20), through: 20, by: 1 / 4096)
    }()

    @Test(arguments: functions, sets)
    func unitsInTheLastPlace(function: Function, instructions: InstructionSet) throws {
        let backend = try CPUBackend(threads: 2, instructions: instructions)
        let x = try backend.makeMatrix(Self.arguments, rows: 1, columns: Self.arguments.count)
        let y = try backend.allocate(rows: 1, columns: x.columns)
        backend.run(
            try backend.compile(PointwiseProgram(inputs: 1) { x, _ in [function.apply(x[0])] }), inputs: [x],
            outputs: [y])
        var worst = (error: 0.0, at: Float(0))
        for (argument, result) in zip(Self.arguments, backend.download(y, as: Float.self)) {
            let exact = function.exact(Double(argument)), rounded = Float(exact)
            if rounded == result || (exact.isNaN && result.isNaN) { continue }
            // Results and arguments below the least normal number may count as 0.
            if rounded.magnitude < .leastNormalMagnitude, result.magnitude <= .leastNormalMagnitude { continue }
            if !rounded.isFinite || !result.isFinite {
                worst = (.infinity, argument)
                continue
            }
            let error = abs(Double(result) - exact) / Double(rounded.ulp)
            if error > worst.error { worst = (error, argument) }
        }
        #expect(worst.error <= function.bound, "worst at \(worst.at)")
    }

    /// A function's value must not depend on the element's position: not on the width
    /// of the matrix, its strides or the neighbouring elements.
    @Test(arguments: sets)
    func bitsDoNotDependOnThePlace(instructions: InstructionSet) throws {
        let backend = try CPUBackend(threads: 1, instructions: instructions)
        let kernel = try backend.compile(
            PointwiseProgram(inputs: 1) { x, _ in
                [
                    tanh(x[0]) * sigmoid(x[0] + 0.3) + exp(0.7 * x[0]) / (1.5 + abs(x[0])), log(0.1 + abs(x[0])),
                    sin(1e9 * x[0]) + cos(x[0]) * erf(x[0]),
                ]
            })
        let values = (0..<37).map { Float($0 * 7 % 37) / 7 - 2.6 }
        func results(columns: Int, offset: Int, padding: Int) throws -> [[UInt32]] {
            let rows = values.count
            let count = offset + rows * (columns + padding)
            let inputs = try backend.makeMatrix((0..<count).map { Float($0 % 5) }, rows: 1, columns: count)
            let outputs = try (0..<3).map { _ in try backend.allocate(count) }
            func view(_ memory: any Memory) -> MatrixView {
                MatrixView(
                    memory, offset: offset, rows: rows, columns: columns, rowStride: columns + padding, columnStride: 1)
            }
            let source = view(inputs.memory)
            for (row, value) in values.enumerated() {
                backend.fill(source.rows(row..<row + 1).columns(columns - 1..<columns), with: Double(value))
            }
            backend.run(kernel, inputs: [source], outputs: outputs.map(view))
            return outputs.map { memory in
                let all: [Float] = backend.download(MatrixView(memory, rows: 1, columns: count))
                return (0..<rows).map { all[offset + $0 * (columns + padding) + columns - 1].bitPattern }
            }
        }
        let expected = try results(columns: 1, offset: 0, padding: 0)
        #expect(Set(expected[0]).count > 30)
        for columns in [1, 2, 3, 5, 8, 15, 16, 17, 50, 200, 511, 512, 513, 1300] {
            for (offset, padding) in [(0, 0), (1, 0), (0, 3), (5, 16)] {
                let isSame = try results(columns: columns, offset: offset, padding: padding) == expected
                #expect(isSame, "\(columns) columns, offset \(offset), \(padding) apart")
            }
        }
    }

    /// Outputs that are just inputs, each of which overwrites the other.
    @Test(arguments: [(1, 3), (1, 5000), (40, 50), (3, 1000)])
    func twoMatricesChangePlaces(rows: Int, columns: Int) throws {
        let backend = try CPUBackend(threads: 2)
        let exchange = try backend.compile(PointwiseProgram(inputs: 2) { x, _ in [x[1], x[0]] })
        let numbers = (0..<2 * rows * columns).map { Float($0) }
        let a = try backend.makeMatrix(Array(numbers[..<(rows * columns)]), rows: rows, columns: columns)
        let b = try backend.makeMatrix(Array(numbers[(rows * columns)...]), rows: rows, columns: columns)
        backend.run(exchange, inputs: [a, b], outputs: [a, b])
        let isExchanged = backend.download(b, as: Float.self) + backend.download(a, as: Float.self) == numbers
        #expect(isExchanged)
    }
}
