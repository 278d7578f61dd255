import CPUKernels
import RecurrentCore

extension CPUBackend {
    public func compile(_ program: PointwiseProgram) throws -> any Kernel { CPUKernel(program) }

    public func run(
        _ kernel: any Kernel, inputs: [MatrixView], outputs: [MatrixView], scalars: [Double], key: RandomKey?
    ) {
        let kernel = kernel as! CPUKernel
        precondition(inputs.count == kernel.program.inputCount && outputs.count == kernel.program.outputs.count)
        precondition(scalars.count == kernel.program.scalarCount)
        precondition(key != nil || !kernel.program.usesRandomNumbers, "a program with random numbers needs a key")
        guard let first = outputs.first, first.count > 0 else { return }
        var isFlat = !kernel.usesColumnIndex
        func check(_ views: [MatrixView]) {
            for view in views {
                precondition(view.rows == first.rows && view.columns == first.columns, "pointwise: shapes disagree")
                isFlat = isFlat && (view.isPacked || (view.rowStride == 0 && view.columnStride == 0))
            }
        }
        check(inputs)
        check(outputs)
        let rows = isFlat ? 1 : first.rows, columns = isFlat ? first.count : first.columns
        let pieces = first.count < 1 << 15 ? 1 : (first.count < 1 << 20 ? 4 : 16)
        let slot = Int(ck_workspace(kernel.code))
        var job = PointwiseJob(
            team: team, program: kernel.code, key: key.map(ck_key.init) ?? ck_key(), rows: rows, columns: columns,
            pieces: pieces, workspace: scratch(tiles, slot * pieces), slot: slot)
        // On the stack, because small runs, such as those for one token, come by the thousand.
        withUnsafeTemporaryAllocation(of: ck_view.self, capacity: inputs.count + outputs.count) { views in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: max(scalars.count, 1)) { numbers in
                for index in inputs.indices { views.initializeElement(at: index, to: inputs[index].kernelView()) }
                for index in outputs.indices {
                    views.initializeElement(at: inputs.count + index, to: outputs[index].kernelView())
                }
                for index in scalars.indices { numbers.initializeElement(at: index, to: Float(scalars[index])) }
                job.inputs = UnsafePointer(views.baseAddress!)
                job.outputs = UnsafePointer(views.baseAddress! + inputs.count)
                job.scalars = UnsafePointer(numbers.baseAddress!)
                ck_parallel(team, Int32(pieces), PointwiseJob.run, &job)
            }
        }
    }
}

/// One pointwise run, divided into groups of rows, or into segments if it is a single long row.
private struct PointwiseJob {
    let team: OpaquePointer
    var program: UnsafeMutablePointer<ck_program>
    var inputs: UnsafePointer<ck_view>?
    var outputs: UnsafePointer<ck_view>?
    var scalars: UnsafePointer<Float>?
    var key: ck_key
    var rows: Int
    var columns: Int
    var pieces: Int
    var workspace: UnsafeMutablePointer<Float>?
    var slot: Int

    static let run: @convention(c) (UnsafeMutableRawPointer?, Int32) -> Void = { context, piece in
        let job = context!.assumingMemoryBound(to: PointwiseJob.self)
        let tile = Int(CK_TILE), piece = Int(piece)
        let (rows, columns, pieces) = (job.pointee.rows, job.pointee.columns, job.pointee.pieces)
        var row = 0..<rows, column = 0..<columns
        if rows == 1 {
            let tiles = (columns + tile - 1) / tile
            column = min(tiles * piece / pieces * tile, columns)..<min(tiles * (piece + 1) / pieces * tile, columns)
        } else {
            row = rows * piece / pieces..<rows * (piece + 1) / pieces
        }
        guard !row.isEmpty, !column.isEmpty else { return }
        // Read, not `&`: threads that run pieces of one job at the same time may not take exclusive access.
        withUnsafePointer(to: job.pointee.key) { key in
            ck_run(
                job.pointee.team, job.pointee.program, job.pointee.inputs, job.pointee.outputs, job.pointee.scalars,
                key,
                Int64(row.lowerBound), Int64(row.count), Int64(column.count), Int64(column.lowerBound), Int64(columns),
                job.pointee.workspace! + piece * job.pointee.slot)
        }
    }
}
