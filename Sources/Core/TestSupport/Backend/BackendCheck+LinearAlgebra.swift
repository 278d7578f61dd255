import RecurrentCore

extension BackendCheck {
    func solving() throws {
        for n in [1, 2, 5, 32, 100] {
            for columns in [1, n, 3] {
                // A leading zero, so that no solution works without row exchanges.
                let a = try matrix(n, n, seed: UInt64(n))
                var values = contents(oracle, a.oracle)
                for i in 0..<n { values[i * n + (n - 1 - i)] += 3 }
                if n > 1 { values[0] = 0 }
                let matrix = try self.matrix(values, rows: n, columns: n)
                let right = try self.matrix(n, columns, seed: 9)
                let b = contents(oracle, right.oracle)
                try both([matrix, right]) { try $0.solve($1[0], $1[1]) }
                let x = contents(tested, right.tested)
                let product = multiply(values, x, n, n, columns)
                let scale = Double(n) * (x.map(\.magnitude).max() ?? 0) + 1
                try agree(product, b, .scale(scale), "solve, [\(n), \(n)], \(columns) right-hand sides: A · X")
                if n <= 32 {
                    try agree(x, contents(oracle, right.oracle), .scale(10 * scale), "solve, [\(n), \(n)]: X")
                }
            }
        }
        let singular: [(String, [Double])] = [
            ("zero", [Double](repeating: 0, count: 9)), ("with a zero row", [1, 2, 3, 0, 0, 0, 4, 5, 6]),
            ("with a repeated column", [1, 1, 0, 2, 2, 0, 4, 4, 1]),
        ]
        for (name, values) in singular {
            do {
                try tested.solve(
                    try tested.makeMatrix(values, rows: 3, columns: 3),
                    try tested.makeMatrix([1.0, 2, 3], rows: 3, columns: 1))
            } catch RecurrentError.linearAlgebra { continue }
            throw ConformanceFailure("\(tested.name): solve with a matrix \(name) does not throw linearAlgebra")
        }
        let right = try tested.makeMatrix([1.0, 2], rows: 2, columns: 1)
        try staysVisible(right, "solve") { try tested.solve($0, right) }
    }

    /// Checks that a matrix with NaN gives an error or a result that isn't finite.
    private func staysVisible(_ result: MatrixView, _ what: String, _ body: (MatrixView) throws -> Void) throws {
        do {
            try body(try tested.makeMatrix([1.0, .nan, .nan, 1], rows: 2, columns: 2))
        } catch RecurrentError.linearAlgebra { return }
        let values: [Double] = tested.download(result)
        try require(
            values.contains { !$0.isFinite }, "\(tested.name): \(what) of a matrix with NaN gives \(values)")
    }

    func eigendecomposition() throws {
        for n in [1, 2, 3, 16, 50] {
            var random = RandomStream(RandomKey(seed: UInt64(n), purpose: .test))
            var (re, im) = ([Double](repeating: 0, count: n * n), [Double](repeating: 0, count: n * n))
            for i in 0..<n {
                for j in 0...i {
                    re[i * n + j] = Double(Float(random.uniform(in: -1...1)))
                    im[i * n + j] = i == j ? 0 : Double(Float(random.uniform(in: -1...1)))
                    (re[j * n + i], im[j * n + i]) = (re[i * n + j], -im[i * n + j])
                }
            }
            let zeros = [Double](repeating: 0, count: n * n)
            let ones = (0..<n * n).map { $0 / n == $0 % n ? 1.0 : 0 }
            try eigen(n, re, im, "a Hermitian matrix")
            try eigen(n, zeros, im, "i times a skew matrix")
            try eigen(n, re, zeros, "a real symmetric matrix")
            try eigen(n, ones, zeros, "the identity")
            try eigen(n, zeros, zeros, "zero")
            try eigen(n, (0..<n * n).map { Double(($0 / n % 2) * ($0 % n % 2)) }, zeros, "a matrix of rank 1")
        }
        let values = try tested.allocate(rows: 1, columns: 2)
        try staysVisible(values, "hermitianEigen") {
            try tested.hermitianEigen(
                real: $0, imaginary: try tested.allocate(rows: 2, columns: 2), eigenvalues: values)
        }
    }

    private func eigen(_ n: Int, _ re: [Double], _ im: [Double], _ name: String) throws {
        let what = "hermitianEigen of \(name), [\(n), \(n)]"
        let real = try matrix(re, rows: n, columns: n), imaginary = try matrix(im, rows: n, columns: n)
        let values = try matrix(1, n)
        try both([real, imaginary, values]) {
            try $0.hermitianEigen(real: $1[0], imaginary: $1[1], eigenvalues: $1[2])
        }
        let scale = Double(n)
        try agree(values, .scale(scale), "\(what): the eigenvalues")
        let λ = contents(tested, values.tested)
        try require(zip(λ, λ.dropFirst()).allSatisfy { $0 <= $1 }, "\(tested.name): \(what): not in ascending order")
        let p = contents(tested, real.tested), q = contents(tested, imaginary.tested)
        if im.allSatisfy({ $0 == 0 }) {
            try agree(q, im, .scale(1), "\(what): the imaginary parts of a real matrix's eigenvectors")
        }
        func transposed(_ x: [Double]) -> [Double] { (0..<n * n).map { x[$0 % n * n + $0 / n] } }
        /// Returns the real and imaginary parts of (P + iQ) D (P + iQ)† for a diagonal D.
        func sandwich(_ p: [Double], _ q: [Double], _ d: [Double]) -> ([Double], [Double]) {
            let (pd, qd) = ((0..<n * n).map { p[$0] * d[$0 % n] }, (0..<n * n).map { q[$0] * d[$0 % n] })
            let (pt, qt) = (transposed(p), transposed(q))
            func product(_ a: [Double], _ b: [Double]) -> [Double] { multiply(a, b, n, n, n) }
            return (
                zip(product(pd, pt), product(qd, qt)).map { $0 + $1 },
                zip(product(qd, pt), product(pd, qt)).map { $0 - $1 }
            )
        }
        let (again, againImaginary) = sandwich(p, q, λ)
        try agree(again, re, .scale(scale), "\(what): V Λ V†, real part")
        try agree(againImaginary, im, .scale(scale), "\(what): V Λ V†, imaginary part")
        let (unit, unitImaginary) = sandwich(p, q, [Double](repeating: 1, count: n))
        try agree(unit, (0..<n * n).map { $0 / n == $0 % n ? 1 : 0 }, .scale(1), "\(what): V V†, real part")
        try agree(unitImaginary, [Double](repeating: 0, count: n * n), .scale(1), "\(what): V V†, imaginary part")
    }

    /// Returns A [m, k] · B [k, n], computed on the host.
    func multiply(_ a: [Double], _ b: [Double], _ m: Int, _ k: Int, _ n: Int) -> [Double] {
        var result = [Double](repeating: 0, count: m * n)
        for i in 0..<m {
            for l in 0..<k { for j in 0..<n { result[i * n + j] += a[i * k + l] * b[l * n + j] } }
        }
        return result
    }
}
