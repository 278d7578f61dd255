/// How a matrix program is laid over a GPU: all matrices are cut into the same tiles, and
/// a tile belongs to one block throughout.
///
/// A tile is 16, 32 or 64 rows by 32 columns. For a product each warp takes a slice of
/// the inner dimension and the whole tile: a lane has 4, 8 or 16 rows of 4 columns. What
/// the warps found is added through shared memory, in their order.
///
/// Cycles of a product [n, n] · [n, n] with 8 warps a block, from the machine code for
/// sm_90: 16 rows are 128 multiply–adds of a warp for 16 loads of 16 bytes from shared
/// memory and 9 other instructions, so that a processor's four parts, two warps each, take
/// 38 cycles for one of the inner dimension; the loads take 32 of their pipe. A block reads
/// its operands once from the L2, all of them (11 of 16 bytes a thread at n = 200) in
/// flight before the first is used, at some 50 bytes a cycle. To which come the way of the
/// first operand, the sums through shared memory and the result, and the barrier of the grid
/// (a fence, an atomic addition, and a read until it shows the last block's):
///
/// | n | blocks | multiply | read | first, sums, result | barrier | a product at 1.7 GHz |
/// | --- | ---: | ---: | ---: | ---: | ---: | ---: |
/// | 50 | 8 | 300 | 200 | 1800 | 1700 | 2.4 µs |
/// | 200 | 91 | 1100 | 800 | 1800 | 1700 | 3.2 µs |
/// | 512 | 128 | 9100 | 3900 | 2200 | 1700 | 9.9 µs |
///
/// The exponential of a B with ‖B‖ below 0.58 is three such products, two pointwise steps
/// and a norm (about 700 cycles each), and some 3 µs to start: 11 µs at n = 50 and 14 µs at
/// n = 200, where one by one it takes 8 kernels and products of 3 to 6 µs and a wait. With
/// degree 18, up to 3.01, it is five products: 21 µs. None of this has been measured yet.
package struct MatrixGeometry: Sendable, Equatable {
    package let size: Int
    /// Of a tile, beside its 32 columns.
    package let tileRows: Int
    package let tilesDown: Int
    package let tilesAcross: Int
    package let blocks: Int
    package let warps: Int
    /// Of the inner dimension: what a warp sums, in pieces that it stages at a time.
    package let pieces: Int
    package let piece: Int
    /// Floats from row to row of the staged left operand: an odd multiple of 4, so that
    /// four rows lie in different banks.
    package let pitch: Int
    /// Floats of a warp's shared memory: what it stages, then its sums.
    package let slice: Int

    package var threads: Int { 32 * warps }
    package var tiles: Int { tilesDown * tilesAcross }
    /// Rows of a tile for each thread, which has one column.
    package var elements: Int { tileRows / warps }
    /// In bytes.
    package var sharedMemory: Int { 4 * warps * slice }
    /// Floats from row to row of the program's own matrices: rows begin at 16 bytes. What
    /// lies between is 0 and stays so.
    package var stride: Int { (size + 3) / 4 * 4 }

    /// Up to where one kernel is expected to beat cuBLAS and kernels of their own.
    package static let mostSize = 512

    /// - Parameters:
    ///   - size: of the matrices.
    ///   - processors: of the device.
    ///   - shared: bytes of shared memory that a block may have.
    ///   - blockSize: threads that suit a block.
    /// - Returns: nil if not even four rows of an operand fit.
    package init?(size: Int, processors: Int, shared: Int, blockSize: Int) {
        self.size = size
        let warps = min(max(blockSize / 32, 1), 8), across = (size + 31) / 32
        self.warps = warps
        tilesAcross = across
        // Rounds of tiles, each as long as its rows and what every round costs.
        func cost(_ rows: Int) -> Int {
            let tiles = (size + rows - 1) / rows * across
            return (tiles + processors - 1) / processors * (rows + 8)
        }
        var rows = 16
        for more in [32, 64] where cost(more) < cost(rows) { rows = more }
        tileRows = rows
        tilesDown = (size + rows - 1) / rows
        blocks = min(tilesDown * across, processors)
        let fours = ((size + 3) / 4 + warps - 1) / warps
        func layout(_ pieces: Int) -> (piece: Int, pitch: Int, slice: Int) {
            let piece = (fours + pieces - 1) / pieces * 4, pitch = piece % 8 == 4 ? piece : piece + 4
            return (piece, pitch, max(rows * pitch + 32 * piece, 32 * rows))
        }
        guard let pieces = (1...fours).first(where: { 4 * warps * layout($0).slice <= shared }) else { return nil }
        self.pieces = pieces
        (piece, pitch, slice) = layout(pieces)
    }
}
