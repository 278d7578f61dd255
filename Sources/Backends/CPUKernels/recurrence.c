#include "internal.h"

// A loop's working memory holds the packed weights, which all chunks read, followed by
// each chunk's registers for every kernel.

static ck_method method(const struct ck_kernels *kernels, const ck_loop *loop, const ck_operation *op) {
    // A weight is packed once for all steps, which pays even for a large one, but not for a batch of one row.
    if (kernels->multiply && op->k > 0 && loop->batch > 1) return (ck_method){kernels->multiply, op->transpose_b};
    return ck_choose_method(kernels, op->transpose_b, loop->batch, op->n, op->k);
}

static int64_t packed_size(const struct ck_kernels *kernels, const ck_loop *loop, const ck_operation *op) {
    return op->kind == 0 && method(kernels, loop, op).packs ? ck_packed_size(op->n, op->k) : 0;
}

static int64_t all_packed(const struct ck_kernels *kernels, const ck_loop *loop) {
    int64_t sum = 0;
    for (int i = 0; i < loop->count; i++) sum += packed_size(kernels, loop, &loop->operations[i]);
    return sum;
}

static int64_t registers(const ck_loop *loop) {
    int64_t sum = CK_PADDING;
    for (int i = 0; i < loop->count; i++) {
        if (loop->operations[i].kind == 1) sum += ck_workspace(loop->operations[i].program);
    }
    return sum;
}

int64_t ck_loop_workspace(const ck_team *team, const ck_loop *loop) {
    return all_packed(ck_team_kernels(team), loop) + loop->chunks * registers(loop);
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

static void run_chunk(void *context, int chunk) {
    const job *j = context;
    const ck_loop *loop = j->loop;
    const int64_t row0 = (int64_t)loop->batch * chunk / loop->chunks;
    const int64_t rows = (int64_t)loop->batch * (chunk + 1) / loop->chunks - row0;
    float *const workspace = loop->workspace + all_packed(j->kernels, loop) + chunk * registers(loop);
    float *own = workspace;
    for (int i = 0; i < loop->count; i++) {
        const ck_operation *op = &loop->operations[i];
        if (op->kind != 1) continue;
        ck_prepare(j->kernels, op->program, op->inputs, NULL, op->columns, own);
        own += ck_workspace(op->program);
    }
    for (int32_t s = 0; s < loop->steps; s++) {
        const int64_t t = loop->backward ? loop->steps - 1 - s : s;
        const float *packed = loop->workspace;
        own = workspace;
        for (int i = 0; i < loop->count; i++) {
            const ck_operation *op = &loop->operations[i];
            if (op->kind == 1) {
                ck_run_tiles(
                    j->kernels, op->program, op->inputs, op->outputs, t, NULL, row0, rows, op->columns, 0, op->columns,
                    own);
                own += ck_workspace(op->program);
                continue;
            }
            const int64_t size = packed_size(j->kernels, loop, op);
            const ck_product product = {
                rows, op->n, op->k, 1, op->accumulate ? 1 : 0,
                op->a.base + t * op->a.step + row0 * op->a.row, op->a.row, false,
                op->transpose_b, op->b, op->ldb, size > 0 ? packed : NULL,
                op->result.base + t * op->result.step + row0 * op->result.row, op->result.row,
            };
            method(j->kernels, loop, op).multiply(&product);
            packed += size;
        }
    }
}

void ck_run_loop(ck_team *team, const ck_loop *loop) {
    job j = {ck_team_kernels(team), loop};
    if (all_packed(j.kernels, loop) > 0) ck_parallel(team, PACK_PIECES, pack_piece, &j);
    ck_parallel(team, loop->chunks, run_chunk, &j);
}
