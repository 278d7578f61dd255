/// A sum of products of atoms, which are numbered by ``Equations``: two expressions that arithmetic can turn into each
/// other are the same polynomial.
struct Polynomial: Hashable {
    /// The coefficient of each product, none of them 0; a product is the sorted list of its atoms, with repetitions.
    private(set) var terms: [[Int]: Double]

    /// More terms and more factors than an operator's equations have; expanding what has more would take too long.
    private static let largestCount = 200, largestDegree = 12

    init(constant: Double) { terms = constant == 0 ? [:] : [[]: constant] }
    init(atom: Int) { terms = [[atom]: 1] }
    private init(_ terms: [[Int]: Double]) { self.terms = terms.filter { $0.value != 0 } }

    /// The value if the polynomial is a constant.
    var constant: Double? { terms.isEmpty ? 0 : terms.count == 1 ? terms[[]] : nil }

    func scaled(by factor: Double) -> Polynomial { Polynomial(terms.mapValues { $0 * factor }) }

    /// Returns the sum; nil if it has too many terms.
    func plus(_ other: Polynomial) -> Polynomial? {
        guard terms.count + other.terms.count <= Self.largestCount else { return nil }
        return Polynomial(terms.merging(other.terms, uniquingKeysWith: +))
    }

    /// Returns the difference; nil if it has too many terms.
    func minus(_ other: Polynomial) -> Polynomial? { plus(other.scaled(by: -1)) }

    /// Returns the product, expanded; nil if it has too many terms or factors.
    func times(_ other: Polynomial) -> Polynomial? {
        guard terms.count * other.terms.count <= Self.largestCount else { return nil }
        var result: [[Int]: Double] = [:]
        for (first, a) in terms {
            for (second, b) in other.terms {
                guard first.count + second.count <= Self.largestDegree else { return nil }
                result[(first + second).sorted(), default: 0] += a * b
            }
        }
        return Polynomial(result)
    }

    /// Returns the polynomial in which other atoms stand for its own; nil if one has none.
    func replacing(_ atoms: (Int) -> Int?) -> Polynomial? {
        var result: [[Int]: Double] = [:]
        for (product, coefficient) in terms {
            var images: [Int] = []
            for atom in product {
                guard let image = atoms(atom) else { return nil }
                images.append(image)
            }
            result[images.sorted(), default: 0] += coefficient
        }
        return Polynomial(result)
    }

    /// Whether two coefficients are the same but for the rounding of the arithmetic that led to them.
    static func areEqual(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-12 * max(abs(a), abs(b)) }

    func isEqual(to other: Polynomial) -> Bool {
        terms.count == other.terms.count
            && terms.allSatisfy { product, value in other.terms[product].map { Self.areEqual($0, value) } ?? false }
    }
}
