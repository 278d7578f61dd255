/// The numbers a backend computes in.
public enum ScalarType: String, Sendable {
    case float32, float64
}

/// A number that can travel between the host and a backend.
public protocol HostScalar: BinaryFloatingPoint, Sendable {
    static var scalarType: ScalarType { get }
}
extension Float: HostScalar { public static var scalarType: ScalarType { .float32 } }
extension Double: HostScalar { public static var scalarType: ScalarType { .float64 } }

/// Memory that a backend allocated: `count` scalars of its own type, freed when
/// the last reference goes.
public protocol Memory: AnyObject, Sendable {
    var count: Int { get }
}

/// Row numbers that a backend holds, for gather and scatter.
public protocol IndexMemory: AnyObject, Sendable {
    var count: Int { get }
}

/// A strided matrix inside a backend's memory: element (r, c) is scalar
/// `offset + r * rowStride + c * columnStride`.
///
/// A stride of 0 repeats a row or a column: a bias is a row with `rowStride` 0,
/// a mask over rows a column with `columnStride` 0.
public struct MatrixView: Sendable {
    public let memory: any Memory
    public var offset: Int
    public var rows: Int
    public var columns: Int
    public var rowStride: Int
    public var columnStride: Int

    /// - Parameters:
    ///   - memory: what the view looks into.
    ///   - offset: of element (0, 0).
    ///   - rows: how many rows.
    ///   - columns: how many columns.
    ///   - rowStride: distance of two rows; `columns` if nil (a packed matrix).
    ///   - columnStride: distance of two columns.
    public init(
        _ memory: any Memory, offset: Int = 0, rows: Int, columns: Int,
        rowStride: Int? = nil, columnStride: Int = 1
    ) {
        self.memory = memory
        self.offset = offset
        self.rows = rows
        self.columns = columns
        self.rowStride = rowStride ?? columns
        self.columnStride = columnStride
        assert(offset >= 0 && rows >= 0 && columns >= 0)
        assert(
            rows == 0 || columns == 0
                || offset + (rows - 1) * self.rowStride + (columns - 1) * columnStride < memory.count,
            "view reaches past its memory")
    }

    public var count: Int { rows * columns }
    /// Whether the elements lie one behind the other, row by row.
    public var isPacked: Bool { columnStride == 1 && (rowStride == columns || rows == 1) }

    /// Rows and columns exchanged; no element moves.
    public var transposed: MatrixView {
        MatrixView(
            memory, offset: offset, rows: columns, columns: rows,
            rowStride: columnStride, columnStride: rowStride)
    }

    public func rows(_ range: Range<Int>) -> MatrixView {
        MatrixView(
            memory, offset: offset + range.lowerBound * rowStride, rows: range.count, columns: columns,
            rowStride: rowStride, columnStride: columnStride)
    }

    public func columns(_ range: Range<Int>) -> MatrixView {
        MatrixView(
            memory, offset: offset + range.lowerBound * columnStride, rows: rows, columns: range.count,
            rowStride: rowStride, columnStride: columnStride)
    }

    /// The packed elements in another shape.
    /// - Precondition: the view is packed and the counts agree.
    public func reshaped(rows: Int, columns: Int) -> MatrixView {
        precondition(isPacked && rows * columns == count)
        return MatrixView(memory, offset: offset, rows: rows, columns: columns)
    }
}
