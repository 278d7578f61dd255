// Products with one small dimension, written once and compiled for each instruction
// set. OpenBLAS packs both operands at every call; here a weight is packed once
// for all steps, and the other operand is read in place.
//
// Every element is one chain of multiply-adds in the order of k, so its bits don't
// depend on the block that it belongs to.
//
// Included after vector_body.h by a file that defines PANEL (vectors in a panel of
// columns) and BLOCK (rows whose sums for one panel stay in registers).

#define INLINE static inline __attribute__((always_inline))

// Exchanges the off-diagonal blocks [s, s] of two vectors that lie s rows apart, which
// is a step of a transposition in registers.
#define LEFT(s, t) ((t) & (s) ? WIDTH + (t) - (s) : (t))
#define RIGHT(s, t) ((t) & (s) ? WIDTH + (t) : (t) + (s))
#define LANES4(of, s, t) of(s, t), of(s, t + 1), of(s, t + 2), of(s, t + 3)
#define LANES8(of, s, t) LANES4(of, s, t), LANES4(of, s, t + 4)
#if WIDTH == 16
#define LANES(of, s) LANES8(of, s, 0), LANES8(of, s, 8)
#elif WIDTH == 8
#define LANES(of, s) LANES8(of, s, 0)
#else
#define LANES(of, s) LANES4(of, s, 0)
#endif
#define EXCHANGE(s)                                                              \
    _Pragma("unroll") for (int i = 0; i < WIDTH; i++) {                          \
        if (i & s) continue;                                                     \
        const vf a = row[i], b = row[i + s];                                     \
        row[i] = __builtin_shufflevector(a, b, LANES(LEFT, s));                  \
        row[i + s] = __builtin_shufflevector(a, b, LANES(RIGHT, s));             \
    }

// to[l * width + j] = from[j * ld + l] for WIDTH rows l and columns j.
INLINE void NAME(transpose_tile)(float *to, int64_t width, const float *from, int64_t ld) {
    vf row[WIDTH];
#pragma unroll
    for (int j = 0; j < WIDTH; j++) row[j] = *(const vf *)(from + j * ld);
    EXCHANGE(1)
    EXCHANGE(2)
#if WIDTH >= 8
    EXCHANGE(4)
#endif
#if WIDTH == 16
    EXCHANGE(8)
#endif
#pragma unroll
    for (int l = 0; l < WIDTH; l++) *(vf *)(to + l * width) = row[l];
}
#undef LEFT
#undef RIGHT
#undef LANES4
#undef LANES8
#undef LANES
#undef EXCHANGE

// to[l * width + j] = from[j * ld + l] for `rows` l and `columns` j.
INLINE void NAME(transpose)(
    float *to, int64_t width, const float *from, int64_t ld, int64_t rows, int64_t columns) {
    for (int64_t l0 = 0; l0 < rows; l0 += WIDTH) {
        const int64_t l1 = l0 + WIDTH < rows ? l0 + WIDTH : rows;
        int64_t j = 0;
        for (; l0 + WIDTH <= rows && j + WIDTH <= columns; j += WIDTH) {
            NAME(transpose_tile)(to + l0 * width + j, width, from + j * ld + l0, ld);
        }
        for (; j < columns; j++) {
            for (int64_t l = l0; l < l1; l++) to[l * width + j] = from[j * ld + l];
        }
    }
}

// Loads the first n floats of a vector, which are some of them but not all.
INLINE vf NAME(load_first)(const float *from, int n) {
#if WIDTH == 16
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), from);
#elif WIDTH == 8
    const vi lane = {0, 1, 2, 3, 4, 5, 6, 7};
    return (vf)_mm256_maskload_ps(from, (__m256i)(lane < n));
#else
    return (vf){from[0], n > 1 ? from[1] : 0, n > 2 ? from[2] : 0};
