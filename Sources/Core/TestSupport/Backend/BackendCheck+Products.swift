import RecurrentCore

extension BackendCheck {
    func products() throws {
        let shapes = [(1, 1, 1), (3, 5, 7), (1, 33, 17), (17, 1, 33), (33, 17, 1), (65, 40, 50)]
        for (m, n, k) in shapes {
            for a in Layout.dense {
                for b in Layout.dense { try product(m, n, k, a, b) }
            }
        }
        // Long sums and large results, which a backend may split.
        try product(40, 30, 3000, .packed, .packed)
        try product(50, 20, 5000, .transposed, .packed)
        try product(700, 90, 20, .packed, .transposed)
        try product(20, 1100, 30, .padded, .transposed)

        let (w, c) = (try matrix(6, 6, .padded, seed: 8), try matrix(6, 6, .packed, seed: 9))
        both([w, c]) { $0.gemm($1[0], $1[0].transposed, into: $1[1]) }
        try agree(c, .scale(6), "gemm of a matrix and its own transpose")
    }

    private func product(_ m: Int, _ n: Int, _ k: Int, _ a: Layout, _ b: Layout) throws {
        let left = try matrix(m, k, a, seed: 1), right = try matrix(k, n, b, seed: 2)
        for (alpha, beta) in [(1.0, 0.0), (1, 1), (-0.5, 2)] {
            for layout in Layout.byRows {
                // With beta 0 the result may hold anything beforehand.
                let result = try matrix(m, n, layout, seed: 3, value: beta == 0 ? { _ in .nan } : nil)
                both([left, right, result]) { $0.gemm(alpha: alpha, $1[0], $1[1], beta: beta, $1[2]) }
                try agree(
                    result, .scale(Double(k).squareRoot() + beta),
                    "gemm [\(m), \(k)] \(a) · [\(k), \(n)] \(b), alpha \(alpha), beta \(beta), into \(layout)")
            }
        }
        try agree(left, .exact, "gemm changes its left operand")
        try agree(right, .exact, "gemm changes its right operand")
    }
}
