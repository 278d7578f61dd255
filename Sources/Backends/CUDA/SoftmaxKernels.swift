/// Softmax cross-entropy of a chunk of logits, in place: a block takes its rows from
/// logits to gradient one after the other. The bias is added here, so that the product
/// needn't read it for all rows.
///
/// Each row's loss is written, and whether its first largest logit is the target's; with
/// `scale` above 0 the logits become `scale · (softmax − onehot)`, and 0 where dropout
/// had set a logit to 0.
enum SoftmaxKernels {
    private static let arguments = """
        typedef struct {
            float *logits;
            const float *bias;
            const int *targets;
            float *losses, *sums;
            uint32 first, rows, each, columns, drops;
            float scale, rate, keep;
            RandomKey key;
        } Arguments;

        // Finds the block's first largest number and its place; ~0 stands for none. NaN is
        // larger than all numbers.
        DEVICE void find_largest(float *values, uint32 *places, float best, uint32 place) {
            values[THREAD] = best;
            places[THREAD] = place;
            BARRIER();
            for (uint32 half = THREADS / 2; half > 0; half /= 2) {
                if (THREAD < half) {
                    const float x = values[THREAD + half];
                    const uint32 p = places[THREAD + half];
                    if (p != ~0u && (x > values[THREAD] || x != x || places[THREAD] == ~0u
                                     || (x == values[THREAD] && p < places[THREAD]))) {
                        values[THREAD] = x;
                        places[THREAD] = p;
                    }
                }
                BARRIER();
            }
        }
        DEVICE void add_up(float *values, float sum) {
            values[THREAD] = sum;
            BARRIER();
            for (uint32 half = THREADS / 2; half > 0; half /= 2) {
                if (THREAD < half) values[THREAD] += values[THREAD + half];
                BARRIER();
            }
        }

        """

    /// The most rows of a block.
    static let mostRows = 8

    /// Returns the shared memory that a block needs, in bytes: for the row, the column sums, a
    /// number and a place for each thread, and the rows' targets.
    static func sharedMemory(columns: Int, sums: Bool, threads: Int) -> Int {
        (columns + 3) / 4 * 16 * (sums ? 2 : 1) + 8 * threads + 4 * mostRows
    }

