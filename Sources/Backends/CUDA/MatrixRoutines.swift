/// The functions that the kernels of matrix programs call, for one geometry.
enum MatrixRoutines {
    static func text(_ g: MatrixGeometry) -> String {
        // The lanes that stage a row of a piece.
        let lanes = (0...5).map { 1 << $0 }.first { 4 * $0 >= g.piece } ?? 32
        return """
            #ifdef HOST_EMULATION
            #define ROUTINE static
            #define COPY_FOUR(to, from, is) *(Four *)(to) = (is) ? *(const Four *)(from) : (Four){0.0f, 0.0f, 0.0f, 0.0f}
            #define COPY_ONE(to, from, is) *(to) = (is) ? *(from) : 0.0f
            #define COPIES_DONE()
            // The emulation has no barrier of one warp.
            #define WARP_BARRIER() BARRIER()
            #define GRID_BARRIER(arrived) \(g.blocks == 1 ? "BARRIER()" : "emu_grid_barrier()")
            #else
            #define ROUTINE static __device__ __noinline__
            #define WARP_BARRIER() __syncwarp()
            #if __CUDA_ARCH__ >= 800
            // Copies into shared memory without a register in between: all of a warp's copies
            // are in flight at once. If the last operand is 0, nothing is read and 0 is written.
            #define COPY_FOUR(to, from, is) asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" \\
                :: "r"((uint32)__cvta_generic_to_shared(to)), "l"(from), "r"((is) ? 16 : 0) : "memory")
            #define COPY_ONE(to, from, is) asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" \\
                :: "r"((uint32)__cvta_generic_to_shared(to)), "l"(from), "r"((is) ? 4 : 0) : "memory")
            #define COPIES_DONE() asm volatile("cp.async.wait_all;" ::: "memory")
            #else
            #define COPY_FOUR(to, from, is) *(Four *)(to) = (is) ? FROM_L2((const Four *)(from)) : make_float4(0.0f, 0.0f, 0.0f, 0.0f)
            #define COPY_ONE(to, from, is) *(to) = (is) ? FROM_L2(from) : 0.0f
            #define COPIES_DONE()
            #endif
            \(g.blocks == 1 ? "#define GRID_BARRIER(arrived) BARRIER()" : gridBarrier)
            #endif

            // The bits of kind: 1 for elements read in fours, aligned to 16 bytes; 2 for a transposed matrix.
            typedef struct { float *data; uint32 stride, kind; } Matrix;
            #define SIZE \(g.size)u
            #define STRIDE \(g.stride)u
            #define TILE_ROWS \(g.tileRows)u
            #define ELEMENTS \(g.elements)u
            #define WARPS \(g.warps)u
            #define PIECE \(g.piece)u
            #define PITCH \(g.pitch)u
            #define SLICE \(g.slice)u
            #define LARGEST 3.402823466e38f
            #define SUMS (1u << 31)
            #define FOR_EACH_TILE for (uint32 tile = BLOCK; tile < \(g.tiles)u; tile += BLOCKS)
            #define FIRST_ROW (tile / \(g.tilesAcross)u * TILE_ROWS)
            #define FIRST_COLUMN (tile % \(g.tilesAcross)u * 32u)
            // The thread's column in a tile; its rows are FIRST_ROW + THREAD / 32 and every WARPS-th from there.
            #define COLUMN (FIRST_COLUMN + THREAD % 32u)

            // Other blocks must have written what is read here, and read what is overwritten here.
            #define BEFORE(reads, writes) \\
                if ((written & (reads)) != 0u || (read & (writes)) != 0u) { \\
                    GRID_BARRIER(a.arrived); \\
                    written = read = 0u; \\
                } \\
                read |= (reads); \\
                written |= (writes);

            DEVICE Matrix scratch_matrix(float *scratch, uint32 place) {
                const Matrix m = {scratch + place * (SIZE * STRIDE), STRIDE, 1u};
                return m;
            }
            DEVICE Matrix transposed(Matrix m) {
                m.kind ^= 2u;
                return m;
            }

            // Stages rows and columns of m, beginning with the given ones; 0 beyond the ends of m.
            DEVICE void stage(
                float *to, uint32 pitch, Matrix m, uint32 first_row, uint32 first_column, uint32 rows, uint32 columns, uint32 lanes) {
                const uint32 lane = THREAD % 32u;
                if (m.kind == 1u) {
                    // A row has as many lanes as fours, rounded up to a power of two.
                    for (uint32 j = lane % lanes * 4u; j < columns; j += 4u * lanes) {
                        const uint32 c = first_column + j;
                        _Pragma("unroll 8")
                        for (uint32 i = lane / lanes; i < rows; i += 32u / lanes) {
                            const uint32 r = first_row + i;
                            const int is = r < SIZE && c < SIZE;
                            COPY_FOUR(to + i * pitch + j, m.data + (is ? r * m.stride + c : 0u), is);
                        }
                    }
                } else if (m.kind & 2u) {
                    _Pragma("unroll 4")
                    for (uint32 e = lane; e < rows * columns; e += 32u) {
                        const uint32 j = e / rows, i = e % rows, r = first_row + i, c = first_column + j;
                        const int is = r < SIZE && c < SIZE;
                        COPY_ONE(to + i * pitch + j, m.data + (is ? c * m.stride + r : 0u), is);
                    }
                } else {
                    _Pragma("unroll 4")
                    for (uint32 e = lane; e < rows * columns; e += 32u) {
                        const uint32 i = e / columns, j = e % columns, r = first_row + i, c = first_column + j;
                        const int is = r < SIZE && c < SIZE;
                        COPY_ONE(to + i * pitch + j, m.data + (is ? r * m.stride + c : 0u), is);
                    }
                }
            }

            // Column sums of a tile, each thread's share given, into a row of sums.
            DEVICE void keep_sums(float *memory, float *sums, uint32 tile, float share) {
                memory[THREAD] = share;
                BARRIER();
                if (THREAD < 32u && COLUMN < SIZE) {
                    float sum = memory[THREAD];
                    for (uint32 w = 1u; w < WARPS; w++) sum += memory[32u * w + THREAD];
                    sums[FIRST_ROW / TILE_ROWS * SIZE + COLUMN] = sum;
                }
                BARRIER();
            }

            // c = alpha a b + beta plus, and the sums of the magnitudes of c's columns if sums isn't 0.
            ROUTINE void product(float alpha, Matrix a, Matrix b, float beta, Matrix plus, Matrix c, float *sums) {
                DYNAMIC_SHARED(float, memory);
                const uint32 lane = THREAD % 32u, warp = THREAD / 32u;
                // Lanes that differ in one bit share the address of one operand, so half a warp
                // reads at a time.
                const uint32 row = (lane & 1u) | (lane >> 4 << 1), column = (lane >> 1 & 7u) * 4u;
                float *const left = memory + warp * SLICE, *const right = left + TILE_ROWS * PITCH;
                FOR_EACH_TILE {
                    float before[ELEMENTS];
                    _Pragma("unroll")
                    for (uint32 e = 0u; e < ELEMENTS; e++) {
                        const uint32 r = FIRST_ROW + warp + WARPS * e;
                        before[e] = plus.data && r < SIZE && COLUMN < SIZE ? FROM_L2(plus.data + r * plus.stride + COLUMN) : 0.0f;
                    }
                    float s[\(g.tileRows / 4)][4];
                    _Pragma("unroll")
                    for (uint32 i = 0u; i < TILE_ROWS / 4u; i++) s[i][0] = s[i][1] = s[i][2] = s[i][3] = 0.0f;
                    for (uint32 p = 0u; p < \(g.pieces)u; p++) {
                        const uint32 first = (warp * \(g.pieces)u + p) * PIECE;
                        stage(left, PITCH, a, FIRST_ROW, first, TILE_ROWS, PIECE, \(lanes)u);
                        stage(right, 32u, b, first, FIRST_COLUMN, PIECE, 32u, 8u);
                        COPIES_DONE();
                        WARP_BARRIER();
                        _Pragma("unroll \(g.tileRows == 64 ? 1 : 2)")
                        for (uint32 k = 0u; k < PIECE; k += 4u) {
                            Four y[4];
                            _Pragma("unroll")
                            for (uint32 l = 0u; l < 4u; l++) y[l] = *(const Four *)(right + (k + l) * 32u + column);
                            _Pragma("unroll")
                            for (uint32 i = 0u; i < TILE_ROWS / 4u; i++) {
                                const Four x = *(const Four *)(left + (row + 4u * i) * PITCH + k);
                                const float xs[4] = {x.x, x.y, x.z, x.w};
                                _Pragma("unroll")
                                for (uint32 l = 0u; l < 4u; l++) {
                                    s[i][0] = FMA(xs[l], y[l].x, s[i][0]);
                                    s[i][1] = FMA(xs[l], y[l].y, s[i][1]);
                                    s[i][2] = FMA(xs[l], y[l].z, s[i][2]);
                                    s[i][3] = FMA(xs[l], y[l].w, s[i][3]);
                                }
                            }
                        }
                        // Other lanes of the warp will overwrite the slice.
                        WARP_BARRIER();
                    }
                    _Pragma("unroll")
                    for (uint32 i = 0u; i < TILE_ROWS / 4u; i++) {
                        const Four sum = {s[i][0], s[i][1], s[i][2], s[i][3]};
                        *(Four *)(left + (row + 4u * i) * 32u + column) = sum;
                    }
                    BARRIER();
                    float share = 0.0f;
                    _Pragma("unroll")
                    for (uint32 e = 0u; e < ELEMENTS; e++) {
                        const uint32 i = warp + WARPS * e, r = FIRST_ROW + i;
                        float sum = memory[i * 32u + lane];
                        _Pragma("unroll")
                        for (uint32 w = 1u; w < WARPS; w++) sum += memory[w * SLICE + i * 32u + lane];
                        // What is multiplied by 0 may be NaN.
                        sum = plus.data ? FMA(beta, before[e], alpha * sum) : alpha * sum;
                        if (r < SIZE && COLUMN < SIZE) {
                            c.data[r * c.stride + COLUMN] = sum;
                            share += fabsf(sum);
                        }
                    }
                    BARRIER();
                    if (sums) keep_sums(memory, sums, tile, share);
                }
            }

            // Sums the magnitudes of m's columns, separately for the rows of each tile.
            ROUTINE void sum_magnitudes(Matrix m, float *sums) {
                DYNAMIC_SHARED(float, memory);
                FOR_EACH_TILE {
                    float share = 0.0f;
                    for (uint32 e = 0u; e < ELEMENTS; e++) {
                        const uint32 r = FIRST_ROW + THREAD / 32u + WARPS * e;
                        if (r < SIZE && COLUMN < SIZE) share += fabsf(FROM_L2(m.data + r * m.stride + COLUMN));
                    }
                    keep_sums(memory, sums, tile, share);
                }
            }

            // Returns the largest column sum, or infinity if an element isn't finite.
            ROUTINE float largest_sum(const float *sums) {
                DYNAMIC_SHARED(float, memory);
                const float infinity = bits_to_float(0x7f800000u);
                float best = 0.0f;
                for (uint32 c = THREAD; c < SIZE; c += THREADS) {
                    float parts[\(g.tilesDown)], sum = 0.0f;
                    _Pragma("unroll")
                    for (uint32 t = 0u; t < \(g.tilesDown)u; t++) parts[t] = FROM_L2(sums + t * SIZE + c);
                    _Pragma("unroll")
                    for (uint32 t = 0u; t < \(g.tilesDown)u; t++) sum += parts[t];
                    best = sum <= LARGEST ? fmaxf(best, sum) : infinity;
                }
                memory[THREAD] = best;
                BARRIER();
                if (THREAD < 16u) {
                    for (uint32 t = THREAD + 16u; t < 32u * WARPS; t += 16u) best = fmaxf(best, memory[t]);
                    memory[THREAD] = best;
                }
                BARRIER();
                best = memory[0];
                for (uint32 t = 1u; t < 16u; t++) best = fmaxf(best, memory[t]);
                BARRIER();
                return best;
            }

            ROUTINE void fill_with_nan(Matrix m) {
                FOR_EACH_TILE {
                    for (uint32 e = 0u; e < ELEMENTS; e++) {
                        const uint32 r = FIRST_ROW + THREAD / 32u + WARPS * e;
                        if (r < SIZE && COLUMN < SIZE) m.data[r * m.stride + COLUMN] = bits_to_float(0x7fc00000u);
                    }
                }
            }

            """
    }

    /// A barrier of all blocks, after which each sees what the others wrote before it. The
    /// highest bit changes when the last block arrives, so the counter needs no reset.
    private static let gridBarrier = """
        #define GRID_BARRIER(arrived) grid_barrier(arrived)
        ROUTINE void grid_barrier(uint32 *arrived) {
            __syncthreads();
            if (THREAD == 0u) {
                const uint32 mine = BLOCK == 0u ? 0x80000000u - (BLOCKS - 1u) : 1u;
                uint32 before, now;
        #if __CUDA_ARCH__ >= 700
                asm volatile("atom.release.gpu.global.add.u32 %0, [%1], %2;" : "=r"(before) : "l"(arrived), "r"(mine) : "memory");
                do asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(now) : "l"(arrived) : "memory");
                while (((before ^ now) & 0x80000000u) == 0u);
        #else
                __threadfence();
                before = atomicAdd(arrived, mine);
                do now = *(volatile uint32 *)arrived;
                while (((before ^ now) & 0x80000000u) == 0u);
                __threadfence();
        #endif
            }
            __syncthreads();
        }
        """
}
