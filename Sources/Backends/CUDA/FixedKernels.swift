import RecurrentCore

/// The kernels whose text is the same for every model.
///
/// All sums are taken in an order that the shapes alone decide: each of a block's threads
/// adds every THREADS-th element in turn, then pairs are added in a tree. A thread loads
/// eight numbers at a time.
enum FixedKernels {
    /// One number, or four side by side that begin at a multiple of 16 bytes.
    enum Width: Int, CaseIterable {
        case one = 1, four = 4

        /// The definitions of an item, one or four numbers, for the kernels' texts.
        var definitions: String {
            switch self {
            case .one:
                """
                typedef float Item;
                DEVICE Item zero_item(void) { return 0.0f; }
                DEVICE Item sum_of(Item a, Item b) { return a + b; }

                """
            case .four:
                """
                typedef Four Item;
                DEVICE Item zero_item(void) {
                    const Item zero = {0.0f, 0.0f, 0.0f, 0.0f};
                    return zero;
                }
                DEVICE Item sum_of(Item a, Item b) {
                    const Item sum = {a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w};
                    return sum;
                }

                """
            }
        }
    }

    private static func eachWidth(_ make: (Width) -> KernelSource) -> [Width: KernelSource] {
        Dictionary(uniqueKeysWithValues: Width.allCases.map { ($0, make($0)) })
    }

