// The CPU backend's hot loops. Everything is in single precision and row-major.
#ifndef CPU_KERNELS_H
#define CPU_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

// MARK: Instruction sets

typedef enum { CK_BASELINE, CK_AVX2, CK_AVX512, CK_NEON } ck_instruction_set;

/// Whether this processor supports the instruction set.
bool ck_is_supported(ck_instruction_set set);

// MARK: Threads

/// A team of threads that spin briefly while they wait for the next job, then sleep.
typedef struct ck_team ck_team;

/// Creates a team of `threads` threads, including the caller, whose loops use `set`.
/// Returns NULL if the threads can't be started.
ck_team *ck_team_create(int threads, ck_instruction_set set);
void ck_team_destroy(ck_team *team);
int ck_team_size(const ck_team *team);
/// Calls body(context, piece) for each piece in 0 ..< pieces. Which thread takes a piece
/// depends on the team; the division into pieces must not. While the team is at work for
/// another caller, this one does all pieces by itself.
void ck_parallel(ck_team *team, int pieces, void (*body)(void *context, int piece), void *context);

// MARK: Pointwise programs

/// The number of floats in one register of the tile machine. A tile holds as many whole
/// rows as fit, or part of a longer row.
enum { CK_TILE = 512, CK_PADDING = 64 };

typedef enum {
    CK_CONSTANT, CK_SCALAR, CK_UNIFORM, CK_COLUMN_INDEX,
    CK_COPY, CK_NEGATE, CK_ABSOLUTE, CK_SIGN, CK_EXP, CK_LOG, CK_SQRT, CK_TANH, CK_SIGMOID,
    CK_SIN, CK_COS, CK_ERF,
    CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE, CK_MAXIMUM, CK_MINIMUM, CK_GREATER, CK_EQUAL,
    CK_SELECT
} ck_opcode;

/// One instruction. Its operands and result are numbers of values: first the program's
/// inputs, then its registers.
typedef struct {
    int32_t opcode;
    int32_t result;  // a register
    int32_t a, b, c;
    int32_t scalar;  // index, for CK_SCALAR
    float constant;  // for CK_CONSTANT
} ck_instruction;

typedef struct {
    int32_t input_count, output_count, instruction_count, register_count;
    // The first instructions (constants and scalars, each with its own register) run
    // once, the others for each tile.
    int32_t prologue_count;
    const ck_instruction *instructions;
    const int32_t *outputs;  // for each output, an input or a register
} ck_program;

typedef struct {
    float *base;
    int64_t row, column;  // strides; 0 repeats the row or column
    int64_t step;         // distance between two time steps, in a recurrence
} ck_view;

typedef struct {
    uint32_t key0, key1, high0, high1;
} ck_key;

/// The number of floats of working memory that one thread needs to run `program`.
int64_t ck_workspace(const ck_program *program);

/// Runs rows [row0, row0 + rows) of a rows × columns matrix.
void ck_run(
    const ck_team *team, const ck_program *program, const ck_view *inputs, const ck_view *outputs, const float *scalars, const ck_key *key,
    int64_t row0, int64_t rows, int64_t columns, int64_t column0, int64_t total_columns, float *workspace);

// MARK: Dense arithmetic

/// C ← alpha · op(A) op(B) + beta · C, divided into pieces that depend only on the shape.
/// `scratch` must have room for ck_gemm_scratch floats.
void ck_gemm(
    ck_team *team, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
    const float *b, int ldb, float beta, float *c, int ldc, float *scratch);
int64_t ck_gemm_scratch(const ck_team *team, bool transpose_b, int m, int n, int k);

// A matrix that is the right operand of many products is packed once. A team's products with it may run
// at the same time as others in other threads.

/// The number of floats that op(B) [k, n] takes when it is prepared.
int64_t ck_prepared_size(const ck_team *team, int64_t n, int64_t k);
void ck_prepare_matrix(ck_team *team, const float *b, int64_t ldb, bool transpose_b, int64_t n, int64_t k, float *to);
/// C [m, n] ← A [m, k] · op(B) (+ bias, a row).
void ck_multiply_prepared(
    ck_team *team, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *packed, const float *bias,
    float *c, int64_t ldc);

