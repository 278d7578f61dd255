#include "internal.h"
#include <cblas.h>
#include <math.h>

// Rows are processed in chunks. In each chunk the classes are divided into pieces whose
// logits fit into a core's L2 cache:
//
//   1. for each piece: the logits, the exponentials E relative to the piece's maximum, and E W;
//   2. for each row: from the pieces' maxima and sums, the loss and, for each piece,
//      the factor f that turns its exponentials into probabilities;
//   3. for each piece: dW += Eᵀ (f X);
//   4. for each row: dX = Σ f (E W) over the pieces.
//
// The targets' "- 1" is added row by row. Thus exponentials leave the cache once and
// come back once, and no thread waits within a pass.

enum { CHUNK_ROWS = 256, PIECE_CLASSES = 640, MAX_PIECES = 64, ROW_PIECES = 8 };

static int piece_count(int classes) {
    int pieces = (classes + PIECE_CLASSES - 1) / PIECE_CLASSES;
    if (pieces > 1 && (pieces & 1)) pieces++;
    if (pieces == 1 && classes >= 1024) pieces = 2;
    return pieces < MAX_PIECES ? pieces : MAX_PIECES;
}

// Each piece has its own logits, with rows padded to whole vectors.
static int64_t padded(int64_t n) { return (n + 15) / 16 * 16; }

typedef struct {
    ck_cross_entropy *job;
    const struct ck_kernels *kernels;
    int pieces, row0, rows;
    int64_t ld;         // leading dimension of a piece's logits
    float *packed;      // [pieces][packed_size]: the weight, transposed, for ck_product
    int64_t packed_size;
    float *logits;      // [pieces][CHUNK_ROWS][ld]
    float *scaled;      // [pieces][CHUNK_ROWS][width]: f X
    float *backward;    // [pieces][CHUNK_ROWS][width]: E W
    float *factor;      // [pieces][CHUNK_ROWS]
    float *maximum, *sum;  // the same shape
    int32_t *argmax;
    float *masks;       // [pieces][ld + padding]: one row of uniform numbers
    float *target_gradient;  // [CHUNK_ROWS]: the factor of the targets' "- 1" after dropout
} pass;

static int first_class(const pass *p, int piece) { return (int)((int64_t)p->job->classes * piece / p->pieces); }

// The method is chosen for whole chunks, so that the last chunk uses the same one.
static ck_method logits_method(const struct ck_kernels *kernels, int classes, int pieces, int width) {
    return ck_choose_method(kernels, true, CHUNK_ROWS, (classes + pieces - 1) / pieces, width);
}

static int64_t packed_size(const struct ck_kernels *kernels, int classes, int pieces, int width) {
    const int64_t n = (classes + pieces - 1) / pieces;
    return logits_method(kernels, classes, pieces, width).packs ? ck_packed_size(n, width) : 0;
}

int64_t ck_cross_entropy_workspace(const ck_team *team, int rows, int width, int classes) {
    const int64_t pieces = piece_count(classes), n = rows < CHUNK_ROWS ? rows : CHUNK_ROWS;
    const int64_t ld = padded((classes + pieces - 1) / pieces) + 16;
    const int64_t packed = packed_size(ck_team_kernels(team), classes, (int)pieces, width);
    return pieces * packed + pieces * (n * ld + 2 * n * width + 4 * n + ld + CK_PADDING) + n + 4 * CK_PADDING;
}

static void draw_masks(const pass *p, int piece, int row, float *mask) {
    const ck_cross_entropy *j = p->job;
    const int v0 = first_class(p, piece), v1 = first_class(p, piece + 1);
    p->kernels->uniform(mask, (int64_t)(p->row0 + row) * j->classes + v0, v1 - v0, &j->key);
}

static void pack_piece(void *context, int piece) {
    const pass *p = context;
    const ck_cross_entropy *j = p->job;
    const int v0 = first_class(p, piece), n = first_class(p, piece + 1) - v0;
    p->kernels->pack(
        p->packed + piece * p->packed_size, j->weight + (int64_t)v0 * j->width, j->width, true, j->width, n, 0, j->width);
}

