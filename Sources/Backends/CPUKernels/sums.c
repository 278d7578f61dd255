#include "internal.h"

typedef struct {
    const float *x;
    int64_t rows, columns, ld;
    float beta, *out;
    int pieces;
    const struct ck_kernels *kernels;
} sum_job;

static void sum_piece(void *context, int piece) {
    const sum_job *j = context;
    // Pieces start at multiples of 16, so that their ends are the ends of vectors.
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
