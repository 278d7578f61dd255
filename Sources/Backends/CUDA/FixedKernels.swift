import RecurrentCore

/// The kernels whose text is the same for every model.
///
/// All sums are taken in an order that the shapes alone decide: a block's threads
/// take every THREADS-th element in turn, then pairs are added in a tree.
enum FixedKernels {
    static func reduceRows(_ reduction: Reduction) -> KernelSource {
        let (start, step): (String, String) =
            switch reduction {
            case .sum: ("0.0f", "best += x;")
            case .maximum: ("-bits_to_float(0x7f800000u)", "best = op_maximum(best, x);")
            case .argmax: ("-bits_to_float(0x7f800000u)", "if (x > best || place == ~0u) { best = x; place = c; }")
            }
        let combine =
            switch reduction {
            case .sum: "values[THREAD] += values[THREAD + half];"
            case .maximum: "values[THREAD] = op_maximum(values[THREAD], values[THREAD + half]);"
            case .argmax: """
                    float x = values[THREAD + half];
                    uint32 p = places[THREAD + half];
                    // The first of equal ones; ~0 stands for none.
                    if (p != ~0u && (x > values[THREAD] || places[THREAD] == ~0u || (x == values[THREAD] && p < places[THREAD]))) {
                        values[THREAD] = x;
                        places[THREAD] = p;
                    }
                """
            }
        return KernelSource(
            name: "reduce_rows",
            body: """
                typedef struct { View source, destination; uint32 columns; } Arguments;
                KERNEL reduce_rows(const Arguments a) {
                    SHARED float values[1024];
                    SHARED uint32 places[1024];
                    float best = \(start);
                    uint32 place = ~0u;
                    for (uint32 c = THREAD; c < a.columns; c += THREADS) {
                        const float x = AT(a.source, BLOCK, c);
                        \(step)
                    }
                    values[THREAD] = best;
                    places[THREAD] = place;
                    BARRIER();
                    for (uint32 half = THREADS / 2; half > 0; half /= 2) {
                        if (THREAD < half) {
                            \(combine)
                        }
                        BARRIER();
                    }
                    if (THREAD == 0) AT(a.destination, BLOCK, 0) = \(reduction == .argmax ? "(float)places[0]" : "values[0]");
                }

                """)
    }

    /// Partial sums of a chunk of rows each: block (x, y) adds rows of chunk y in the
    /// columns of tile x, 32 columns side by side.
    static let sumColumns = KernelSource(
        name: "sum_columns",
        body: """
            typedef struct { View source, destination; uint32 rows, columns, chunk; float beta; } Arguments;
            KERNEL sum_columns(const Arguments a) {
                SHARED float values[1024];
                const uint32 lanes = THREADS / 32, lane = THREAD / 32, column = BLOCK * 32 + THREAD % 32;
                const uint32 first = BLOCK_Y * a.chunk, end = first + a.chunk < a.rows ? first + a.chunk : a.rows;
                float sum = 0.0f;
                if (column < a.columns) for (uint32 r = first + lane; r < end; r += lanes) sum += AT(a.source, r, column);
                values[THREAD] = sum;
                BARRIER();
                for (uint32 half = lanes / 2; half > 0; half /= 2) {
                    if (lane < half) values[THREAD] += values[THREAD + 32 * half];
                    BARRIER();
                }
                if (lane == 0 && column < a.columns) {
                    // What is multiplied by 0 may be no number.
                    const float before = a.beta == 0.0f ? 0.0f : a.beta * AT(a.destination, BLOCK_Y, column);
                    AT(a.destination, BLOCK_Y, column) = before + values[THREAD];
                }
            }

            """)

    /// Block i copies row `indices[i]`.
    static let gatherRows = KernelSource(
        name: "gather_rows",
        body: """
            typedef struct { View table, destination; const int *indices; uint32 columns; } Arguments;
            KERNEL gather_rows(const Arguments a) {
                const int row = a.indices[BLOCK];
                for (uint32 c = THREAD; c < a.columns; c += THREADS) AT(a.destination, BLOCK, c) = AT(a.table, row, c);
            }

            """)

    /// Block s adds all rows that go to one row of the table, in their order: those
    /// numbered `order[starts[s]] ..< order[starts[s + 1]]`.
    static let scatterAddRows = KernelSource(
        name: "scatter_add_rows",
        body: """
            typedef struct { View source, table; const int *indices, *order, *starts; uint32 columns; } Arguments;
            KERNEL scatter_add_rows(const Arguments a) {
                const int first = a.starts[BLOCK], end = a.starts[BLOCK + 1], row = a.indices[a.order[first]];
                for (uint32 c = THREAD; c < a.columns; c += THREADS) {
                    float sum = AT(a.table, row, c);
                    for (int i = first; i < end; i++) sum += AT(a.source, a.order[i], c);
                    AT(a.table, row, c) = sum;
                }
            }

            """)

    static let all: [KernelSource] =
        Reduction.allCases.map { reduceRows($0) } + [sumColumns, gatherRows, scatterAddRows, SoftmaxKernels.rows]
}
