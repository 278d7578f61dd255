#ifndef CK_INTERNAL_H
#define CK_INTERNAL_H

#include "CPUKernels.h"
#include <stddef.h>

typedef struct {
    float maximum, sum;
    int32_t argmax;
} ck_row_result;

/// An angle as quarters · π/2 + rest, with rest in [-π/4, π/4].
typedef struct {
    float rest;
    int32_t quarters;  // modulo 4
} ck_angle;
/// Reduces an angle of at least 2^28 radians; rest is NaN if x is infinite or NaN.
ck_angle ck_reduce_angle(float x);

/// C [m, n] ← alpha · op(A) op(B) + beta · C (+ bias), row-major.
typedef struct {
    int64_t m, n, k;
    float alpha, beta;
    const float *a;
    int64_t lda;
    bool transpose_a, transpose_b;
    const float *b;
    int64_t ldb;
    const float *packed;  // op(B) as packed by pack(), or NULL to read b
    float *c;
    int64_t ldc;
    const float *bias;  // a row that is added to all rows of C, or NULL
} ck_product;

/// The loops of vector_body.h and product_body.h for one instruction set.
struct ck_kernels {
    void (*execute)(
        const ck_program *program, float *const *values, int64_t n, const ck_key *key,
        int64_t first_element, int64_t first_column, int64_t columns);
    void (*load)(float *to, const float *from, int64_t row, int64_t column, int64_t rows, int64_t columns);
    void (*store)(float *to, int64_t row, int64_t column, const float *from, int64_t rows, int64_t columns);
    void (*add)(float *to, const float *from, int64_t n);
    void (*sum_columns)(const float *x, int64_t rows, int64_t columns, int64_t ld, float beta, float *out);
    void (*uniform)(float *to, int64_t first, int64_t n, const ck_key *key);
    ck_row_result (*exponentials)(
        float *row, const float *bias, int64_t n, const float *mask, float rate, float keep);
    // Both of these are NULL where OpenBLAS is faster.
    // Packs rows [first, last) of op(B) [k, n].
    void (*pack)(
        float *to, const float *b, int64_t ldb, bool transpose_b, int64_t k, int64_t n, int64_t first, int64_t last);
    // B must be packed if it is transposed.
    void (*multiply)(const ck_product *product);
};

/// Fills the registers that are the same for all tiles.
void ck_prepare(
    const struct ck_kernels *kernels, const ck_program *program, const ck_view *inputs, const float *scalars,
    int64_t columns, float *workspace);
/// Runs a prepared program over rows of one time step.
void ck_run_tiles(
    const struct ck_kernels *kernels, const ck_program *program, const ck_view *inputs, const ck_view *outputs,
    int64_t step, const ck_key *key, int64_t row0, int64_t rows, int64_t columns, int64_t column0,
    int64_t total_columns, float *workspace);

/// How products of a given shape are computed on one thread: by kernels->multiply or OpenBLAS.
typedef struct {
    void (*multiply)(const ck_product *product);
    bool packs;  // op(B) should be packed beforehand
} ck_method;
ck_method ck_choose_method(const struct ck_kernels *kernels, bool transpose_b, int64_t m, int64_t n, int64_t k);
/// Floats that op(B) [k, n] takes when packed.
int64_t ck_packed_size(int64_t n, int64_t k);

const struct ck_kernels *ck_kernels_for(ck_instruction_set set);
const struct ck_kernels *ck_team_kernels(const ck_team *team);

#endif
