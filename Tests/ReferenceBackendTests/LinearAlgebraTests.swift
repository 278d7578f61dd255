import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

private let backend = ReferenceBackend()

@Test func aSolutionByHand() throws {
    // x + y = 3 and 2 x = 2, written so that the first pivot is 0.
    let a = try backend.makeMatrix([0.0, 2, 1, 1], rows: 2, columns: 2)
    let b = try backend.makeMatrix([2.0, 4, 3, 5], rows: 2, columns: 2)
    try backend.solve(a, b)
    #expect(backend.download(b) == [2.0, 3, 1, 2])
}

@Test func solutionsAgreeWithNumpy() throws {
    let a = try backend.makeMatrix(NumpyNumbers.of("solve a"), rows: 7, columns: 7)
    let b = try backend.makeMatrix(NumpyNumbers.of("solve b"), rows: 7, columns: 3)
    try backend.solve(a, b)
    #expect(largestError(backend.download(b), try NumpyNumbers.of("solve result")) < 1e-11)
}

@Test func singularMatricesAreNamed() throws {
    let a = try backend.makeMatrix([1.0, 2, 2, 4], rows: 2, columns: 2)
    let b = try backend.makeMatrix([1.0, 1], rows: 2, columns: 1)
    #expect(throws: RecurrentError.linearAlgebra("solve: the 2 × 2 matrix is singular")) { try backend.solve(a, b) }
}

/// [[2, i], [−i, 2]] has the eigenvalues 1 and 3 with eigenvectors (1, i) and (1, −i) over √2.
@Test func eigenvectorsByHand() throws {
    let real = try backend.makeMatrix([2.0, 0, 0, 2], rows: 2, columns: 2)
    let imaginary = try backend.makeMatrix([0.0, 1, -1, 0], rows: 2, columns: 2)
    let values = try backend.allocate(rows: 1, columns: 2)
    try backend.hermitianEigen(real: real, imaginary: imaginary, eigenvalues: values)
    let λ: [Double] = backend.download(values)
    #expect(abs(λ[0] - 1) < 1e-15 && abs(λ[1] - 3) < 1e-15)
    let (p, q): ([Double], [Double]) = (backend.download(real), backend.download(imaginary))
    for (column, ratio) in [(0, 1.0), (1, -1.0)] {
        // v₁ = ± i v₀, and both have magnitude √½.
        #expect(abs(p[2 + column] + ratio * q[column]) < 1e-15 && abs(q[2 + column] - ratio * p[column]) < 1e-15)
        #expect(abs(p[column] * p[column] + q[column] * q[column] - 0.5) < 1e-15)
    }
}

@Test func eigenvaluesAgreeWithNumpy() throws {
    let real = try backend.makeMatrix(NumpyNumbers.of("eigen real"), rows: 6, columns: 6)
    let imaginary = try backend.makeMatrix(NumpyNumbers.of("eigen imaginary"), rows: 6, columns: 6)
    let values = try backend.allocate(rows: 1, columns: 6)
    try backend.hermitianEigen(real: real, imaginary: imaginary, eigenvalues: values)
    #expect(relativeError(backend.download(values), try NumpyNumbers.of("eigenvalues")) < 1e-14)
}

/// The rounding error grows with the size, and the sweeps must end there. Trace and squared norm are preserved.
@Test func largeEigendecompositionsConverge() throws {
    let n = 300
    var random = RandomStream(RandomKey(seed: 1, purpose: .test))
    var re = [Double](repeating: 0, count: n * n), im = re
    for i in 0..<n {
        for j in 0...i {
            re[i * n + j] = random.normal()
            im[i * n + j] = i == j ? 0 : random.normal()
            (re[j * n + i], im[j * n + i]) = (re[i * n + j], -im[i * n + j])
        }
    }
    let values = try backend.allocate(rows: 1, columns: n)
    try backend.hermitianEigen(
        real: try backend.makeMatrix(re, rows: n, columns: n),
        imaginary: try backend.makeMatrix(im, rows: n, columns: n),
        eigenvalues: values)
    let λ: [Double] = backend.download(values)
    let trace = (0..<n).reduce(0) { $0 + re[$1 * n + $1] }
    let square = zip(re, im).reduce(0) { $0 + $1.0 * $1.0 + $1.1 * $1.1 }
    #expect(abs(λ.reduce(0, +) - trace) < 1e-10)
    #expect(abs(λ.reduce(0) { $0 + $1 * $1 } - square) < 1e-9 * square)
}