/// Replaces each of `count` rows of n numbers by its softmax. `ld` must be n rounded up to a multiple of 16, since what
/// lies between two rows is overwritten; `zeros` are `ld` zeros.
void ck_softmax_rows(ck_team *team, float *rows, int64_t count, int64_t n, int64_t ld, const float *zeros);

/// out[c] ← beta · out[c] + Σ_r x[r, c].
void ck_sum_columns(ck_team *team, const float *x, int64_t rows, int64_t columns, int64_t ld, float beta, float *out);

/// Row r of `rows` [count, columns] ← row indices[r] of the table.
void ck_gather_rows(
    ck_team *team, const float *table, int64_t table_ld, const int32_t *indices, int64_t count, int64_t columns,
    float *rows, int64_t rows_ld);
/// Row indices[r] of the table += row r of `rows`, in the order of r.
void ck_scatter_add_rows(
    ck_team *team, const float *rows, int64_t rows_ld, const int32_t *indices, int64_t count, int64_t columns,
    float *table, int64_t table_ld);

// MARK: Recurrence

typedef struct {
    enum { CK_GEMM, CK_KERNEL, CK_LOOKUP, CK_TOKEN_SUM, CK_WEIGHT_GRADIENT, CK_ROW_SUM } kind;
    // gemm: result[rows, n] ← a[rows, k] · op(b) (+ result)
    // lookup: row r of result[rows, n] ← the row of a that is r's token
    // token sum: the row of result[table_rows, n] that is r's token ← the sum of the rows r of a, over all steps
    // weight gradient: result[k, n] += aᵀ · delta over all steps' rows, with a[rows, n] and delta[rows, k]
    // row sum: each of outputs[1, n] ← the sum of the rows of a over all steps (+ outputs)
    ck_view a, delta, result;
    int32_t table_rows, output_count;
    const float *b;
    int32_t ldb, n, k;
    bool transpose_b, accumulate;
    // kernel
    const ck_program *program;
    const ck_view *inputs;
    const ck_view *outputs;
    int32_t columns;
} ck_operation;

/// A recurrence's operations for all steps, cut into chunks of the batch's rows.
typedef struct {
    const ck_operation *operations;
    int32_t count, steps, batch, chunks;
    bool backward;     // from the last step to the first
    float *workspace;  // ck_loop_workspace floats
    const int32_t *tokens;  // of the batch's rows in each step, for lookups and token sums
} ck_loop;

int64_t ck_loop_workspace(const ck_team *team, const ck_loop *loop);
/// Takes each chunk through all steps, on one thread.
void ck_run_loop(ck_team *team, const ck_loop *loop);

// MARK: Softmax cross-entropy

typedef struct {
    int32_t rows, width, classes;
    const float *inputs;  // [rows, width]
    int64_t input_ld;
    const float *weight;  // [classes, width]
    const float *bias;    // [classes]
    const int32_t *targets;
    int32_t excluded_class;  // a class that doesn't count as correct, or negative for none
    bool uses_dropout;
    float dropout_rate;
    ck_key key;
    // The gradients, or NULL if they aren't wanted
    float *input_gradient;  // [rows, width], overwritten
    int64_t input_gradient_ld;
    float *weight_gradient;  // added to
    float *bias_gradient;    // added to
    float scale;             // factor of the gradients: 1 / number of targets
    // Results
    double loss;
    int64_t correct;
} ck_cross_entropy;

/// The number of floats of working memory that ck_softmax_cross_entropy needs.
int64_t ck_cross_entropy_workspace(const ck_team *team, int rows, int width, int classes);
void ck_softmax_cross_entropy(ck_team *team, ck_cross_entropy *job, float *workspace);

// MARK: LAPACK (Swift can't import functions that take C's complex numbers)

/// Calls sgesv on row-major matrices: b [n, columns] ← a⁻¹ b. Returns LAPACK's info.
int ck_solve(int n, int columns, float *a, float *b, int *pivots);
/// Calls cheevd on the lower triangle of a column-major matrix of (real, imaginary)
/// pairs, which the eigenvectors replace. Returns LAPACK's info.
int ck_hermitian_eigen(int n, float *matrix, float *eigenvalues);

#endif
