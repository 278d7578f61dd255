#include "internal.h"
#include <cblas.h>
#include <string.h>

// A prepared matrix is cut into stretches of columns, each packed by itself: about 256 KiB, which
// the rows of one task read from a near cache. Only the shape decides, so that the bits are the
// same for any team; and every element is one chain of multiply-adds, so that they are the same
// for any number of rows.
enum { STRETCH = 1 << 16, ROWS = 128 };

static int64_t stretch_columns(int64_t n, int64_t k) {
    const int64_t wanted = (STRETCH / (k < 1 ? 1 : k) + 63) / 64 * 64;
    const int64_t pieces = (n + wanted - 1) / wanted;
    return pieces < 1 ? 64 : ((n + pieces - 1) / pieces + 63) / 64 * 64;
}

static bool packs(const ck_team *team) { return ck_team_kernels(team)->multiply != NULL; }

int64_t ck_prepared_size(const ck_team *team, int64_t n, int64_t k) {
    if (!packs(team)) return n * k + CK_PADDING;
    const int64_t columns = stretch_columns(n, k);
    return (n + columns - 1) / columns * ck_packed_size(columns, k);
}

void ck_prepare_matrix(ck_team *team, const float *b, int64_t ldb, bool transpose_b, int64_t n, int64_t k, float *to) {
    const struct ck_kernels *kernels = ck_team_kernels(team);
    if (!packs(team)) {
        for (int64_t l = 0; l < k; l++) {
            for (int64_t j = 0; j < n; j++) to[l * n + j] = transpose_b ? b[j * ldb + l] : b[l * ldb + j];
        }
        return;
    }
    const int64_t columns = stretch_columns(n, k);
    for (int64_t first = 0; first < n; first += columns) {
        const int64_t width = n - first < columns ? n - first : columns;
        kernels->pack(to, b + (transpose_b ? first * ldb : first), ldb, transpose_b, k, width, 0, k);
        to += ck_packed_size(columns, k);
    }
}

typedef struct {
    const struct ck_kernels *kernels;
    int64_t m, n, k, columns, pieces;
    const float *a, *packed, *bias;
    int64_t lda, ldc;
    float *c;
} job;

static void multiply_piece(void *context, int piece) {
    const job *j = context;
    const int64_t first = piece % j->pieces * j->columns, row = piece / j->pieces * ROWS;
    const ck_product p = {
        .m = j->m - row < ROWS ? j->m - row : ROWS,
        .n = j->n - first < j->columns ? j->n - first : j->columns,
        .k = j->k,
        .alpha = 1,
        .a = j->a + row * j->lda,
        .lda = j->lda,
        .packed = j->packed + piece % j->pieces * ck_packed_size(j->columns, j->k),
        .bias = j->bias ? j->bias + first : NULL,
        .c = j->c + row * j->ldc + first,
        .ldc = j->ldc,
    };
    j->kernels->multiply(&p);
}

void ck_multiply_prepared(
    ck_team *team, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *packed, const float *bias,
    float *c, int64_t ldc) {
    if (m == 0 || n == 0) return;
    if (!packs(team) || k == 0) {
        for (int64_t i = 0; i < m; i++) {
            if (bias) memcpy(c + i * ldc, bias, sizeof(float) * (size_t)n);
            else memset(c + i * ldc, 0, sizeof(float) * (size_t)n);
        }
        if (k == 0) return;
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)m, (int)n, (int)k, 1, a, (int)lda, packed, (int)n, 1, c, (int)ldc);
        return;
    }
    job j = {ck_team_kernels(team), m, n, k, stretch_columns(n, k), 0, a, packed, bias, lda, ldc, c};
    j.pieces = (n + j.columns - 1) / j.columns;
    const int tasks = (int)(j.pieces * ((m + ROWS - 1) / ROWS));
    if (2.0 * (double)m * (double)n * (double)k < 1e6) {
        for (int task = 0; task < tasks; task++) multiply_piece(&j, task);
    } else {
        ck_parallel(team, tasks, multiply_piece, &j);
    }
}

typedef struct {
    const struct ck_kernels *kernels;
    float *rows;
    const float *zeros;
    int64_t n, ld;
} softmax_job;

static void softmax_row(void *context, int row) {
    const softmax_job *j = context;
    float *x = j->rows + row * j->ld;
    const ck_row_result result = j->kernels->exponentials(x, j->zeros, j->n, NULL, 0, 1);
    const float scale = 1 / result.sum;
    for (int64_t i = 0; i < j->n; i++) x[i] *= scale;
}

void ck_softmax_rows(ck_team *team, float *rows, int64_t count, int64_t n, int64_t ld, const float *zeros) {
    softmax_job j = {ck_team_kernels(team), rows, zeros, n, ld};
    if (count * n < 1 << 14) {
        for (int64_t row = 0; row < count; row++) softmax_row(&j, (int)row);
    } else {
        ck_parallel(team, (int)count, softmax_row, &j);
    }
}