#endif
}
INLINE void NAME(store_first)(float *to, vf x, int n) {
#if WIDTH == 16
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << n) - 1), (__m512)x);
#elif WIDTH == 8
    const vi lane = {0, 1, 2, 3, 4, 5, 6, 7};
    _mm256_maskstore_ps(to, (__m256i)(lane < n), (__m256)x);
#else
    to[0] = x[0];
    if (n > 1) to[1] = x[1];
    if (n > 2) to[2] = x[2];
#endif
}

// The arguments that all blocks of a panel share.
typedef struct {
    int64_t k;
    const float *a;  // element (i, k) of A is a[i * a_row + k * a_step]
    int64_t a_row, a_step;
    const float *b;  // row k of a panel of B is b + k * b_step
    int64_t b_step;
    float alpha, beta;
    const float *bias;  // of the panel, or NULL
    float *c;
    int64_t ldc;
    int last;  // floats in the panel's last vector
} NAME(strip);

// C ← alpha · A B + beta · C for a few rows and one panel of columns.
INLINE void NAME(block)(
    const NAME(strip) *s, int rows, int vectors, const float *a, int64_t a_row, int64_t a_step, float *c) {
    const float *b = s->b;
    const int64_t k = s->k, b_step = s->b_step, ldc = s->ldc;
    const int last = s->last;
    vf sum[BLOCK][PANEL];
#pragma unroll
    for (int i = 0; i < rows; i++) {
#pragma unroll
        for (int j = 0; j < vectors; j++) sum[i][j] = (vf){0};
    }
    for (int64_t l = 0; l < k; l++) {
        // Lanes beyond the last column may hold anything; they aren't stored.
        vf line[PANEL];
#pragma unroll
        for (int j = 0; j < vectors; j++) line[j] = *(const vf *)(b + l * b_step + j * WIDTH);
#pragma unroll
        for (int i = 0; i < rows; i++) {
            float x = a[i * a_row + l * a_step];
#if defined(__aarch64__)
            // Multiply-adds take x from an element. Clang would rather load it into all lanes, for which the units
            // that multiply are needed, too, on many processors; it doesn't if it can't see that x was loaded.
            __asm__("" : "+w"(x));
#endif
#pragma unroll
            for (int j = 0; j < vectors; j++) sum[i][j] += x * line[j];
        }
    }
    const float alpha = s->alpha, beta = s->beta;
#pragma unroll
    for (int i = 0; i < rows; i++) {
#pragma unroll
        for (int j = 0; j < vectors; j++) {
            float *to = c + i * ldc + j * WIDTH;
            vf result = alpha * sum[i][j];
            if (j < vectors - 1 || last == WIDTH) {
                if (s->bias) result += *(const vf *)(s->bias + j * WIDTH);
                if (beta != 0) result += beta * *(const vf *)to;
                *(vf *)to = result;
            } else {
                if (s->bias) result += NAME(load_first)(s->bias + j * WIDTH, last);
                if (beta != 0) result += beta * NAME(load_first)(to, last);
                NAME(store_first)(to, result, last);
            }
        }
    }
}

// All m rows of C for one panel, in blocks of nearly equal height.
INLINE void NAME(panel)(const NAME(strip) *s, int vectors, int64_t m, int64_t a_row, int64_t a_step) {
    const int64_t blocks = (m + BLOCK - 1) / BLOCK;
    for (int64_t i = 0; i < blocks; i++) {
        const int64_t first = m * i / blocks;
        const float *a = s->a + first * a_row;
        float *c = s->c + first * s->ldc;
        switch (m * (i + 1) / blocks - first) {
        case 1: NAME(block)(s, 1, vectors, a, a_row, a_step, c); break;
        case 2: NAME(block)(s, 2, vectors, a, a_row, a_step, c); break;
        case 3: NAME(block)(s, 3, vectors, a, a_row, a_step, c); break;
        case 4: NAME(block)(s, 4, vectors, a, a_row, a_step, c); break;
        case 5: NAME(block)(s, 5, vectors, a, a_row, a_step, c); break;
        case 6: NAME(block)(s, 6, vectors, a, a_row, a_step, c); break;
        }
    }
}

