// Values with numbers of Swift, such as a cell's options: `z + dt * (force - gamma * y)` with a Double `dt`.
//
// These functions are generic so that no integer literal can be their number: `1 - u` and `rate < 1` have one meaning
// each, and long expressions compile at once. The free functions are disfavored because that of numbers and literals,
// `max(rate, 0)`, is Swift's own.

extension SymbolicValue {
    /// Returns the sum of a value and a number.
    public static func + <Number: BinaryFloatingPoint>(a: SymbolicValue, b: Number) -> SymbolicValue {
        a + SymbolicValue(Double(b))
    }
    /// Returns the sum of a number and a value.
    public static func + <Number: BinaryFloatingPoint>(a: Number, b: SymbolicValue) -> SymbolicValue {
        SymbolicValue(Double(a)) + b
    }
    /// Returns a value minus a number.
    public static func - <Number: BinaryFloatingPoint>(a: SymbolicValue, b: Number) -> SymbolicValue {
        a - SymbolicValue(Double(b))
    }
    /// Returns a number minus a value.
    public static func - <Number: BinaryFloatingPoint>(a: Number, b: SymbolicValue) -> SymbolicValue {
        SymbolicValue(Double(a)) - b
    }
    /// Returns the product of a value and a number.
    public static func * <Number: BinaryFloatingPoint>(a: SymbolicValue, b: Number) -> SymbolicValue {
        a * SymbolicValue(Double(b))
    }
    /// Returns the product of a number and a value.
    public static func * <Number: BinaryFloatingPoint>(a: Number, b: SymbolicValue) -> SymbolicValue {
        SymbolicValue(Double(a)) * b
    }
    /// Returns a value divided by a number.
    public static func / <Number: BinaryFloatingPoint>(a: SymbolicValue, b: Number) -> SymbolicValue {
        a / SymbolicValue(Double(b))
    }
    /// Returns a number divided by a value.
    public static func / <Number: BinaryFloatingPoint>(a: Number, b: SymbolicValue) -> SymbolicValue {
        SymbolicValue(Double(a)) / b
    }
    /// Returns 1 where a value is greater than a number, else 0.
    public static func > <Number: BinaryFloatingPoint>(a: SymbolicValue, b: Number) -> SymbolicValue {
        a > SymbolicValue(Double(b))
    }
    /// Returns 1 where a number is greater than a value, else 0.
    public static func > <Number: BinaryFloatingPoint>(a: Number, b: SymbolicValue) -> SymbolicValue {
        SymbolicValue(Double(a)) > b
    }
    /// Returns 1 where a value is less than a number, else 0.
    public static func < <Number: BinaryFloatingPoint>(a: SymbolicValue, b: Number) -> SymbolicValue {
        a < SymbolicValue(Double(b))
    }
    /// Returns 1 where a number is less than a value, else 0.
    public static func < <Number: BinaryFloatingPoint>(a: Number, b: SymbolicValue) -> SymbolicValue {
        SymbolicValue(Double(a)) < b
    }
}

/// Returns the larger of a value and a number.
@_disfavoredOverload
public func max<Number: BinaryFloatingPoint>(_ a: SymbolicValue, _ b: Number) -> SymbolicValue {
    max(a, SymbolicValue(Double(b)))
}
/// Returns the larger of a number and a value.
@_disfavoredOverload
public func max<Number: BinaryFloatingPoint>(_ a: Number, _ b: SymbolicValue) -> SymbolicValue {
    max(SymbolicValue(Double(a)), b)
}
/// Returns the smaller of a value and a number.
@_disfavoredOverload
public func min<Number: BinaryFloatingPoint>(_ a: SymbolicValue, _ b: Number) -> SymbolicValue {
    min(a, SymbolicValue(Double(b)))
}
/// Returns the smaller of a number and a value.
@_disfavoredOverload
public func min<Number: BinaryFloatingPoint>(_ a: Number, _ b: SymbolicValue) -> SymbolicValue {
    min(SymbolicValue(Double(a)), b)
}
/// Returns `a` where `condition` isn't 0, else the number `b`.
@_disfavoredOverload
public func select<Number: BinaryFloatingPoint>(_ condition: SymbolicValue, _ a: SymbolicValue, _ b: Number)
    -> SymbolicValue
{
    select(condition, a, SymbolicValue(Double(b)))
}
/// Returns the number `a` where `condition` isn't 0, else `b`.
@_disfavoredOverload
public func select<Number: BinaryFloatingPoint>(_ condition: SymbolicValue, _ a: Number, _ b: SymbolicValue)
    -> SymbolicValue
{
    select(condition, SymbolicValue(Double(a)), b)
}
/// Returns the number `a` where `condition` isn't 0, else the number `b`.
@_disfavoredOverload
public func select<Number: BinaryFloatingPoint>(_ condition: SymbolicValue, _ a: Number, _ b: Number) -> SymbolicValue {
    select(condition, SymbolicValue(Double(a)), SymbolicValue(Double(b)))
}
/// Returns a value to the power of a number, as for two values.
@_disfavoredOverload
public func pow<Number: BinaryFloatingPoint>(_ x: SymbolicValue, _ exponent: Number) -> SymbolicValue {
    pow(x, SymbolicValue(Double(exponent)))
}
/// Returns a number to the power of a value, as for two values.
@_disfavoredOverload
public func pow<Number: BinaryFloatingPoint>(_ base: Number, _ exponent: SymbolicValue) -> SymbolicValue {
    pow(SymbolicValue(Double(base)), exponent)
}
