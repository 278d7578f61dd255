// The vectorised loops, written once for vectors of WIDTH floats and compiled for
// each instruction set. Tails are computed by the same code with padding, so that
// an element's bits don't depend on its position.
//
// The including file defines WIDTH and NAME(x).

typedef float vf __attribute__((vector_size(4 * WIDTH), aligned(4)));
typedef int32_t vi __attribute__((vector_size(4 * WIDTH), aligned(4)));
typedef uint32_t vu __attribute__((vector_size(4 * WIDTH), aligned(4)));
typedef double vd __attribute__((vector_size(8 * WIDTH)));

static inline __attribute__((always_inline)) vf NAME(splat)(float x) { return x - (vf){0}; }
static inline __attribute__((always_inline)) vf NAME(pick)(vi mask, vf a, vf b) {
    return (vf)((mask & (vi)a) | (~mask & (vi)b));
}
static inline __attribute__((always_inline)) vf NAME(absolute)(vf x) { return (vf)((vi)x & 0x7fffffff); }

// exp(x - n ln 2), for n to the nearest integer.
static inline __attribute__((always_inline)) vf NAME(exp_rest)(vf x, vf n) {
    vf r = x - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    vf p = NAME(splat)(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * (r * r) + r + 1.0f;
}

// exp(x): x = n ln 2 + r, a polynomial in r (coefficients from Cephes' expf), and 2^n in
// two factors so that denormal results are possible. If x <= 0, the code for x > 0 is left out.
static inline __attribute__((always_inline)) vf NAME(exp_bounded)(vf x, bool is_up_to_0) {
#if WIDTH == 16
    // The processor rounds and scales by itself, with denormal results and infinity. NaN, as the second operand,
    // passes through `max` and `min`.
    vf clamped = (vf)_mm512_max_ps((__m512)NAME(splat)(-105.0f), (__m512)x);
    if (!is_up_to_0) clamped = (vf)_mm512_min_ps((__m512)NAME(splat)(89.5f), (__m512)clamped);
    const vf n = (vf)_mm512_roundscale_ps((__m512)(clamped * 1.44269504088896341f), _MM_FROUND_TO_NEAREST_INT);
    return (vf)_mm512_scalef_ps((__m512)NAME(exp_rest)(clamped, n), (__m512)n);
#else
    vf clamped = NAME(pick)(x < -104.0f, NAME(splat)(-104.0f), x);
    if (!is_up_to_0) clamped = NAME(pick)(x > 88.8f, NAME(splat)(88.8f), clamped);
    vf n = clamped * 1.44269504088896341f;
    n = (n + 12582912.0f) - 12582912.0f;  // to the nearest integer
    const vf p = NAME(exp_rest)(clamped, n);
    const vi whole = __builtin_convertvector(NAME(pick)(n == n, n, NAME(splat)(0)), vi);
    const vi half = whole >> 1;
    vf y = p * (vf)((half + 127) << 23) * (vf)((whole - half + 127) << 23);
    if (!is_up_to_0) y = NAME(pick)(x > 88.7228394f, NAME(splat)(__builtin_inff()), y);
    y = NAME(pick)(x < -103.97208f, NAME(splat)(0), y);
    return NAME(pick)(x == x, y, x);
#endif
}
static inline __attribute__((always_inline)) vf NAME(exp)(vf x) { return NAME(exp_bounded)(x, false); }

// log(x), after Cephes' logf.
static inline __attribute__((always_inline)) vf NAME(log)(vf x) {
    const vi tiny = x < 1.17549435e-38f;
    const vf scaled = NAME(pick)(tiny, x * 8388608.0f, x);
    const vi bits = (vi)scaled;
    vf e = __builtin_convertvector(((bits >> 23) & 255) - 126, vf) - NAME(pick)(tiny, NAME(splat)(23), NAME(splat)(0));
    vf m = (vf)((bits & 0x007fffff) | 0x3f000000);  // in [0.5, 1)
    const vi low = m < 0.707106781186547524f;
    e = e - NAME(pick)(low, NAME(splat)(1), NAME(splat)(0));
    m = NAME(pick)(low, m + m, m) - 1.0f;
    const vf z = m * m;
    vf p = NAME(splat)(7.0376836292e-2f);
    p = p * m - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    vf y = p * m * z + e * -2.12194440e-4f - z * 0.5f;
    y = m + y + e * 0.693359375f;
    y = NAME(pick)(x == __builtin_inff(), x, y);
    y = NAME(pick)(x == 0, NAME(splat)(-__builtin_inff()), y);
    y = NAME(pick)(x < 0, NAME(splat)(__builtin_nanf("")), y);
    return NAME(pick)(x == x, y, x);
}

static inline __attribute__((always_inline)) vf NAME(sigmoid)(vf x) {
    const vf e = NAME(exp_bounded)((vf)((vi)x | (vi)NAME(splat)(-0.0f)), true);  // exp(-|x|)
    const vf y = 1.0f / (1.0f + e);
    return NAME(pick)(x >= 0, y, e * y);
}

// tanh(x): an odd polynomial near 0 (Cephes' tanhf), elsewhere computed from exp.
static inline __attribute__((always_inline)) vf NAME(tanh)(vf x) {
    const vf a = NAME(absolute)(x), z = x * x;
    vf p = NAME(splat)(-5.70498872745e-3f);
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    const vf near = p * z * x + x;
    const vf e = NAME(exp_bounded)(a * -2.0f, true);
    const vf far = (1.0f - e) / (1.0f + e);
    return NAME(pick)(a < 0.625f, near, (vf)((vi)far | ((vi)x & (vi)NAME(splat)(-0.0f))));
}

// The sine of x + quarter · π/2: x = n π/2 + r with n and r from double precision, in which the product of n and
// the first 25 bits of π/2 is exact, and Cephes' polynomials of sinf and cosf in r.
static inline __attribute__((always_inline)) vf NAME(sine)(vf x, int32_t quarter) {
    const vf a = NAME(absolute)(x);
    const vi is_near = a <= 268435456.0f;
    const vd wide = __builtin_convertvector(NAME(pick)(is_near, x, NAME(splat)(0)), vd);
    const vd n = (wide * 0.63661977236758134308 + 6755399441055744.0) - 6755399441055744.0;  // to the nearest integer
    const vd exact = wide - n * 1.57079631090164184570;
    vf r = __builtin_convertvector(exact - n * 1.58932547735281966916e-8, vf);
    vi turns = __builtin_convertvector(n, vi);
    if (__builtin_reduce_and(is_near) == 0) {
        for (int i = 0; i < WIDTH; i++) {
            if (is_near[i]) continue;
            const ck_angle angle = ck_reduce_angle(x[i]);
            r[i] = angle.rest, turns[i] = angle.quarters;
        }
    }
    turns += quarter;
    const vf z = r * r;
    vf s = NAME(splat)(-1.9515295891e-4f);
    s = s * z + 8.3321608736e-3f;
    s = s * z - 1.6666654611e-1f;
    s = s * z * r + r;
    vf c = NAME(splat)(2.443315711809948e-5f);
    c = c * z - 1.388731625493765e-3f;
    c = c * z + 4.166664568298827e-2f;
    c = c * z * z - z * 0.5f + 1.0f;
    const vf y = NAME(pick)((turns & 1) != 0, c, s);
    return (vf)((vi)y ^ ((turns & 2) << 30));
}

// erf(x), from polynomials fitted by scripts/fit-erf: erf(x) / x - 1 near 0, elsewhere -log(erfc(|x|)) / |x| - 1.
static inline __attribute__((always_inline)) vf NAME(erf)(vf x) {
    const vf a = NAME(absolute)(x), z = x * x;
    vf p = NAME(splat)(8.38242e-5f);
    p = p * z - 8.1456055e-4f;
    p = p * z + 5.201287e-3f;
    p = p * z - 2.6859501e-2f;
    p = p * z + 1.1283697e-1f;
    p = p * z - 3.7612635e-1f;
    p = p * z + 1.2837917e-1f;
    const vf near = p * x + x;
    const vf b = NAME(pick)(a > 4.0f, NAME(splat)(4), a);
    vf q = NAME(splat)(-2.145951e-4f);
    q = q * b + 3.219976e-3f;
    q = q * b - 2.2906033e-2f;
    q = q * b + 1.0528686e-1f;
    q = q * b + 6.356994e-1f;
    q = q * b + 1.2851995e-1f;
    const vf far = 1.0f - NAME(exp_bounded)(-(q * b + b), true);
    const vf y = NAME(pick)(a < 0.92f, near, (vf)((vi)far | ((vi)x & (vi)NAME(splat)(-0.0f))));
    return NAME(pick)(x == x, y, x);
}

// Copies exactly n floats as whole vectors, the last of which overlaps the one before.
static inline __attribute__((always_inline)) void NAME(copy)(float *to, const float *from, int64_t n) {
    if (n < WIDTH) {
        for (int64_t i = 0; i < n; i++) to[i] = from[i];
        return;
    }
    const vf last = *(const vf *)(from + n - WIDTH);
    for (int64_t i = 0; i + WIDTH <= n; i += WIDTH) *(vf *)(to + i) = *(const vf *)(from + i);
    *(vf *)(to + n - WIDTH) = last;
}

// Writes the uniform numbers of elements first ..< first + n; to[] must have room for n + 6.
static void NAME(uniform)(float *to, int64_t first, int64_t n, const ck_key *key) {
    const int64_t skip = first & 3;
    const uint64_t block0 = (uint64_t)first >> 2;
    const int64_t blocks = (skip + n + 3) / 4;
    enum { LANES = 16 };
    for (int64_t b = 0; b < blocks; b += LANES) {
        uint32_t c0[LANES], c1[LANES], c2[LANES], c3[LANES];
        for (int i = 0; i < LANES; i++) {
            const uint64_t block = block0 + (uint64_t)(b + i);
            c0[i] = (uint32_t)block, c1[i] = (uint32_t)(block >> 32), c2[i] = key->high0, c3[i] = key->high1;
        }
        uint32_t k0 = key->key0, k1 = key->key1;
        for (int round = 0; round < 10; round++) {
            for (int i = 0; i < LANES; i++) {
                const uint64_t x = (uint64_t)0xD2511F53u * c0[i], y = (uint64_t)0xCD9E8D57u * c2[i];
                c0[i] = (uint32_t)(y >> 32) ^ c1[i] ^ k0;
                c1[i] = (uint32_t)y;
                c2[i] = (uint32_t)(x >> 32) ^ c3[i] ^ k1;
                c3[i] = (uint32_t)x;
            }
            k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
        }
        for (int i = 0; i < LANES && b + i < blocks; i++) {
            const uint32_t word[4] = {c0[i], c1[i], c2[i], c3[i]};
            for (int j = 0; j < 4; j++) {
                const int64_t at = 4 * (b + i) + j - skip;
                if (at >= 0 && at < n) to[at] = (float)(word[j] >> 8) * 0x1p-24f;
            }
        }
    }
}

// Runs the program over one tile: n elements, rounded up to whole vectors.
static void NAME(execute)(
    const ck_program *program, float *const *values, int64_t n, const ck_key *key,
    int64_t first_element, int64_t first_column, int64_t columns) {
#define EACH(expression)                                                            \
    for (int64_t i = 0; i < n; i += WIDTH) {                                        \
        const vf x = *(const vf *)(a + i);                                          \
        *(vf *)(result + i) = (expression);                                         \
    }                                                                               \
    break
#define EACH2(expression)                                                           \
    for (int64_t i = 0; i < n; i += WIDTH) {                                        \
        const vf x = *(const vf *)(a + i), y = *(const vf *)(b + i);                \
        *(vf *)(result + i) = (expression);                                         \
    }                                                                               \
    break
    const vf one = NAME(splat)(1), zero = NAME(splat)(0);
    for (int32_t at = program->prologue_count; at < program->instruction_count; at++) {
        const ck_instruction in = program->instructions[at];
        float *const result = values[in.result];
        const float *const a = values[in.a], *const b = values[in.b], *const c = values[in.c];
        switch (in.opcode) {
        case CK_UNIFORM: NAME(uniform)(result, first_element, n, key); break;
        case CK_COLUMN_INDEX:
            for (int64_t i = 0; i < n; i++) result[i] = (float)((first_column + i) % columns);
            break;
        case CK_COPY: EACH(x);
        case CK_NEGATE: EACH(-x);
        case CK_ABSOLUTE: EACH(NAME(absolute)(x));
        case CK_SIGN: EACH(NAME(pick)(x > zero, one, NAME(pick)(x < zero, -one, zero)));
        case CK_EXP: EACH(NAME(exp)(x));
        case CK_LOG: EACH(NAME(log)(x));
        case CK_SQRT: EACH(__builtin_elementwise_sqrt(x));
        case CK_TANH: EACH(NAME(tanh)(x));
        case CK_SIGMOID: EACH(NAME(sigmoid)(x));
        case CK_SIN: EACH(NAME(sine)(x, 0));
        case CK_COS: EACH(NAME(sine)(x, 1));
        case CK_ERF: EACH(NAME(erf)(x));
        case CK_ADD: EACH2(x + y);
        case CK_SUBTRACT: EACH2(x - y);
        case CK_MULTIPLY: EACH2(x * y);
        case CK_DIVIDE: EACH2(x / y);
        case CK_MAXIMUM: EACH2(NAME(pick)((x > y) | (x != x), x, y));
        case CK_MINIMUM: EACH2(NAME(pick)((x < y) | (x != x), x, y));
        case CK_GREATER: EACH2(NAME(pick)(x > y, one, zero));
        case CK_EQUAL: EACH2(NAME(pick)(x == y, one, zero));
        case CK_SELECT:
            for (int64_t i = 0; i < n; i += WIDTH) {
                const vf x = *(const vf *)(a + i);
                *(vf *)(result + i) = NAME(pick)(x != zero, *(const vf *)(b + i), *(const vf *)(c + i));
            }
            break;
        }
    }
#undef EACH
#undef EACH2
}

// Reads a tile of rows × columns into a register, row by row.
static void NAME(load)(float *to, const float *from, int64_t row, int64_t column, int64_t rows, int64_t columns) {
    if (column == 1) {
        for (int64_t r = 0; r < rows; r++) NAME(copy)(to + r * columns, from + r * row, columns);
    } else if (column == 0) {
        for (int64_t r = 0; r < rows; r++) {
            const float x = from[r * row];
            for (int64_t c = 0; c < columns; c++) to[r * columns + c] = x;
        }
    } else {
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t c = 0; c < columns; c++) to[r * columns + c] = from[r * row + c * column];
        }
    }
}

