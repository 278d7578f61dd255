import CPUBackend
import Foundation
import RecurrentCore
import Testing

/// Threads that start, sleep, wake and end.
struct ThreadTeamTests {
    /// Runs many small jobs in a row, each of which adds 1, and returns the sums.
    private func addMany(_ count: Int, on backend: CPUBackend, pause: useconds_t = 0) throws -> [Float] {
        // Each job has 4 pieces.
        let view = try backend.allocate(rows: 1, columns: 1 << 15)
        let one = try backend.compile(PointwiseProgram(inputs: 1) { x, _ in [x[0] + 1] })
        for _ in 0..<count {
            backend.run(one, inputs: [view], outputs: [view])
            if pause > 0 { usleep(pause) }
        }
        return backend.download(view)
    }

    @Test(arguments: [1, 2, 5, 32])
    func everyPieceIsDoneOnce(threads: Int) throws {
        let backend = try CPUBackend(threads: threads)
        #expect(try addMany(3000, on: backend).allSatisfy { $0 == 3000 })
    }

    @Test func sleepersWake() throws {
        #expect(try addMany(100, on: CPUBackend(threads: 3), pause: 2000).allSatisfy { $0 == 100 })
    }

    @Test func backendsComeAndGo() throws {
        for round in 0..<100 {
            #expect(
                try addMany(round % 3, on: CPUBackend(threads: 1 + round % 4)).allSatisfy { $0 == Float(round % 3) })
        }
    }

    /// Several backends that work at once share only OpenBLAS.
    @Test func backendsWorkSideBySide() async throws {
        @Sendable func product() throws -> [Float] {
            let backend = try CPUBackend(threads: 2)
            let a = try backend.makeMatrix((0..<120_000).map { Float($0 % 19) - 9 }, rows: 300, columns: 400)
            let c = try backend.allocate(rows: 300, columns: 300)
            var sums: [Float] = []
            for _ in 0..<20 {
                backend.gemm(a, a.transposed, into: c)
                sums += [backend.download(c, as: Float.self).reduce(0, +)]
                sums += try addMany(5, on: backend).prefix(3)
            }
            return sums
        }
        let expected = try product()
        let all = try await withThrowingTaskGroup(of: [Float].self) { group in
            for _ in 0..<4 { group.addTask { try product() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(all == Array(repeating: expected, count: 4))
    }
}
