#include "internal.h"
#include <string.h>

// A loop's working memory holds the packed weights, which all chunks read, followed by
// each chunk's registers for every kernel and its part of every sum.

static ck_method method(const struct ck_kernels *kernels, const ck_loop *loop, const ck_operation *op) {
    // A weight is packed once for all steps, which pays even for a large one, but not for a batch of one row.
    if (kernels->multiply && op->k > 0 && loop->batch > 1) return (ck_method){kernels->multiply, op->transpose_b};
    return ck_choose_method(kernels, op->transpose_b, loop->batch, op->n, op->k);
}

static int64_t packed_size(const struct ck_kernels *kernels, const ck_loop *loop, const ck_operation *op) {
    return op->kind == CK_GEMM && method(kernels, loop, op).packs ? ck_packed_size(op->n, op->k) : 0;
}

static int64_t all_packed(const struct ck_kernels *kernels, const ck_loop *loop) {
    int64_t sum = 0;
    for (int i = 0; i < loop->count; i++) sum += packed_size(kernels, loop, &loop->operations[i]);
    return sum;
}

static int64_t whole_lines(int64_t floats) { return (floats + 15) / 16 * 16; }

/// The floats that a chunk needs for an operation: a kernel's registers, or sums.
static int64_t own_size(const ck_operation *op) {
    switch (op->kind) {
    case CK_KERNEL: return ck_workspace(op->program);
    case CK_TOKEN_SUM: return whole_lines((int64_t)op->table_rows * op->n);
    case CK_WEIGHT_GRADIENT: return whole_lines((int64_t)op->k * op->n);
    case CK_ROW_SUM: return whole_lines(op->n);
    default: return 0;
    }
}

static int64_t chunk_size(const ck_loop *loop) {
    int64_t sum = CK_PADDING;
    for (int i = 0; i < loop->count; i++) sum += own_size(&loop->operations[i]);
    return sum;
}

int64_t ck_loop_workspace(const ck_team *team, const ck_loop *loop) {
    return all_packed(ck_team_kernels(team), loop) + loop->chunks * chunk_size(loop);
}

typedef struct {
    const struct ck_kernels *kernels;
    const ck_loop *loop;
} job;

enum { PACK_PIECES = 8 };

static void pack_piece(void *context, int piece) {
    const job *j = context;
    float *packed = j->loop->workspace;
    for (int i = 0; i < j->loop->count; i++) {
        const ck_operation *op = &j->loop->operations[i];
        const int64_t size = packed_size(j->kernels, j->loop, op);
        if (size == 0) continue;
        j->kernels->pack(
            packed, op->b, op->ldb, op->transpose_b, op->k, op->n, (int64_t)op->k * piece / PACK_PIECES,
            (int64_t)op->k * (piece + 1) / PACK_PIECES);
        packed += size;
    }
}

static float *at(const ck_view *view, int64_t t, int64_t row) { return view->base + t * view->step + row * view->row; }