static void forward_piece(void *context, int piece) {
    const pass *p = context;
    const ck_cross_entropy *j = p->job;
    const int v0 = first_class(p, piece), n = first_class(p, piece + 1) - v0;
    float *logits = p->logits + piece * p->rows * p->ld;
    const ck_product product = {
        p->rows, n, j->width, 1, 0, j->inputs + p->row0 * j->input_ld, j->input_ld, false,
        true, j->weight + (int64_t)v0 * j->width, j->width, p->packed_size > 0 ? p->packed + piece * p->packed_size : NULL,
        logits, p->ld,
    };
    logits_method(p->kernels, j->classes, p->pieces, j->width).multiply(&product);
    float *mask = p->masks + piece * (p->ld + CK_PADDING);
    const float keep = 1 / (1 - j->dropout_rate);
    for (int r = 0; r < p->rows; r++) {
        const int32_t target = j->targets[p->row0 + r];
        float *row = logits + r * p->ld;
        if (j->uses_dropout) draw_masks(p, piece, r, mask);
        // The target's logit is needed before its exponential replaces it.
        if (target >= v0 && target < v0 + n) {
            float x = row[target - v0] + j->bias[target];
            p->target_gradient[r] = 1;
            if (j->uses_dropout) {
                const bool dropped = mask[target - v0] < j->dropout_rate;
                p->target_gradient[r] = dropped ? 0 : keep;
                x = dropped ? 0 : x * keep;
            }
            p->scaled[r] = x;  // stored here until the rows are combined
        }
        const ck_row_result result =
            p->kernels->exponentials(row, j->bias + v0, n, j->uses_dropout ? mask : NULL, j->dropout_rate, keep);
        p->maximum[piece * p->rows + r] = result.maximum;
        p->sum[piece * p->rows + r] = result.sum;
        p->argmax[piece * p->rows + r] = v0 + result.argmax;
    }
    if (!j->weight_gradient) return;
    const ck_product input_gradient = {
        p->rows, j->width, n, 1, 0, logits, p->ld, false, false, j->weight + (int64_t)v0 * j->width, j->width, NULL,
        p->backward + (int64_t)piece * p->rows * j->width, j->width,
    };
    ck_choose_method(p->kernels, false, CHUNK_ROWS, j->width, PIECE_CLASSES).multiply(&input_gradient);
}

static void combine_rows(pass *p) {
    ck_cross_entropy *j = p->job;
    for (int r = 0; r < p->rows; r++) {
        const int32_t target = j->targets[p->row0 + r];
        int best = 0;
        for (int q = 1; q < p->pieces; q++) {
            const float m = p->maximum[q * p->rows + r];
            if (m > p->maximum[best * p->rows + r] || m != m) best = q;
        }
        const float maximum = p->maximum[best * p->rows + r];
        float sum = 0;
        for (int q = 0; q < p->pieces; q++) {
            sum += p->sum[q * p->rows + r] * expf(p->maximum[q * p->rows + r] - maximum);
        }
        for (int q = 0; q < p->pieces; q++) {
            p->factor[q * p->rows + r] =
                target < 0 ? 0 : j->scale * expf(p->maximum[q * p->rows + r] - maximum) / sum;
        }
        if (target < 0) continue;
        j->loss += (double)(maximum - p->scaled[r]) + log((double)sum);
        j->correct += p->argmax[best * p->rows + r] == target && target != j->excluded_class;
    }
}

