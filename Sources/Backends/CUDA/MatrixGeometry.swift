/// How a matrix program is mapped onto a GPU: all matrices are divided into the same tiles,
/// and a tile belongs to one block throughout.
///
/// A tile has 16, 32 or 64 rows and 32 columns. For a product, each warp takes a slice of
/// the inner dimension and the whole tile: a lane has 4, 8 or 16 rows of 4 columns. The
/// warps' results are added through shared memory, in the order of the warps.
///
/// The cycles of a product [n, n] · [n, n] with 8 warps per block, estimated from the machine
/// code for sm_90: 16 rows take 128 multiply–adds of a warp for 16 loads of 16 bytes from
/// shared memory and 9 other instructions, so that a processor's four parts, with two warps
/// each, take 38 cycles per element of the inner dimension; the loads occupy their pipe for 32.
/// A block reads its operands once from the L2, all of them (11 times 16 bytes per thread at
/// n = 200) in flight before the first is used, at some 50 bytes per cycle. Added to this are
/// the latency of the first operand, the sums through shared memory and the result, and the
/// grid's barrier (a fence, an atomic addition, and reads until the last block's shows up):
///
/// | n | blocks | multiply | read | first, sums, result | barrier | a product at 1.7 GHz |
/// | --- | ---: | ---: | ---: | ---: | ---: | ---: |
/// | 50 | 8 | 300 | 200 | 1800 | 1700 | 2.4 µs |
/// | 200 | 91 | 1100 | 800 | 1800 | 1700 | 3.2 µs |
/// | 512 | 128 | 9100 | 3900 | 2200 | 1700 | 9.9 µs |
///
/// The exponential of a matrix B with ‖B‖ below 0.58 takes three such products, two pointwise
/// steps and a norm (about 700 cycles each), and some 3 µs to start: 11 µs at n = 50 and 14 µs
/// at n = 200, whereas separate calls take 8 kernels and products of 3 to 6 µs and a wait. With
/// degree 18, up to a norm of 3.01, it takes five products: 21 µs. None of this has been measured yet.
package struct MatrixGeometry: Sendable, Equatable {
    package let size: Int
    /// The rows of a tile, which has 32 columns.
    package let tileRows: Int
    package let tilesDown: Int
    package let tilesAcross: Int
    package let blocks: Int
    package let warps: Int
    /// The number and the length of the pieces of a warp's slice of the inner dimension; a
    /// warp stages one piece at a time.
    package let pieces: Int
    package let piece: Int
    /// The floats from row to row of the staged left operand: an odd multiple of 4, so that
    /// four rows lie in different banks.
    package let pitch: Int
    /// The floats of a warp's shared memory, which holds first the staged operands, then the sums.
    package let slice: Int

    package var threads: Int { 32 * warps }
    package var tiles: Int { tilesDown * tilesAcross }
    /// The elements of a tile that each thread has, all in one column.
    package var elements: Int { tileRows / warps }
    /// A block's shared memory, in bytes.
    package var sharedMemory: Int { 4 * warps * slice }
    /// The floats from row to row of the program's scratch matrices, whose rows are aligned to
    /// 16 bytes. The padding between rows is always 0.
    package var stride: Int { (size + 3) / 4 * 4 }

    /// The largest size at which one kernel is expected to beat cuBLAS and separate kernels.
    package static let mostSize = 512

    /// Creates the geometry, or returns nil if not even four rows of an operand fit.
    ///
    /// - Parameters:
    ///   - size: The number of rows and columns of the matrices.
    ///   - processors: The number of the device's processors.
    ///   - shared: The bytes of shared memory that a block may have.
    ///   - blockSize: The number of threads that suits a block.
    package init?(size: Int, processors: Int, shared: Int, blockSize: Int) {
        self.size = size
        let warps = min(max(blockSize / 32, 1), 8), across = (size + 31) / 32
        self.warps = warps
        tilesAcross = across
        // Rounds of tiles, each of which costs its rows plus a constant.
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
