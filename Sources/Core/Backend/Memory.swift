/// The type of the numbers that a backend computes with.
public enum ScalarType: String, Sendable {
    /// Single precision, 32 bits.
    case float32
    /// Double precision, 64 bits.
    case float64
}

/// A number that can travel between the host and a backend.
public protocol HostScalar: BinaryFloatingPoint, Sendable {
    /// The scalar type with the same representation.
    static var scalarType: ScalarType { get }
}
extension Float: HostScalar { public static var scalarType: ScalarType { .float32 } }
extension Double: HostScalar { public static var scalarType: ScalarType { .float64 } }

/// Memory that a backend allocated: `count` scalars of the backend's type, freed with
/// the last reference.
public protocol Memory: AnyObject, Sendable {
    /// The number of scalars.
    var count: Int { get }
    /// Where the scalars lie in the memory of this process, from which others may read them after ``Backend/synchronize()``;
    /// nil, as by default, if they lie elsewhere.
    var hostAddress: UnsafeMutableRawPointer? { get }
}

extension Memory {
    public var hostAddress: UnsafeMutableRawPointer? { nil }
}

/// Row numbers that a backend holds, for gather and scatter.
public protocol IndexMemory: AnyObject, Sendable {
    /// The number of row numbers.
    var count: Int { get }
}

/// A strided matrix in a backend's memory: element (r, c) is scalar
/// `offset + r * rowStride + c * columnStride`.
///
/// A stride of 0 repeats a row or a column: a bias is a row with `rowStride` 0, and a
/// mask over rows is a column with `columnStride` 0.
public struct MatrixView: Sendable {
    /// The memory that holds the elements.
    public let memory: any Memory
    /// The position of element (0, 0) in the memory, in scalars.
    public var offset: Int
    /// The number of rows.
    public var rows: Int
    /// The number of columns.
    public var columns: Int
    /// The distance from one row to the next, in scalars.
    public var rowStride: Int
    /// The distance from one column to the next, in scalars.
    public var columnStride: Int

    /// Creates a view of part of a memory.
    ///
    /// - Parameters:
    ///   - memory: the memory that holds the elements.
    ///   - offset: the position of element (0, 0), in scalars.
    ///   - rows: the number of rows.
    ///   - columns: the number of columns.
    ///   - rowStride: the distance from one row to the next, in scalars; `columns` if nil (a
    ///     packed matrix).
    ///   - columnStride: the distance from one column to the next, in scalars.
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
            "the view reaches past its memory")
    }

    /// The number of elements.
    public var count: Int { rows * columns }
    /// Whether the elements are contiguous in memory, row by row.
    public var isPacked: Bool { columnStride == 1 && (rowStride == columns || rows == 1) }

    /// Whether the elements of each row are contiguous in memory.
    var hasContiguousRows: Bool { columnStride == 1 || columns == 1 || count == 0 }

    /// The view with rows and columns exchanged; no element moves.
    public var transposed: MatrixView {
        MatrixView(
            memory, offset: offset, rows: columns, columns: rows,
            rowStride: columnStride, columnStride: rowStride)
    }

    /// Returns a view of some of the rows.
    public func rows(_ range: Range<Int>) -> MatrixView {
        MatrixView(
            memory, offset: offset + range.lowerBound * rowStride, rows: range.count, columns: columns,
            rowStride: rowStride, columnStride: columnStride)
    }

    /// Returns a view of some of the columns.
    public func columns(_ range: Range<Int>) -> MatrixView {
        MatrixView(
            memory, offset: offset + range.lowerBound * columnStride, rows: rows, columns: range.count,
            rowStride: rowStride, columnStride: columnStride)
    }

    /// Returns a view of the same elements in another shape.
    ///
    /// - Precondition: the view is packed and the counts agree.
    public func reshaped(rows: Int, columns: Int) -> MatrixView {
        precondition(isPacked && rows * columns == count)
        return MatrixView(memory, offset: offset, rows: rows, columns: columns)
    }
}
