import ManifoldUpdates
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// `checkManifoldUpdate` finds mistakes.
@Suite struct ManifoldConformanceTests {
    enum Fault: String, CaseIterable {
        case notOrthogonal, notIdentity, jumps, gradientNotSkew, gradientDoubled, gradientTransposed, gradientOfPaper
        case parameterChanged, weightChanged, remembers, ignoresRowStride
    }

    /// The Cayley transform with one mistake.
    private struct Faulty: ManifoldUpdate {
        let fault: Fault?
        var name: String { fault?.rawValue ?? "faultless" }
        var summary: String { "for this test" }
        var traits: ManifoldTraits { ManifoldTraits(reachesHalfTurns: false) }
        func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
            Workspace(
                try CayleyUpdate().makeWorkspace(size: size, on: backend) as! any SkewWorkspace,
                try ExponentialUpdate().makeWorkspace(size: size, on: backend) as! any SkewWorkspace, backend, fault)
        }

        private final class Workspace: SkewWorkspace {
            let inner: any SkewWorkspace
            let paper: any SkewWorkspace
            var size: Int { inner.size }
            let backend: any Backend
            let fault: Fault?
            var calls = 0.0
            init(_ inner: any SkewWorkspace, _ paper: any SkewWorkspace, _ backend: any Backend, _ fault: Fault?) {
                (self.inner, self.paper, self.backend, self.fault) = (inner, paper, backend, fault)
            }

            /// Multiplies every element, or the first row's, by `factor`.
            func scale(_ view: MatrixView, _ factor: Double) throws {
                let kernel = try backend.compile(PointwiseProgram(inputs: 1, scalars: 1) { x, s in [x[0] * s[0]] })
                backend.run(kernel, inputs: [view], outputs: [view], scalars: [factor])
            }

            func computeWeight(from parameter: MatrixView, into weight: MatrixView) throws {
                calls += 1
                if fault == .ignoresRowStride {
                    let packed = MatrixView(
                        weight.memory, offset: weight.offset, rows: weight.rows, columns: weight.columns)
                    return try inner.computeWeight(from: parameter, into: packed)
                }
                try inner.computeWeight(from: parameter, into: weight)
                let row = weight.rows(0..<1)
                let angle = weight.columns > 1 ? backend.download(parameter, as: Double.self)[1].magnitude : 0
                switch fault {
                case .notOrthogonal: try scale(row, 1 + 1e-7)
                case .notIdentity: try scale(row, -1)
                case .jumps: try scale(row, angle > 0.3 ? -1 : 1)
                case .remembers: try scale(row, 1 + calls * 1e-13)
                case .parameterChanged: try scale(parameter, 1 + 1e-12)
                default: break
                }
            }

            func computeParameter(from weight: MatrixView, into parameter: MatrixView) throws {
                try inner.computeParameter(from: weight, into: parameter)
            }

