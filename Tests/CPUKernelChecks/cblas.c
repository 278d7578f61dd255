#include <cblas.h>
#include <stdbool.h>
#include <stddef.h>

void cblas_sgemm(
    enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE transpose_a, enum CBLAS_TRANSPOSE transpose_b, int m, int n, int k,
    float alpha, const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc) {
    (void)order;
    const bool ta = transpose_a == CblasTrans, tb = transpose_b == CblasTrans;
    for (ptrdiff_t i = 0; i < m; i++) {
        for (ptrdiff_t j = 0; j < n; j++) {
            float sum = 0;
            for (ptrdiff_t l = 0; l < k; l++) {
                sum += a[ta ? l * lda + i : i * lda + l] * b[tb ? j * ldb + l : l * ldb + j];
            }
            float *to = c + i * ldc + j;
            *to = alpha * sum + (beta == 0 ? 0 : beta * *to);
        }
    }
}

// As in old versions of OpenBLAS, 0 times a NaN in y is NaN.
void cblas_sgemv(
    enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE transpose, int m, int n, float alpha, const float *a, int lda,
    const float *x, int x_step, float beta, float *y, int y_step) {
    (void)order;
    const bool t = transpose == CblasTrans;
    for (ptrdiff_t i = 0; i < (t ? n : m); i++) {
        float sum = 0;
        for (ptrdiff_t l = 0; l < (t ? m : n); l++) sum += a[t ? l * lda + i : i * lda + l] * x[l * x_step];
        y[i * y_step] = alpha * sum + beta * y[i * y_step];
    }
}