static void NAME(store)(float *to, int64_t row, int64_t column, const float *from, int64_t rows, int64_t columns) {
    if (column == 1 && row == columns) {
        NAME(copy)(to, from, rows * columns);
    } else if (column == 1) {
        for (int64_t r = 0; r < rows; r++) NAME(copy)(to + r * row, from + r * columns, columns);
    } else {
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t c = 0; c < columns; c++) to[r * row + c * column] = from[r * columns + c];
        }
    }
}

static void NAME(add)(float *to, const float *from, int64_t n) {
    int64_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) *(vf *)(to + i) += *(const vf *)(from + i);
    for (; i < n; i++) to[i] += from[i];
}

// Adds up the rows, four at a time so that additions don't wait for each other.
static void NAME(sum_columns)(
    const float *x, int64_t rows, int64_t columns, int64_t ld, float beta, float *out) {
    int64_t c = 0;
    for (; c + WIDTH <= columns; c += WIDTH) {
        vf s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
        int64_t r = 0;
        for (; r + 4 <= rows; r += 4) {
            s0 += *(const vf *)(x + r * ld + c);
            s1 += *(const vf *)(x + (r + 1) * ld + c);
            s2 += *(const vf *)(x + (r + 2) * ld + c);
            s3 += *(const vf *)(x + (r + 3) * ld + c);
        }
        for (; r < rows; r++) s0 += *(const vf *)(x + r * ld + c);
        const vf sum = (s0 + s1) + (s2 + s3);
        *(vf *)(out + c) = beta == 0 ? sum : sum + beta * *(const vf *)(out + c);
    }
    for (; c < columns; c++) {
        float s[4] = {0};
        const int64_t whole = rows & ~(int64_t)3;
        for (int64_t r = 0; r < whole; r++) s[r & 3] += x[r * ld + c];
        for (int64_t r = whole; r < rows; r++) s[0] += x[r * ld + c];
        const float sum = (s[0] + s[1]) + (s[2] + s[3]);
        out[c] = beta == 0 ? sum : sum + beta * out[c];
    }
}