static void run_chunk(void *context, int chunk) {
    const job *j = context;
    const ck_loop *loop = j->loop;
    const int64_t row0 = (int64_t)loop->batch * chunk / loop->chunks;
    const int64_t rows = (int64_t)loop->batch * (chunk + 1) / loop->chunks - row0;
    float *const workspace = loop->workspace + all_packed(j->kernels, loop) + chunk * chunk_size(loop);
    float *own = workspace;
    for (int i = 0; i < loop->count; own += own_size(&loop->operations[i++])) {
        const ck_operation *op = &loop->operations[i];
        if (op->kind == CK_KERNEL) ck_prepare(j->kernels, op->program, op->inputs, NULL, op->columns, own);
        if (op->kind == CK_TOKEN_SUM) memset(own, 0, sizeof(float) * (size_t)own_size(op));
    }
    for (int32_t s = 0; s < loop->steps; s++) {
        const int64_t t = loop->backward ? loop->steps - 1 - s : s;
        const float *packed = loop->workspace;
        const int32_t *tokens = loop->tokens ? loop->tokens + t * loop->batch + row0 : NULL;
        own = workspace;
        for (int i = 0; i < loop->count; own += own_size(&loop->operations[i++])) {
            const ck_operation *op = &loop->operations[i];
            switch (op->kind) {
            case CK_KERNEL:
                ck_run_tiles(
                    j->kernels, op->program, op->inputs, op->outputs, t, NULL, row0, rows, op->columns, 0, op->columns,
                    own);
                break;
            case CK_GEMM: {
                const int64_t size = packed_size(j->kernels, loop, op);
                const ck_product product = {
                    rows, op->n, op->k, 1, op->accumulate ? 1 : 0, at(&op->a, t, row0), op->a.row, false, op->transpose_b,
                    op->b, op->ldb, size > 0 ? packed : NULL, at(&op->result, t, row0), op->result.row,
                };
                method(j->kernels, loop, op).multiply(&product);
                packed += size;
                break;
            }
            // The transposed gradient, whose rows are longer: they fill vectors better.
            case CK_WEIGHT_GRADIENT: {
                const ck_product product = {
                    op->n, op->k, rows, 1, s > 0 ? 1 : 0, at(&op->a, t, row0), op->a.row, true, false,
                    at(&op->delta, t, row0), op->delta.row, NULL, own, op->k,
                };
                ck_choose_method(j->kernels, false, op->n, op->k, rows).multiply(&product);
                break;
            }
            case CK_ROW_SUM:
                j->kernels->sum_columns(at(&op->a, t, row0), rows, op->n, op->a.row, s > 0 ? 1 : 0, own);
                break;
            case CK_LOOKUP:
                for (int64_t r = 0; r < rows; r++) {
                    memcpy(
                        at(&op->result, t, row0 + r), op->a.base + tokens[r] * op->a.row, sizeof(float) * (size_t)op->n);
                }
                break;
            case CK_TOKEN_SUM:
                for (int64_t r = 0; r < rows; r++) {
                    j->kernels->add(own + (int64_t)tokens[r] * op->n, at(&op->a, t, row0 + r), op->n);
                }
                break;
            }
        }
    }
}

// Adds up the chunks' sums, in the order of the chunks.
enum { JOIN_PIECES = 8 };

static void join_sums(void *context, int piece) {
    const job *j = context;
    const ck_loop *loop = j->loop;
    const int64_t size = chunk_size(loop);
    float *own = loop->workspace + all_packed(j->kernels, loop);
    for (int i = 0; i < loop->count; own += own_size(&loop->operations[i++])) {
        const ck_operation *op = &loop->operations[i];
        const int64_t rows = op->kind == CK_TOKEN_SUM ? op->table_rows : op->kind == CK_WEIGHT_GRADIENT ? op->k : 0;
        for (int64_t row = rows * piece / JOIN_PIECES; row < rows * (piece + 1) / JOIN_PIECES; row++) {
            float *const to = op->result.base + row * op->result.row;
            for (int64_t chunk = 0; chunk < loop->chunks; chunk++) {
                const float *from = own + chunk * size;
                if (op->kind == CK_WEIGHT_GRADIENT) {
                    for (int64_t c = 0; c < op->n; c++) to[c] += from[c * op->k + row];
                } else if (chunk == 0) {
                    memcpy(to, from + row * op->n, sizeof(float) * (size_t)op->n);
                } else {
                    j->kernels->add(to, from + row * op->n, op->n);
                }
            }
        }
        if (op->kind != CK_ROW_SUM || piece != 0) continue;
        for (int o = 0; o < op->output_count; o++) {
            float *const to = op->outputs[o].base;
            if (!op->accumulate) memset(to, 0, sizeof(float) * (size_t)op->n);
            for (int64_t chunk = 0; chunk < loop->chunks; chunk++) j->kernels->add(to, own + chunk * size, op->n);
        }
    }
}

void ck_run_loop(ck_team *team, const ck_loop *loop) {
    job j = {ck_team_kernels(team), loop};
    if (all_packed(j.kernels, loop) > 0) ck_parallel(team, PACK_PIECES, pack_piece, &j);
    ck_parallel(team, loop->chunks, run_chunk, &j);
    if (loop->backward) ck_parallel(team, JOIN_PIECES, join_sums, &j);
}