    static func reduceRows(_ reduction: Reduction) -> KernelSource {
        let (start, step): (String, String) =
            switch reduction {
            case .sum: ("0.0f", "best += x[k];")
            case .maximum: ("-bits_to_float(0x7f800000u)", "best = op_maximum(best, x[k]);")
            case .argmax:
                (
                    "-bits_to_float(0x7f800000u)",
                    "if (x[k] > best || place == ~0u) { best = x[k]; place = c + k * THREADS; }"
                )
            }
        let combine =
            switch reduction {
            case .sum: "values[THREAD] += values[THREAD + half];"
            case .maximum: "values[THREAD] = op_maximum(values[THREAD], values[THREAD + half]);"
            case .argmax:
                """
                    float x = values[THREAD + half];
                    uint32 p = places[THREAD + half];
                    // The first of equal elements; ~0 stands for none.
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
                KERNEL AT_MOST(1024) reduce_rows(const Arguments a) {
                    SHARED float values[1024];
                    SHARED uint32 places[1024];
                    float best = \(start);
                    uint32 place = ~0u;
                    for (uint32 c = THREAD; c < a.columns; c += 8u * THREADS) {
                        float x[8];
                        _Pragma("unroll")
                        for (uint32 k = 0; k < 8u; k++) x[k] = c + k * THREADS < a.columns ? AT(a.source, BLOCK, c + k * THREADS) : 0.0f;
                        _Pragma("unroll")
                        for (uint32 k = 0; k < 8u; k++) if (c + k * THREADS < a.columns) { \(step) }
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

    /// Sums the columns of chunks of rows: block (x, y) adds the rows of chunk y in the
    /// columns of tile x, 32 items side by side.
    static let sumColumns = eachWidth { width in
        KernelSource(
            name: "sum_columns",
            body: width.definitions + """
                typedef struct { View source, destination; uint32 rows, columns, chunk; float beta; } Arguments;
                KERNEL AT_MOST(1024) sum_columns(const Arguments a) {
                    SHARED Item values[1024];
                    const uint32 lanes = THREADS / 32, lane = THREAD / 32, column = \(width.rawValue)u * (BLOCK * 32 + THREAD % 32);
                    const uint32 first = BLOCK_Y * a.chunk, end = first + a.chunk < a.rows ? first + a.chunk : a.rows;
                    Item sum = zero_item();
                    if (column < a.columns) {
                        for (uint32 r = first + lane; r < end; r += 8u * lanes) {
                            Item x[8];
                            _Pragma("unroll")
                            for (uint32 k = 0; k < 8u; k++) {
                                x[k] = r + k * lanes < end ? *(const Item *)&AT(a.source, r + k * lanes, column) : zero_item();
                            }
                            _Pragma("unroll")
                            for (uint32 k = 0; k < 8u; k++) sum = sum_of(sum, x[k]);
                        }
                    }
                    values[THREAD] = sum;
                    BARRIER();
                    for (uint32 half = lanes / 2; half > 0; half /= 2) {
                        if (lane < half) values[THREAD] = sum_of(values[THREAD], values[THREAD + 32 * half]);
                        BARRIER();
                    }
                    if (lane == 0 && column < a.columns) {
                        const float *const sums = (const float *)&values[THREAD];
                        for (uint32 k = 0; k < \(width.rawValue)u; k++) {
                            // What is multiplied by 0 may be NaN.
                            const float before = a.beta == 0.0f ? 0.0f : a.beta * AT(a.destination, BLOCK_Y, column + k);
                            AT(a.destination, BLOCK_Y, column + k) = before + sums[k];
                        }
                    }
                }

                """)
    }

    /// Copies row `indices[i]` of the table to row i of the destination.
    static let gatherRows = eachWidth { width in
        KernelSource(
            name: "gather_rows",
            body: width.definitions + """
                typedef struct { View table, destination; const int *indices; uint32 rows, columns; } Arguments;
                KERNEL AT_MOST(1024) gather_rows(const Arguments a) {
                    const uint32 items = a.columns / \(width.rawValue)u;
                    for (uint32 i = BLOCK * THREADS + THREAD; i < a.rows * items; i += BLOCKS * THREADS) {
                        const uint32 r = i / items, c = \(width.rawValue)u * (i - r * items);
                        *(Item *)&AT(a.destination, r, c) = *(const Item *)&AT(a.table, a.indices[r], c);
                    }
                }

                """)
    }

    /// Adds rows to a table. Block s adds all rows that belong to one row of the table, in
    /// the order `order[starts[s] ..< starts[s + 1]]`.
    static let scatterAddRows = eachWidth { width in
        KernelSource(
            name: "scatter_add_rows",
            body: width.definitions + """
                typedef struct { View source, table; const int *indices, *order, *starts; uint32 columns; } Arguments;
                KERNEL AT_MOST(1024) scatter_add_rows(const Arguments a) {
                    SHARED int rows[1024];
                    const uint32 first = a.starts[BLOCK], end = a.starts[BLOCK + 1], items = a.columns / \(width.rawValue)u;
                    const int row = a.indices[a.order[first]];
                    for (uint32 from = 0; from < items; from += THREADS) {
                        const int mine = from + THREAD < items;
                        const uint32 c = mine ? \(width.rawValue)u * (from + THREAD) : 0u;
                        Item *const target = (Item *)&AT(a.table, row, c);
                        Item sum = mine ? *target : zero_item();
                        for (uint32 start = first; start < end; start += THREADS) {
                            const uint32 count = end - start < THREADS ? end - start : THREADS;
                            // The rows' numbers are loaded first, so that rows don't wait for them one by one.
                            BARRIER();
                            if (THREAD < count) rows[THREAD] = a.order[start + THREAD];
                            BARRIER();
                            for (uint32 i = 0; mine && i < count; i += 8u) {
                                Item x[8];
                                _Pragma("unroll")
                                for (uint32 k = 0; k < 8u; k++) {
                                    x[k] = i + k < count ? *(const Item *)&AT(a.source, rows[i + k], c) : zero_item();
                                }
                                _Pragma("unroll")
                                for (uint32 k = 0; k < 8u; k++) sum = sum_of(sum, x[k]);
                            }
                        }
                        if (mine) *target = sum;
                    }
                }

                """)
    }

    /// The kernels that backend functions which can't throw may start.
    static let all: [KernelSource] =
        Reduction.allCases.map { reduceRows($0) }
        + [sumColumns, gatherRows, scatterAddRows].flatMap(\.values)
}
