#include "device.h"

enum { CUBLAS_WORKSPACE = 32 << 20 };

static int cublas_error(int status) { return status ? CUD_CUBLAS_ERROR + status : 0; }
static int cusolver_error(int status) { return status ? CUD_CUSOLVER_ERROR + status : 0; }

int cud_set_up_products(cud_device *d) {
    int error;
    if ((error = cublas_error(cud_cublasCreate_v2(&d->cublas)))) return error;
    if ((error = cublas_error(cud_cublasSetStream_v2(d->cublas, d->stream)))) return error;
    // With a workspace of our own, products can be recorded and always give the same bits.
    if ((error = cud_cuMemAlloc_v2(&d->cublas_workspace, CUBLAS_WORKSPACE))) return error;
    if ((error = cublas_error(cud_cublasSetWorkspace_v2(d->cublas, (void *)d->cublas_workspace, CUBLAS_WORKSPACE)))) return error;
    if ((error = cusolver_error(cud_cusolverDnCreate(&d->cusolver)))) return error;
    return cusolver_error(cud_cusolverDnSetStream(d->cusolver, d->stream));
}

void cud_free_products(cud_device *d) {
    if (d->cusolver) cud_cusolverDnDestroy(d->cusolver);
    if (d->cublas) cud_cublasDestroy_v2(d->cublas);
    if (d->cublas_workspace) cud_cuMemFree_v2(d->cublas_workspace);
    if (d->workspace) cud_cuMemFree_v2(d->workspace);
    if (d->integers) cud_cuMemFree_v2(d->integers);
}

int cud_gemm(
    cud_device *d, int precision, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha, uint64_t a, int lda, uint64_t b,
    int ldb, float beta, uint64_t c, int ldc
) {
    static const int computes[] = {COMPUTE_32F, COMPUTE_32F_FAST_TF32, COMPUTE_32F_FAST_16BF};
    int error = cud_enter(d);
    if (error) return error;
    return cud_leave(d, cublas_error(cud_cublasGemmEx(
        d->cublas, transpose_a ? BLAS_TRANSPOSED : BLAS_NOT_TRANSPOSED, transpose_b ? BLAS_TRANSPOSED : BLAS_NOT_TRANSPOSED, m, n, k,
        &alpha, (const void *)a, R_32F, lda, (const void *)b, R_32F, ldb, &beta, (void *)c, R_32F, ldc, computes[precision],
        GEMM_DEFAULT)));
}

static int reserve(cud_device *d, uint64_t *memory, size_t *size, size_t wanted) {
    if (*size >= wanted) return 0;
    // Earlier work may still use it.
    int error = *memory ? cud_cuStreamSynchronize(d->stream) : 0;
    if (error) return error;
    if (*memory) cud_cuMemFree_v2(*memory);
    *memory = 0;
    *size = 0;
    error = cud_cuMemAlloc_v2(memory, wanted);
    if (!error) *size = wanted;
    return error;
}

// Reads the verdict of a factorisation; a negative one says which argument was wrong.
static int read_verdict(cud_device *d, int *info) {
    int error = cud_download(d, info, d->integers, sizeof *info);
    return error || *info >= 0 ? error : cusolver_error(CUSOLVER_INVALID_VALUE);
}

static int solve(cud_device *d, bool transpose, int n, int columns, uint64_t a, uint64_t b, int *info) {
    int count = 0, error;
    if ((error = cusolver_error(cud_cusolverDnSgetrf_bufferSize(d->cusolver, n, n, (float *)a, n, &count)))) return error;
    if ((error = reserve(d, &d->workspace, &d->workspace_size, sizeof(float) * (size_t)count))) return error;
    if ((error = reserve(d, &d->integers, &d->integers_size, sizeof(int) * ((size_t)n + 1)))) return error;
    int *verdict = (int *)d->integers, *pivots = verdict + 1;
    if ((error = cusolver_error(cud_cusolverDnSgetrf(d->cusolver, n, n, (float *)a, n, (float *)d->workspace, pivots, verdict)))) return error;
    if ((error = read_verdict(d, info)) || *info) return error;
    return cusolver_error(cud_cusolverDnSgetrs(
        d->cusolver, transpose ? BLAS_TRANSPOSED : BLAS_NOT_TRANSPOSED, n, columns, (const float *)a, n, pivots, (float *)b, n, verdict));
}

int cud_solve(cud_device *d, bool transpose, int n, int columns, uint64_t a, uint64_t b, int *info) {
    int error = cud_enter_unrecorded(d);
    return error ? error : cud_leave(d, solve(d, transpose, n, columns, a, b, info));
}

static int hermitian_eigen(cud_device *d, int n, uint64_t matrix, uint64_t eigenvalues, int *info) {
    int count = 0, error;
    if ((error = cusolver_error(cud_cusolverDnCheevd_bufferSize(
             d->cusolver, EIG_VECTORS, FILL_LOWER, n, (const void *)matrix, n, (const float *)eigenvalues, &count)))) return error;
    if ((error = reserve(d, &d->workspace, &d->workspace_size, 2 * sizeof(float) * (size_t)count))) return error;
    if ((error = reserve(d, &d->integers, &d->integers_size, sizeof(int)))) return error;
    if ((error = cusolver_error(cud_cusolverDnCheevd(
             d->cusolver, EIG_VECTORS, FILL_LOWER, n, (void *)matrix, n, (float *)eigenvalues, (void *)d->workspace, count,
             (int *)d->integers)))) return error;
    return read_verdict(d, info);
}

int cud_hermitian_eigen(cud_device *d, int n, uint64_t matrix, uint64_t eigenvalues, int *info) {
    int error = cud_enter_unrecorded(d);
    return error ? error : cud_leave(d, hermitian_eigen(d, n, matrix, eigenvalues, info));
}
