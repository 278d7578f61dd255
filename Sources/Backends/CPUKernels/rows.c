#include "internal.h"
#include <string.h>

// Gathers rows of a table, and adds rows to it.

typedef struct {
    float *table, *rows;
    int64_t table_ld, rows_ld, columns;
    const int32_t *indices;
    int64_t count;
    int pieces;
    const struct ck_kernels *kernels;
} job;

enum { PIECES = 8, LEAST = 1 << 15 };

static void gather_piece(void *context, int piece) {
    const job *j = context;
    for (int64_t r = j->count * piece / j->pieces; r < j->count * (piece + 1) / j->pieces; r++) {
        memcpy(
            j->rows + r * j->rows_ld, j->table + j->indices[r] * j->table_ld, sizeof(float) * (size_t)j->columns);
    }
}

// Pieces are groups of columns, so that each element's terms are added in the order of the rows.
static void scatter_piece(void *context, int piece) {
    const job *j = context;
    const int64_t blocks = (j->columns + 15) / 16, first = 16 * (blocks * piece / j->pieces);
    int64_t last = 16 * (blocks * (piece + 1) / j->pieces);
    if (last > j->columns) last = j->columns;
    for (int64_t r = 0; r < j->count && first < last; r++) {
        const float *from = j->rows + r * j->rows_ld;
        float *to = j->table + j->indices[r] * j->table_ld;
        j->kernels->add(to + first, from + first, last - first);
    }
}

void ck_gather_rows(
    ck_team *team, const float *table, int64_t table_ld, const int32_t *indices, int64_t count, int64_t columns,
    float *rows, int64_t rows_ld) {
    job j = {(float *)table, rows, table_ld, rows_ld, columns, indices, count, count * columns < LEAST ? 1 : PIECES, NULL};
    ck_parallel(team, j.pieces, gather_piece, &j);
}

void ck_scatter_add_rows(
    ck_team *team, const float *rows, int64_t rows_ld, const int32_t *indices, int64_t count, int64_t columns,
    float *table, int64_t table_ld) {
    const int pieces = count * columns < LEAST ? 1 : PIECES;
    job j = {table, (float *)rows, table_ld, rows_ld, columns, indices, count, pieces, ck_team_kernels(team)};
    ck_parallel(team, j.pieces, scatter_piece, &j);
}