    /// Returns the kernel for rows that fit into shared memory, so that each is read once and
    /// written once. With `sums` a block also adds up the columns of its rows, into row `BLOCK`
    /// of `sums`.
    ///
    /// - Parameters:
    ///   - isPacked: Whether rows and bias begin at multiples of 16 bytes.
    ///   - drops: Whether there is dropout.
    ///   - sharedMemory: The most shared memory that a block may have, in bytes.
    static func rows(isPacked: Bool, drops: Bool, sharedMemory: Int) -> KernelSource {
        KernelSource(
            name: "softmax_rows",
            body: arguments + """
                #define IS_PACKED \(isPacked ? 1 : 0)
                #define DROPS \(drops ? 1 : 0)
                // The fours that a thread loads at a time. Random numbers need the registers, and
                // hide the latency of a load.
                #define TOGETHER \(drops ? 1 : isPacked ? 4 : 2)u
                // The columns 4 j, 4 j + 1, …; zeros beyond the end.
                DEVICE Four read_four(const float *row, uint32 j, uint32 columns) {
                    if (IS_PACKED) return ((const Four *)row)[j];
                    const uint32 c = 4u * j;
                    Four x = {row[c], 0.0f, 0.0f, 0.0f};
                    if (c + 1u < columns) x.y = row[c + 1u];
                    if (c + 2u < columns) x.z = row[c + 2u];
                    if (c + 3u < columns) x.w = row[c + 3u];
                    return x;
                }
                DEVICE void write_four(float *row, uint32 j, uint32 columns, Four x) {
                    if (IS_PACKED) {
                        ((Four *)row)[j] = x;
                        return;
                    }
                    const uint32 c = 4u * j;
                    row[c] = x.x;
                    if (c + 1u < columns) row[c + 1u] = x.y;
                    if (c + 2u < columns) row[c + 2u] = x.z;
                    if (c + 3u < columns) row[c + 3u] = x.w;
                }
                DEVICE Four dropped(const Arguments *a, uint32 row, uint32 j, Four x) {
                    if (!DROPS) return x;
                    const uint64 index = (uint64)row * a->columns + 4u * j;
                    Four u;
                    if (IS_PACKED) {
                        u = op_uniforms(a->key, index / 4u);
                    } else {
                        u.x = op_uniform(a->key, index);
                        u.y = op_uniform(a->key, index + 1u);
                        u.z = op_uniform(a->key, index + 2u);
                        u.w = op_uniform(a->key, index + 3u);
                    }
                    x.x = a->rate > u.x ? 0.0f : x.x * a->keep;
                    x.y = a->rate > u.y ? 0.0f : x.y * a->keep;
                    x.z = a->rate > u.z ? 0.0f : x.z * a->keep;
                    x.w = a->rate > u.w ? 0.0f : x.w * a->keep;
                    return x;
                }
                DEVICE void take_larger(float *best, uint32 *place, float x, uint32 c) {
                    if (x > *best || x != x) { *best = x; *place = c; }
                }

                KERNEL AT_MOST(1024) softmax_rows(const Arguments a) {
                    DYNAMIC_SHARED(float, memory);
                    const uint32 fours = (a.columns + 3u) / 4u;
                    Four *const row = (Four *)memory, *const sums = row + fours;
                    float *const values = memory + (a.sums ? 8u : 4u) * fours;
                    uint32 *const places = (uint32 *)(values + THREADS);
                    int *const targets = (int *)(places + THREADS);
                    const float infinity = bits_to_float(0x7f800000u);
                    const Four none = {0.0f, 0.0f, 0.0f, 0.0f};
                    const uint32 start = BLOCK * a.each, end = start + a.each < a.rows ? start + a.each : a.rows;
                    for (uint32 i = THREAD; i < end - start; i += THREADS) targets[i] = a.targets[a.first + start + i];
                    if (a.sums) for (uint32 j = THREAD; j < fours; j += THREADS) sums[j] = none;
                    for (uint32 r = start; r < end; r++) {
                        float *const logits = a.logits + (uint64)r * a.columns;
                        float best = -infinity;
                        uint32 place = 4u * THREAD < a.columns ? 4u * THREAD : ~0u;
                        for (uint32 i = THREAD; i < fours; i += TOGETHER * THREADS) {
                            Four x[TOGETHER], b[TOGETHER];
                            _Pragma("unroll")
                            for (uint32 k = 0; k < TOGETHER; k++) {
                                const uint32 j = i + k * THREADS;
                                if (j < fours) {
                                    x[k] = read_four(logits, j, a.columns);
                                    b[k] = read_four(a.bias, j, a.columns);
                                }
                            }
                            _Pragma("unroll")
                            for (uint32 k = 0; k < TOGETHER; k++) {
                                const uint32 j = i + k * THREADS, c = 4u * j;
                                if (j >= fours) break;
                                Four y = {x[k].x + b[k].x, x[k].y + b[k].y, x[k].z + b[k].z, x[k].w + b[k].w};
                                y = dropped(&a, a.first + r, j, y);
                                // Columns beyond the end don't count.
                                if (!IS_PACKED && c + 1u >= a.columns) y.y = -infinity;
                                if (!IS_PACKED && c + 2u >= a.columns) y.z = -infinity;
                                if (!IS_PACKED && c + 3u >= a.columns) y.w = -infinity;
                                row[j] = y;
                                take_larger(&best, &place, y.x, c);
                                take_larger(&best, &place, y.y, c + 1u);
                                take_larger(&best, &place, y.z, c + 2u);
                                take_larger(&best, &place, y.w, c + 3u);
                            }
                        }
                        find_largest(values, places, best, place);
                        const int target = targets[r - start];
                        const float largest = values[0], chosen = target < 0 ? 0.0f : memory[target];
                        const uint32 guess = places[0];
                        BARRIER();
                        float sum = 0.0f;
                        for (uint32 j = THREAD; j < fours; j += THREADS) {
                            Four e = row[j];
                            e.x = expf(e.x - largest);
                            e.y = expf(e.y - largest);
                            e.z = expf(e.z - largest);
                            e.w = expf(e.w - largest);
                            row[j] = e;
                            sum += (e.x + e.y) + (e.z + e.w);
                        }
                        add_up(values, sum);
                        sum = values[0];
                        if (THREAD == 0) {
                            float *const verdict = a.losses + 2 * (a.first + r);
                            verdict[0] = target < 0 ? 0.0f : largest - chosen + logf(sum);
                            verdict[1] = target >= 0 && guess == (uint32)target ? 1.0f : 0.0f;
                        }
                        if (a.scale > 0.0f) {
                            const float share = a.scale / sum;
                            for (uint32 j = THREAD; j < fours; j += THREADS) {
                                const uint32 c = 4u * j;
                                Four g = none;
                                if (target >= 0) {
                                    const Four e = row[j];
                                    g.x = e.x * share - (c == (uint32)target ? a.scale : 0.0f);
                                    g.y = e.y * share - (c + 1u == (uint32)target ? a.scale : 0.0f);
                                    g.z = e.z * share - (c + 2u == (uint32)target ? a.scale : 0.0f);
                                    g.w = e.w * share - (c + 3u == (uint32)target ? a.scale : 0.0f);
                                    g = dropped(&a, a.first + r, j, g);
                                }
                                write_four(logits, j, a.columns, g);
                                if (a.sums) {
                                    Four s = sums[j];
                                    s.x += g.x;
                                    s.y += g.y;
                                    s.z += g.z;
                                    s.w += g.w;
                                    sums[j] = s;
                                }
                            }
                        }
                        // The next row overwrites this row's numbers.
                        BARRIER();
                    }
                    if (a.sums) {
                        float *const target = a.sums + (uint64)BLOCK * a.columns;
                        for (uint32 j = THREAD; j < fours; j += THREADS) write_four(target, j, a.columns, sums[j]);
                    }
                }

                """, sharedMemory: sharedMemory)
    }

