import CPUKernels
import RecurrentCore

extension CPUBackend {
    public func reduceRows(_ reduction: Reduction, _ source: MatrixView, into destination: MatrixView) {
        precondition(destination.rows == source.rows && destination.columns == 1 && source.columns > 0)
        for r in 0..<source.rows {
            let row = source.pointer + r * source.rowStride
            var sum: Float = 0
            var best = 0
            for c in 0..<source.columns {
                let x = row[c * source.columnStride]
                sum += x
                if x > row[best * source.columnStride] { best = c }
            }
            let result: Float =
                switch reduction {
                case .sum: sum
                case .maximum: row[best * source.columnStride]
                case .argmax: Float(best)
                }
            destination.pointer[r * destination.rowStride] = result
        }
    }

    public func sumColumns(_ source: MatrixView, beta: Double, into destination: MatrixView) {
        precondition(destination.rows == 1 && destination.columns == source.columns)
        precondition(source.columnStride == 1 || source.columns == 1, "sumColumns: rows must be contiguous")
        precondition(destination.columnStride == 1 || source.columns == 1)
        ck_sum_columns(
            team, source.pointer, Int64(source.rows), Int64(source.columns), Int64(source.rowStride), Float(beta),
            destination.pointer)
    }

    public func gatherRows(_ table: MatrixView, _ indices: any IndexMemory, into destination: MatrixView) {
        let rows = (indices as! CPUIndices).values
        precondition(rows.count == destination.rows && table.columns == destination.columns)
        precondition(table.columnStride == 1 && destination.columnStride == 1)
        checkIndices(rows, table)
        ck_gather_rows(
            team, table.pointer, Int64(table.rowStride), rows, Int64(rows.count), Int64(table.columns),
            destination.pointer, Int64(destination.rowStride))
    }

    public func scatterAddRows(_ source: MatrixView, _ indices: any IndexMemory, into table: MatrixView) {
        let rows = (indices as! CPUIndices).values
        precondition(rows.count == source.rows && table.columns == source.columns)
        precondition(table.columnStride == 1 && source.columnStride == 1)
        checkIndices(rows, table)
        ck_scatter_add_rows(
            team, source.pointer, Int64(source.rowStride), rows, Int64(rows.count), Int64(table.columns),
            table.pointer, Int64(table.rowStride))
    }

    func checkIndices(_ indices: [Int32], _ table: MatrixView) {
        precondition(indices.allSatisfy { $0 >= 0 && Int($0) < table.rows }, "an index outside the table")
    }
}
