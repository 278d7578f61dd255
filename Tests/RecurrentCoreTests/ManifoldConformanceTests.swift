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
        func makeWorkspace(size: Int, on backend: any Backend) throws -> any ManifoldWorkspace {
            Workspace(
                try CayleyUpdate().makeWorkspace(size: size, on: backend),
                try ExponentialUpdate().makeWorkspace(size: size, on: backend), backend, fault)
        }

        private final class Workspace: ManifoldWorkspace {
            let base: any ManifoldWorkspace
            let paper: any ManifoldWorkspace
            let backend: any Backend
            let fault: Fault?
            var calls = 0.0
            init(_ base: any ManifoldWorkspace, _ paper: any ManifoldWorkspace, _ backend: any Backend, _ fault: Fault?)
            {
                (self.base, self.paper, self.backend, self.fault) = (base, paper, backend, fault)
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
                    return try base.computeWeight(from: parameter, into: packed)
                }
                try base.computeWeight(from: parameter, into: weight)
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

            func parameterGradient(
                weightGradient gradient: MatrixView, weight: MatrixView, parameter: MatrixView, into result: MatrixView
            ) throws {
                try (fault == .gradientOfPaper ? paper : base).parameterGradient(
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