    /// The kernel for rows that are too long for shared memory, one row per block. A row is
    /// read three times, while it is in the caches.
    static let longRows = KernelSource(
        name: "softmax_long_rows",
        body: arguments + """
            DEVICE float dropped(const Arguments *a, uint32 row, uint32 c, float x) {
                if (!a->drops) return x;
                return a->rate > op_uniform(a->key, (uint64)row * a->columns + c) ? 0.0f : x * a->keep;
            }

            KERNEL AT_MOST(1024) softmax_long_rows(const Arguments a) {
                SHARED float values[1024];
                SHARED uint32 places[1024];
                float *const logits = a.logits + (uint64)BLOCK * a.columns;
                const uint32 row = a.first + BLOCK;
                const int target = a.targets[row];
                float best = -bits_to_float(0x7f800000u);
                uint32 place = ~0u;
                for (uint32 c = THREAD; c < a.columns; c += THREADS) {
                    // From here on the logits include the bias.
                    const float x = dropped(&a, row, c, logits[c] + a.bias[c]);
                    logits[c] = x;
                    if (x > best || place == ~0u || x != x) { best = x; place = c; }
                }
                find_largest(values, places, best, place);
                const float largest = values[0], chosen = target < 0 ? 0.0f : logits[target];
                const uint32 guess = places[0];
                BARRIER();
                float sum = 0.0f;
                for (uint32 c = THREAD; c < a.columns; c += THREADS) sum += expf(logits[c] - largest);
                add_up(values, sum);
                sum = values[0];
                if (THREAD == 0) {
                    a.losses[2 * row] = target < 0 ? 0.0f : largest - chosen + logf(sum);
                    a.losses[2 * row + 1] = target >= 0 && guess == (uint32)target ? 1.0f : 0.0f;
                }
                if (a.scale > 0.0f) {
                    const float share = a.scale / sum;
                    for (uint32 c = THREAD; c < a.columns; c += THREADS) {
                        const float g = expf(logits[c] - largest) * share - (c == (uint32)target ? a.scale : 0.0f);
                        logits[c] = target < 0 ? 0.0f : dropped(&a, row, c, g);
                    }
                }
            }

            """)
}
