/// What a session predicts: for each stream a row of V numbers, which are logits, probabilities, or predicted numbers.
///
///     let rows = try session.probabilities(after: tokens)
///     let best = rows[0].largest          // the likeliest class of stream 0
///     let chance = rows[0][best]
///
/// It is a value: it doesn't change when the session goes on. The session uses the memory again if the rows are no longer
/// in use by then, and only otherwise allocates new memory.
public struct Predictions: RandomAccessCollection, @unchecked Sendable {
    /// The memory of rows. It is written only while no value but the session's own refers to it.
    final class Storage {
        let backend: any Backend
        let memory: any Memory
        let capacity: Int
        let columns: Int
        /// The distance between two rows.
        let stride: Int
        /// The numbers on the host: the memory itself, if it is there and in single precision.
        let numbers: UnsafeMutablePointer<Float>
        private let isCopy: Bool

        init(capacity: Int, columns: Int, on backend: any Backend) throws {
            self.backend = backend
            self.capacity = capacity
            self.columns = columns
            stride = (columns + 15) / 16 * 16
            memory = try backend.allocate(capacity * stride)
            if backend.scalarType == .float32, let address = memory.hostAddress {
                numbers = address.assumingMemoryBound(to: Float.self)
                isCopy = false
            } else {
                numbers = .allocate(capacity: capacity * stride)
                numbers.initialize(repeating: 0, count: capacity * stride)
                isCopy = true
            }
        }

        deinit { if isCopy { numbers.deallocate() } }

        /// The first rows, as a view of the memory.
        func view(_ rows: Int) -> MatrixView {
            MatrixView(memory, rows: rows, columns: columns, rowStride: stride)
        }

        /// Copies rows to the host if they aren't there.
        func fetch(_ rows: Int) {
            if isCopy {
                backend.download(
                    memory, offset: 0, into: UnsafeMutableBufferPointer(start: numbers, count: rows * stride))
            }
        }
    }

    /// A row of predictions: one number per class, or the predicted numbers.
    public struct Row: RandomAccessCollection, @unchecked Sendable {
        let storage: Storage
        let offset: Int
        public var startIndex: Int { 0 }
        public var endIndex: Int { storage.columns }
        /// The number of a class.
        public subscript(column: Int) -> Float {
            precondition(column >= 0 && column < storage.columns, "a class outside 0..<\(storage.columns)")
            return storage.numbers[offset + column]
        }
        /// The class with the largest number; of equal ones, the first.
        public var largest: Int {
            withUnsafeBufferPointer { numbers in
                var best = 0
                for index in numbers.indices where numbers[index] > numbers[best] { best = index }
                return best
            }
        }
        /// Calls a function with the row's numbers, which are valid until it returns.
        public func withUnsafeBufferPointer<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
            try withExtendedLifetime(storage) {
                try body(UnsafeBufferPointer(start: storage.numbers + offset, count: storage.columns))
            }
        }
    }

    let storage: Storage
    /// The number of rows: one per stream.
    public let count: Int
    public var startIndex: Int { 0 }
    public var endIndex: Int { count }
    /// The number V of columns: classes, or predicted numbers.
    public var columns: Int { storage.columns }
    /// The row of a stream, counted from 0 among those that were asked for.
    public subscript(row: Int) -> Row {
        precondition(row >= 0 && row < count, "a row outside 0..<\(count)")
        return Row(storage: storage, offset: row * storage.stride)
    }
    /// The predicted numbers of all streams, for a model that predicts a number, or row by row those of all classes.
    public var numbers: [Float] { flatMap { $0 } }
}
