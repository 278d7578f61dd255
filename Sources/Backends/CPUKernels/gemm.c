#include "internal.h"
#include <cblas.h>
#include <string.h>

static void openblas(const ck_product *p) {
    cblas_sgemm(
        CblasRowMajor, p->transpose_a ? CblasTrans : CblasNoTrans, p->transpose_b ? CblasTrans : CblasNoTrans,
        (int)p->m, (int)p->n, (int)p->k, p->alpha, p->a, (int)p->lda, p->b, (int)p->ldb, p->beta, p->c, (int)p->ldc);
}

// One row of C: every element of B is read only once, so packing it would cost
// more than the product.
static void one_row(const ck_product *p) {
    // C may hold NaN or infinity, and 0 times these isn't 0.
    if (p->beta == 0) memset(p->c, 0, sizeof(float) * (size_t)p->n);
    cblas_sgemv(
        CblasRowMajor, p->transpose_b ? CblasNoTrans : CblasTrans, (int)(p->transpose_b ? p->n : p->k),
        (int)(p->transpose_b ? p->k : p->n), p->alpha, p->b, (int)p->ldb, p->a, p->transpose_a ? (int)p->lda : 1, p->beta,
        p->c, 1);
}

// OpenBLAS is made for large square matrices: it packs both operands at every call, and
// old versions don't know the newest processors. Our own loops are used for products
// whose right operand or result has at most 2 MiB.
ck_method ck_choose_method(const struct ck_kernels *kernels, bool transpose_b, int64_t m, int64_t n, int64_t k) {
    if (m == 1 && k > 0) return (ck_method){one_row, false};
    const int64_t most = 1 << 19;
    if (kernels->multiply && k > 0 && (n * k <= most || (m * n <= most && !transpose_b))) {
        return (ck_method){kernels->multiply, transpose_b};
    }
    return (ck_method){openblas, false};
}

// A panel consists of whole vectors of at most 16 floats.
int64_t ck_packed_size(int64_t n, int64_t k) { return (n + 15) / 16 * 16 * k + CK_PADDING; }

// How a product is divided: by rows of C, by columns of C, or along K with partial
// sums. Only the shape decides, so that the bits are the same for any team.
typedef struct {
    enum { WHOLE, ROWS, COLUMNS, DEPTH } axis;
    int pieces;
} cut;

static cut choose(int m, int n, int k) {
    const double flops = 2.0 * m * n * k;
    if (flops < 2e6) return (cut){WHOLE, 1};
    int pieces = flops < 16e6 ? 2 : (int)(flops / 8e6);
    if (pieces > 16) pieces = 16;
    pieces &= ~1;
    const int longer = m > n ? m : n;
    // Along its rows or columns, a small C would be cut too finely.
    if (k >= 8 * longer && (int64_t)m * n <= 1 << 16) return (cut){DEPTH, pieces > 8 ? 8 : pieces};
    while (pieces > 2 && longer / pieces < 64) pieces -= 2;
    return (cut){m >= n ? ROWS : COLUMNS, pieces};
}

// Pieces of rows share one packed B; other pieces pack their own part.
static int64_t packed_part(cut c, int n, int k) {
    switch (c.axis) {
    case COLUMNS: return ck_packed_size((n + c.pieces - 1) / c.pieces, k);
    case DEPTH: return ck_packed_size(n, (k + c.pieces - 1) / c.pieces);
    default: return ck_packed_size(n, k);
    }
}

static int64_t partials_size(cut c, int m, int n) { return c.axis == DEPTH ? (int64_t)c.pieces * m * n + CK_PADDING : 0; }

int64_t ck_gemm_scratch(const ck_team *team, bool transpose_b, int m, int n, int k) {
    const cut c = choose(m, n, k);
    const int64_t packed = packed_part(c, n, k) * (c.axis == ROWS ? 1 : c.pieces);
    return partials_size(c, m, n) + (ck_choose_method(ck_team_kernels(team), transpose_b, m, n, k).packs ? packed : 0);
}