// Replaces one row of n logits by exp(logit - maximum), after adding the bias and applying
// dropout; the row is padded to whole vectors with -inf. Dropped elements are stored as 0,
// but count in the sum as exp(0 - maximum).
static ck_row_result NAME(exponentials)(
    float *row, const float *bias, int64_t n, const float *mask, float rate, float keep) {
    const int64_t padded = (n + WIDTH - 1) / WIDTH * WIDTH;
    const vf lowest = NAME(splat)(-__builtin_inff());
    vf best = lowest;
    for (int64_t i = 0; i < n; i += WIDTH) {
        vf x = *(vf *)(row + i) + *(const vf *)(bias + i);
        if (mask) x = NAME(pick)(*(const vf *)(mask + i) < rate, NAME(splat)(0), x * keep);
        if (i + WIDTH > n) {
            for (int64_t j = n - i; j < WIDTH; j++) x[j] = -__builtin_inff();
        }
        *(vf *)(row + i) = x;
        best = NAME(pick)(x > best, x, best);  // a NaN isn't chosen, but still reaches the sum
    }
    ck_row_result result = {best[0], 0, 0};
    for (int j = 1; j < WIDTH; j++) {
        if (best[j] > result.maximum) result.maximum = best[j];
    }
    int64_t at = 0;
    while (at + WIDTH < padded && __builtin_reduce_or(*(vf *)(row + at) == result.maximum) == 0) at += WIDTH;
    while (at < n - 1 && row[at] != result.maximum) at++;
    result.argmax = (int32_t)at;
    vf sum = {0};
    for (int64_t i = 0; i < padded; i += WIDTH) {
        const vf e = NAME(exp_bounded)(*(vf *)(row + i) - result.maximum, true);
        sum += e;
        vf kept = e;
        if (mask) kept = NAME(pick)(*(const vf *)(mask + i) < rate, NAME(splat)(0), e * keep);
        *(vf *)(row + i) = kept;
    }
    for (int j = 0; j < WIDTH; j++) result.sum += sum[j];
    return result;
}
