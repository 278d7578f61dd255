/// Memory for a matrix that is reused from call to call and grows when needed.
final class Scratch {
    private let backend: any Backend
    private var memory: (any Memory)?

    init(_ backend: any Backend) { self.backend = backend }

    /// Returns a packed view, whose contents are undefined.
    func view(rows: Int, columns: Int) throws -> MatrixView {
        let count = max(rows * columns, 1)
        if memory == nil || memory!.count < count { memory = try backend.allocate(count) }
        return MatrixView(memory!, rows: rows, columns: columns)
    }
}
