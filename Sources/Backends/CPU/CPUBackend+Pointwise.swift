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
        for view in inputs + outputs {
            precondition(view.rows == first.rows && view.columns == first.columns, "pointwise: shapes disagree")
        }
        let isFlat =
            !kernel.usesColumnIndex
            && (inputs + outputs).allSatisfy { $0.isPacked || ($0.rowStride == 0 && $0.columnStride == 0) }
        let rows = isFlat ? 1 : first.rows, columns = isFlat ? first.count : first.columns
        let pieces = first.count < 1 << 15 ? 1 : (first.count < 1 << 20 ? 4 : 16)
        let slot = Int(ck_workspace(kernel.code))
        var job = PointwiseJob(
            team: team, program: kernel.code, key: key.map(ck_key.init) ?? ck_key(), rows: rows, columns: columns,
            pieces: pieces, workspace: scratch(tiles, slot * pieces), slot: slot)
        inputs.map { $0.kernelView() }.withUnsafeBufferPointer { inputs in
            outputs.map { $0.kernelView() }.withUnsafeBufferPointer { outputs in
                scalars.map { Float($0) }.withUnsafeBufferPointer { scalars in
                    job.inputs = inputs.baseAddress
                    job.outputs = outputs.baseAddress
                    job.scalars = scalars.baseAddress
                    ck_parallel(team, Int32(pieces), PointwiseJob.run, &job)
                }
            }
        }
    }
}

/// One pointwise run, cut into rows, or into segments if it is one long row.
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
        withUnsafePointer(to: &job.pointee.key) { key in
            ck_run(
                job.pointee.team, job.pointee.program, job.pointee.inputs, job.pointee.outputs, job.pointee.scalars,
                key,
                Int64(row.lowerBound), Int64(row.count), Int64(column.count), Int64(column.lowerBound), Int64(columns),
                job.pointee.workspace! + piece * job.pointee.slot)
        }
    }
}