            func parameterGradient(
                weightGradient gradient: MatrixView, weight: MatrixView, parameter: MatrixView, into result: MatrixView
            ) throws {
                try (fault == .gradientOfPaper ? paper : inner).parameterGradient(
                    weightGradient: fault == .gradientTransposed ? gradient.transposed : gradient, weight: weight,
                    parameter: parameter, into: result)
                switch fault {
                case .gradientNotSkew: try scale(result.rows(0..<1), 1 + 1e-13)
                case .gradientDoubled: try scale(result, 2)
                case .weightChanged: try scale(weight, 1 + 1e-12)
                default: break
                }
            }
        }
    }

    enum BaseFault: String, CaseIterable {
        case moveChangesWeight, ignoresGate, hidesItsBase, flipsDeterminant, startsAnywhere, startsElsewhere,
            refusesStarts
        case losesSymmetry, leavesMargin, gradientOfAnotherParameter, twoOfOneName
    }

    /// Dynamic trivialization, or a margin around it, with one mistake.
    private struct FaultyBase: ManifoldUpdate {
        let fault: BaseFault?
        var name: String { fault?.rawValue ?? "faultless" }
        var summary: String { "for this test" }
        var update: any ManifoldUpdate {
            fault == .leavesMargin || fault == .gradientOfAnotherParameter
                ? MarginUpdate(margin: 0.2, period: 2) : DynamicTrivializationUpdate(period: 2)
        }
        var traits: ManifoldTraits {
            var traits = update.traits
            if fault == .startsAnywhere { traits.starts = .rotations }
            if fault == .leavesMargin { traits.spectralMargin = 0.05 }
            return traits
        }
        func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
            Workspace(try update.makeWorkspace(size: size, on: backend), backend, fault, .real)
        }
        func makeUnitaryWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
            Workspace(try update.makeUnitaryWorkspace(size: size, on: backend), backend, fault, .complex)
        }

        private final class Workspace: ManifoldWorkspace {
            let inner: any ManifoldWorkspace
            let backend: any Backend
            let fault: BaseFault?
            let field: WeightField
            var hidden: [Double]?
            init(_ inner: any ManifoldWorkspace, _ backend: any Backend, _ fault: BaseFault?, _ field: WeightField) {
                (self.inner, self.backend, self.fault, self.field) = (inner, backend, fault, field)
            }
            var parameters: [ManifoldMatrix] { inner.parameters }
            var base: [ManifoldMatrix] {
                fault == .twoOfOneName
                    ? inner.base.map { ManifoldMatrix("", rows: $0.rows, columns: $0.columns) } : inner.base
            }
            func change(_ view: MatrixView, _ element: Int, _ new: (Double) -> Double) {
                var values: [Double] = backend.download(view)
                values[element] = new(values[element])
                backend.upload(values, to: view)
            }
            func initialize(_ point: ManifoldPoint, skew: MatrixView, random: inout RandomStream) throws {
                try inner.initialize(point, skew: skew, random: &random)
                if fault == .leavesMargin { backend.fill(point.parameters[2], with: 3) }
            }
            func adopt(_ weight: MatrixView, into point: ManifoldPoint) throws {
                if fault == .refusesStarts { throw RecurrentError.linearAlgebra("no") }
                try inner.adopt(weight, into: point)
                if fault == .startsElsewhere { change(point.base[0], 0) { -$0 } }
            }
            func beginStep(_ step: Int, at point: ManifoldPoint, weight: MatrixView, gate: MatrixView?) throws {
                if fault == .hidesItsBase, step == 1 { hidden = backend.download(weight) }
                try inner.beginStep(step, at: point, weight: weight, gate: fault == .ignoresGate ? nil : gate)
                if fault == .moveChangesWeight, step == 3 { backend.fill(point.parameters[0], with: 0.1) }
                if fault == .losesSymmetry, field == .complex, gate == nil {
                    change(point.parameters[0], point.parameters[0].count - 2) { $0 + 1e-13 }
                }
                if fault == .flipsDeterminant, step == 2, gate == nil {
                    var values: [Double] = backend.download(point.base[0])
                    for i in stride(from: 0, to: values.count, by: point.base[0].columns) { values[i] *= -1 }
                    backend.upload(values, to: point.base[0])
                }
            }
            func computeWeight(at point: ManifoldPoint, into weight: MatrixView) throws {
                if let hidden {
                    let base: [Double] = backend.download(point.base[0])
                    backend.upload(hidden, to: point.base[0])
                    try inner.computeWeight(at: point, into: weight)
                    backend.upload(base, to: point.base[0])
                } else {
                    try inner.computeWeight(at: point, into: weight)
                }
            }
            func parameterGradients(
                weightGradient: MatrixView, weight: MatrixView, at point: ManifoldPoint, into results: [MatrixView]
            ) throws {
                try inner.parameterGradients(weightGradient: weightGradient, weight: weight, at: point, into: results)
                if fault == .gradientOfAnotherParameter { change(results[2], 0) { $0 + 1e-3 } }
            }
        }
    }

    @Test(arguments: BaseFault.allCases)
    func mistakesOfABaseAreFound(fault: BaseFault) {
        #expect(throws: ConformanceFailure.self) {
            try checkManifoldUpdate(FaultyBase(fault: fault), on: ReferenceBackend(), sizes: [3])
        }
    }

    @Test func aBaseWithoutMistakesPasses() throws {
        try checkManifoldUpdate(FaultyBase(fault: nil), on: ReferenceBackend(), sizes: [1, 3])
    }

    @Test(arguments: Fault.allCases)
    func mistakesAreFound(fault: Fault) {
        #expect(throws: ConformanceFailure.self) {
            try checkManifoldUpdate(Faulty(fault: fault), on: ReferenceBackend(), sizes: [4], isExact: true)
        }
    }

    @Test func withoutMistakesItPasses() throws {
        try checkManifoldUpdate(Faulty(fault: nil), on: ReferenceBackend(), sizes: [1, 4], isExact: true)
        // The paper's gradient is exact at B = 0, and an ascent direction near it.
        try checkManifoldUpdate(Faulty(fault: .gradientOfPaper), on: ReferenceBackend(), sizes: [1, 4], isExact: false)
    }
}
