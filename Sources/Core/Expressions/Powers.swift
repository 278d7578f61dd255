/// Returns `x` to the power of `exponent`.
///
/// In general that is `exp(exponent * log(x))`, for x > 0: it is NaN below, and at 0 its value is a limit, but its
/// derivative NaN. Where the exponent is a number, some powers are faster and defined for more `x`: those of the whole
/// numbers from −64 to 64 are products of as few factors as repeated squaring takes, for any `x`, as in `pow(x, 3)`, or 1
/// divided by them; those of 0.5 and −0.5 are square roots, for x ≥ 0.
public func pow(_ x: SymbolicValue, _ exponent: SymbolicValue) -> SymbolicValue {
    guard case .constant(let number) = exponent.node.operation else { return exp(exponent * log(x)) }
    let isWhole = number.magnitude <= 64 && number == number.rounded()
    if number < 0, isWhole || number == -0.5 { return 1 / pow(x, SymbolicValue(-number)) }
    if number == 0.5 { return sqrt(x) }
    guard isWhole else { return exp(exponent * log(x)) }
    var result: SymbolicValue?, square = x, rest = Int(number)
    while rest > 0 {
        if rest & 1 == 1 { result = result.map { $0 * square } ?? square }
        rest >>= 1
        if rest > 0 { square = square * square }
    }
    return result ?? 1
}