typedef struct {
    const struct ck_kernels *kernels;
    ck_method method;
    cut cut;
    ck_product whole;
    float *packed, *partials;
} job;

static int64_t bound(int64_t length, int pieces, int piece) { return length * piece / pieces; }

enum { PACK_PIECES = 8 };

static void pack_piece(void *context, int piece) {
    const job *j = context;
    const ck_product *p = &j->whole;
    j->kernels->pack(
        j->packed, p->b, p->ldb, p->transpose_b, p->k, p->n, bound(p->k, PACK_PIECES, piece),
        bound(p->k, PACK_PIECES, piece + 1));
}

static void multiply_piece(void *context, int piece) {
    const job *j = context;
    ck_product p = j->whole;
    const int pieces = j->cut.pieces;
    int64_t first_column = 0, first_row = 0;  // of op(B)
    switch (j->cut.axis) {
    case ROWS: {
        const int64_t first = bound(p.m, pieces, piece);
        p.m = bound(p.m, pieces, piece + 1) - first;
        p.a += first * (p.transpose_a ? 1 : p.lda);
        p.c += first * p.ldc;
        p.packed = j->method.packs ? j->packed : NULL;
        break;
    }
    case COLUMNS:
        first_column = bound(p.n, pieces, piece);
        p.n = bound(p.n, pieces, piece + 1) - first_column;
        p.c += first_column;
        break;
    case DEPTH:
        first_row = bound(p.k, pieces, piece);
        p.k = bound(p.k, pieces, piece + 1) - first_row;
        p.a += first_row * (p.transpose_a ? p.lda : 1);
        p.c = j->partials + piece * p.m * p.n;
        p.ldc = p.n;
        p.alpha = 1;
        p.beta = 0;
        break;
    case WHOLE: break;
    }
    p.b += p.transpose_b ? first_column * p.ldb + first_row : first_row * p.ldb + first_column;
    if (j->method.packs && !p.packed) {
        float *packed = j->packed + piece * packed_part(j->cut, (int)j->whole.n, (int)j->whole.k);
        j->kernels->pack(packed, p.b, p.ldb, p.transpose_b, p.k, p.n, 0, p.k);
        p.packed = packed;
    }
    j->method.multiply(&p);
}

static void add_partials(void *context, int piece) {
    const job *j = context;
    const ck_product *p = &j->whole;
    const int64_t pieces = j->cut.pieces, first = bound(p->m, (int)pieces, piece), last = bound(p->m, (int)pieces, piece + 1);
    for (int64_t r = first; r < last; r++) {
        float *c = p->c + r * p->ldc;
        const float *partial = j->partials + r * p->n;
        for (int64_t i = 0; i < p->n; i++) {
            float sum = partial[i];
            for (int64_t q = 1; q < pieces; q++) sum += partial[q * p->m * p->n + i];
            c[i] = p->alpha * sum + (p->beta == 0 ? 0 : p->beta * c[i]);
        }
    }
}

void ck_gemm(
    ck_team *team, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
    const float *b, int ldb, float beta, float *c, int ldc, float *scratch) {
    const struct ck_kernels *kernels = ck_team_kernels(team);
    const cut cut = choose(m, n, k);
    job j = {
        .kernels = kernels,
        .method = ck_choose_method(kernels, transpose_b, m, n, k),
        .cut = cut,
        .whole = {m, n, k, alpha, beta, a, lda, transpose_a, transpose_b, b, ldb, NULL, c, ldc},
        .partials = scratch,
        .packed = scratch ? scratch + partials_size(cut, m, n) : NULL,
    };
    if (j.method.packs && cut.axis == ROWS) ck_parallel(team, PACK_PIECES, pack_piece, &j);
    ck_parallel(team, cut.pieces, multiply_piece, &j);
    if (cut.axis != DEPTH) return;
    if ((int64_t)m * n < 1 << 15) {
        for (int piece = 0; piece < cut.pieces; piece++) add_partials(&j, piece);
    } else {
        ck_parallel(team, cut.pieces, add_partials, &j);
    }
}