static void backward_piece(void *context, int piece) {
    const pass *p = context;
    const ck_cross_entropy *j = p->job;
    const int v0 = first_class(p, piece), n = first_class(p, piece + 1) - v0, width = j->width;
    const float *e = p->logits + piece * p->rows * p->ld;
    const float *factor = p->factor + piece * p->rows;
    float *scaled = p->scaled + (int64_t)piece * p->rows * width;
    for (int r = 0; r < p->rows; r++) {
        const float *x = j->inputs + (p->row0 + r) * j->input_ld;
        for (int i = 0; i < width; i++) scaled[(int64_t)r * width + i] = factor[r] * x[i];
    }
    float *dw = j->weight_gradient + (int64_t)v0 * width, *db = j->bias_gradient + v0;
    const ck_product weight_gradient = {
        n, width, p->rows, 1, 1, e, p->ld, true, false, scaled, width, NULL, dw, width,
    };
    ck_choose_method(p->kernels, false, PIECE_CLASSES, width, CHUNK_ROWS).multiply(&weight_gradient);
    cblas_sgemv(CblasRowMajor, CblasTrans, p->rows, n, 1, e, (int)p->ld, factor, 1, 1, db, 1);
    for (int r = 0; r < p->rows; r++) {
        const int32_t target = j->targets[p->row0 + r];
        if (target < v0 || target >= v0 + n) continue;
        const float g = j->scale * p->target_gradient[r];
        const float *x = j->inputs + (p->row0 + r) * j->input_ld;
        for (int i = 0; i < width; i++) dw[(int64_t)(target - v0) * width + i] -= g * x[i];
        db[target - v0] -= g;
    }
}

static void backward_rows(void *context, int part) {
    const pass *p = context;
    const ck_cross_entropy *j = p->job;
    for (int r = p->rows * part / ROW_PIECES; r < p->rows * (part + 1) / ROW_PIECES; r++) {
        float *dx = j->input_gradient + (p->row0 + r) * j->input_gradient_ld;
        for (int q = 0; q < p->pieces; q++) {
            const float *back = p->backward + ((int64_t)q * p->rows + r) * j->width;
            const float f = p->factor[q * p->rows + r];
            for (int i = 0; i < j->width; i++) dx[i] = (q == 0 ? 0 : dx[i]) + f * back[i];
        }
        const int32_t target = j->targets[p->row0 + r];
        if (target < 0) continue;
        const float g = j->scale * p->target_gradient[r], *w = j->weight + (int64_t)target * j->width;
        for (int i = 0; i < j->width; i++) dx[i] -= g * w[i];
    }
}

void ck_softmax_cross_entropy(ck_team *team, ck_cross_entropy *job, float *workspace) {
    pass p = {.job = job, .kernels = ck_team_kernels(team), .pieces = piece_count(job->classes)};
    p.ld = padded((job->classes + p.pieces - 1) / p.pieces) + 16;
    p.packed = workspace;
    p.packed_size = packed_size(p.kernels, job->classes, p.pieces, job->width);
    if (p.packed_size > 0) ck_parallel(team, p.pieces, pack_piece, &p);
    job->loss = 0;
    job->correct = 0;
    for (p.row0 = 0; p.row0 < job->rows; p.row0 += p.rows) {
        p.rows = job->rows - p.row0 < CHUNK_ROWS ? job->rows - p.row0 : CHUNK_ROWS;
        const int64_t cells = (int64_t)p.pieces * p.rows;
        p.logits = workspace + p.pieces * p.packed_size;
        p.scaled = p.logits + cells * p.ld;
        p.backward = p.scaled + cells * job->width;
        p.factor = p.backward + cells * job->width;
        p.maximum = p.factor + cells;
        p.sum = p.maximum + cells;
        p.argmax = (int32_t *)(p.sum + cells);
        p.masks = (float *)(p.argmax + cells);
        p.target_gradient = p.masks + p.pieces * (p.ld + CK_PADDING);
        ck_parallel(team, p.pieces, forward_piece, &p);
        combine_rows(&p);
        if (job->weight_gradient) {
            ck_parallel(team, p.pieces, backward_piece, &p);
            ck_parallel(team, ROW_PIECES, backward_rows, &p);
        }
    }
}