// One variant for each width of a panel and each of the two layouts of A.
#define VARIANT(vectors)                                                                               \
    static __attribute__((noinline)) void NAME(rows_##vectors)(const NAME(strip) *s, int64_t m) {      \
        NAME(panel)(s, vectors, m, s->a_row, 1);                                                       \
    }                                                                                                  \
    static __attribute__((noinline)) void NAME(columns_##vectors)(const NAME(strip) *s, int64_t m) {   \
        NAME(panel)(s, vectors, m, 1, s->a_step);                                                      \
    }
VARIANT(1)
VARIANT(2)
#if PANEL == 4
VARIANT(3)
VARIANT(4)
#endif
#undef VARIANT

// Panels of nearly equal width: vectors [whole p / panels, whole (p + 1) / panels).
static void NAME(pack)(
    float *to, const float *b, int64_t ldb, bool transpose_b, int64_t k, int64_t n, int64_t first_row, int64_t last_row) {
    const int64_t whole = (n + WIDTH - 1) / WIDTH, panels = (whole + PANEL - 1) / PANEL;
    for (int64_t p = 0; p < panels; p++) {
        const int64_t first = whole * p / panels * WIDTH, width = whole * (p + 1) / panels * WIDTH - first;
        const int64_t filled = n - first < width ? n - first : width;
        float *panel = to + first * k;
        if (transpose_b) {
            NAME(transpose)(
                panel + first_row * width, width, b + first * ldb + first_row, ldb, last_row - first_row, filled);
        } else {
            for (int64_t l = first_row; l < last_row; l++) NAME(copy)(panel + l * width, b + l * ldb + first, filled);
        }
        for (int64_t l = first_row; l < last_row && filled < width; l++) {
            for (int64_t j = filled; j < width; j++) panel[l * width + j] = 0;
        }
    }
}

static void NAME(multiply)(const ck_product *p) {
    static void (*const variants[2][4])(const NAME(strip) *, int64_t) = {
#if PANEL == 4
        {NAME(rows_1), NAME(rows_2), NAME(rows_3), NAME(rows_4)},
        {NAME(columns_1), NAME(columns_2), NAME(columns_3), NAME(columns_4)},
#else
        {NAME(rows_1), NAME(rows_2)},
        {NAME(columns_1), NAME(columns_2)},
#endif
    };
    // A long k is divided into stretches, so that data which is read again stays in the nearest caches.
    const int64_t stretch = p->packed && !p->transpose_a ? 1024 : 256;
    const int64_t whole = (p->n + WIDTH - 1) / WIDTH, panels = (whole + PANEL - 1) / PANEL;
    int64_t start = 0;
    do {
        const int64_t k = p->k - start < stretch ? p->k - start : stretch;
        for (int64_t q = 0; q < panels; q++) {
            const int64_t at = whole * q / panels, next = whole * (q + 1) / panels;
            const NAME(strip) s = {
                .k = k,
                .a = p->a + start * (p->transpose_a ? p->lda : 1),
                .a_row = p->transpose_a ? 1 : p->lda,
                .a_step = p->transpose_a ? p->lda : 1,
                .b = p->packed ? p->packed + at * WIDTH * p->k + start * (next - at) * WIDTH
                               : p->b + start * p->ldb + at * WIDTH,
                .b_step = p->packed ? (next - at) * WIDTH : p->ldb,
                .alpha = p->alpha,
                .beta = start > 0 ? 1 : p->beta,
                .bias = start > 0 || !p->bias ? NULL : p->bias + at * WIDTH,
                .c = p->c + at * WIDTH,
                .ldc = p->ldc,
                .last = next < whole ? WIDTH : (int)(p->n - (whole - 1) * WIDTH),
            };
            variants[p->transpose_a][next - at - 1](&s, p->m);
        }
        start += k;
    } while (start < p->k);
}
#undef INLINE
