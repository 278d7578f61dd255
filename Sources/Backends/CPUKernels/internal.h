#ifndef CK_INTERNAL_H
#define CK_INTERNAL_H

#include "CPUKernels.h"
#include <stddef.h>

typedef struct {
    float maximum, sum;
    int32_t argmax;
} ck_row_result;

/// The loops of vector_body.h for one instruction set.
struct ck_kernels {
    void (*execute)(
        const ck_program *program, float *const *values, int64_t n, const ck_key *key,
        int64_t first_element, int64_t first_column, int64_t columns);
    void (*load)(float *to, const float *from, int64_t row, int64_t column, int64_t rows, int64_t columns);
    void (*store)(float *to, int64_t row, int64_t column, const float *from, int64_t rows, int64_t columns);
    void (*sum_columns)(const float *x, int64_t rows, int64_t columns, int64_t ld, float beta, float *out);
    void (*uniform)(float *to, int64_t first, int64_t n, const ck_key *key);
    ck_row_result (*exponentials)(
        float *row, const float *bias, int64_t n, const float *mask, float rate, float keep);
    int width;
};

const struct ck_kernels *ck_kernels_for(ck_instruction_set set);
const struct ck_kernels *ck_team_kernels(const ck_team *team);

#endif
