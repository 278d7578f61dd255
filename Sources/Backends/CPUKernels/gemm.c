#include "internal.h"
#include <cblas.h>

// How a product is cut: by rows of C, by columns of C, or along K with partial
// sums. Only the shape decides, so that the bits are the same on any team.
typedef struct {
    enum { WHOLE, ROWS, COLUMNS, DEPTH } axis;
    int pieces;
} cut;

static cut choose(int m, int n, int k) {
    const double flops = 2.0 * m * n * k;
    if (flops < 1e6) return (cut){WHOLE, 1};
    int pieces = flops < 64e6 ? 2 : (int)(flops / 16e6);
    if (pieces > 16) pieces = 16;
    pieces &= ~1;
    const int longer = m > n ? m : n;
    // Cutting a small C along its sides would pack K-long panels again and again.
    if (k >= 8 * longer && (int64_t)m * n <= 1 << 18) {
        return (cut){DEPTH, k / pieces >= 64 ? pieces : 2};
    }
    while (pieces > 2 && longer / pieces < 64) pieces -= 2;
    return (cut){m >= n ? ROWS : COLUMNS, pieces};
}

int64_t ck_gemm_partials(int m, int n, int k) {
    const cut c = choose(m, n, k);
    return c.axis == DEPTH ? (int64_t)c.pieces * m * n + CK_PADDING : 0;
}

typedef struct {
    cut cut;
    bool ta, tb;
    int m, n, k;
    float alpha, beta;
    const float *a, *b;
    int lda, ldb, ldc;
    float *c, *partials;
} job;

static int bound(int length, int pieces, int piece) { return (int)((int64_t)length * piece / pieces); }

static void multiply(void *context, int piece) {
    const job *j = context;
    int m0 = 0, m1 = j->m, n0 = 0, n1 = j->n, k0 = 0, k1 = j->k;
    switch (j->cut.axis) {
    case ROWS: m0 = bound(j->m, j->cut.pieces, piece), m1 = bound(j->m, j->cut.pieces, piece + 1); break;
    case COLUMNS: n0 = bound(j->n, j->cut.pieces, piece), n1 = bound(j->n, j->cut.pieces, piece + 1); break;
    case DEPTH: k0 = bound(j->k, j->cut.pieces, piece), k1 = bound(j->k, j->cut.pieces, piece + 1); break;
    case WHOLE: break;
    }
    const float *a = j->a + (j->ta ? (int64_t)k0 * j->lda + m0 : (int64_t)m0 * j->lda + k0);
    const float *b = j->b + (j->tb ? (int64_t)n0 * j->ldb + k0 : (int64_t)k0 * j->ldb + n0);
    const bool partial = j->cut.axis == DEPTH;
    float *c = partial ? j->partials + (int64_t)piece * j->m * j->n : j->c + (int64_t)m0 * j->ldc + n0;
    cblas_sgemm(
        CblasRowMajor, j->ta ? CblasTrans : CblasNoTrans, j->tb ? CblasTrans : CblasNoTrans, m1 - m0, n1 - n0, k1 - k0,
        partial ? 1 : j->alpha, a, j->lda, b, j->ldb, partial ? 0 : j->beta, c, partial ? j->n : j->ldc);
}

static void add_partials(void *context, int piece) {
    const job *j = context;
    const int first = bound(j->m, j->cut.pieces, piece), last = bound(j->m, j->cut.pieces, piece + 1);
    for (int r = first; r < last; r++) {
        float *c = j->c + (int64_t)r * j->ldc;
        const float *p = j->partials + (int64_t)r * j->n;
        for (int i = 0; i < j->n; i++) {
            float sum = p[i];
            for (int q = 1; q < j->cut.pieces; q++) sum += p[(int64_t)q * j->m * j->n + i];
            c[i] = j->alpha * sum + (j->beta == 0 ? 0 : j->beta * c[i]);
        }
    }
}

void ck_gemm(
    ck_team *team, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
    const float *b, int ldb, float beta, float *c, int ldc, float *partials) {
    job j = {choose(m, n, k), transpose_a, transpose_b, m, n, k, alpha, beta, a, b, lda, ldb, ldc, c, partials};
    ck_parallel(team, j.cut.pieces, multiply, &j);
    if (j.cut.axis == DEPTH) {
        if ((int64_t)m * n < 1 << 15) {
            for (int piece = 0; piece < j.cut.pieces; piece++) add_partials(&j, piece);
        } else {
            ck_parallel(team, j.cut.pieces, add_partials, &j);
        }
    }
}

// MARK: Column sums

typedef struct {
    const float *x;
    int64_t rows, columns, ld;
    float beta, *out;
    int pieces;
    const struct ck_kernels *kernels;
} sum_job;

static void sum_piece(void *context, int piece) {
    const sum_job *j = context;
    // Pieces start at multiples of 16, so that they end where vectors end.
    const int64_t blocks = (j->columns + 15) / 16;
    const int64_t first = 16 * (blocks * piece / j->pieces);
    int64_t last = 16 * (blocks * (piece + 1) / j->pieces);
    if (last > j->columns) last = j->columns;
    if (first < last) {
        j->kernels->sum_columns(j->x + first, j->rows, last - first, j->ld, j->beta, j->out + first);
    }
}

void ck_sum_columns(ck_team *team, const float *x, int64_t rows, int64_t columns, int64_t ld, float beta, float *out) {
    sum_job j = {x, rows, columns, ld, beta, out, rows * columns < 1 << 15 ? 1 : 8, ck_team_kernels(team)};
    ck_parallel(team, j.pieces, sum_piece, &j);
}
