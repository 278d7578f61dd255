// cuSOLVER's stand-in: a factorisation, linear systems and Hermitian eigenproblems.
#include "standin.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cusolverDn.h>
#include <numeric>

using namespace standin;

struct cusolverDnContext {
    Context *context;
    CUstream stream = nullptr;
};

namespace {

auto &handles = *new Handles<cusolverDnContext>();

#define REQUIRE_HANDLE(handle) \
    ONE_AT_A_TIME; \
    if (ready(__func__)) return CUSOLVER_STATUS_NOT_INITIALIZED; \
    if (!handles.find(handle)) return WRONG(CUSOLVER_STATUS_NOT_INITIALIZED, "the handle %s", handles.fault(handle)); \
    if (handle->context != current()) return WRONG(CUSOLVER_STATUS_NOT_INITIALIZED, "the handle belongs to another context")
#define REQUIRE_RANGE(what, address, bytes, alignment) \
    if (requireRange(__func__, CUSOLVER_STATUS_INVALID_VALUE, what, address, bytes, alignment)) return CUSOLVER_STATUS_INVALID_VALUE

cusolverStatus_t put(const char *function, cusolverDnHandle_t handle, const std::string &kind, std::vector<uintptr_t> addresses, std::function<void()> run) {
    // cuSOLVER waits for the device, at least to load its kernels.
    if (requireNoCapture(function)) return CUSOLVER_STATUS_EXECUTION_FAILED;
    Operation operation;
    operation.name = operation.kind = kind;
    operation.addresses = std::move(addresses);
    operation.run = std::move(run);
    return enqueue(function, handle->stream, std::move(operation)) ? CUSOLVER_STATUS_EXECUTION_FAILED : CUSOLVER_STATUS_SUCCESS;
}

size_t extent(int rows, int columns, int stride) { return rows && columns ? (size_t)(columns - 1) * stride + rows : 0; }

// LU decomposition with the largest pivot of each column, counted from 1; info is the first zero pivot.
void factorise(int n, float *a, int lda, int *pivots, int *info) {
    *info = 0;
    for (int j = 0; j < n; j++) {
        int p = j;
        for (int i = j + 1; i < n; i++) if (std::fabs(a[j * lda + i]) > std::fabs(a[j * lda + p])) p = i;
        pivots[j] = p + 1;
        for (int c = 0; c < n; c++) std::swap(a[c * lda + j], a[c * lda + p]);
        if (a[j * lda + j] == 0) {
            if (!*info) *info = j + 1;
            continue;
        }
        for (int i = j + 1; i < n; i++) a[j * lda + i] /= a[j * lda + j];
        for (int c = j + 1; c < n; c++) {
            for (int i = j + 1; i < n; i++) a[c * lda + i] -= a[j * lda + i] * a[c * lda + j];
        }
    }
}

void solve(bool transposed, int n, int columns, const float *a, int lda, const int *pivots, float *b, int ldb) {
    for (int c = 0; c < columns; c++) {
        float *x = b + (size_t)c * ldb;
        auto at = [&](int i, int j) { return a[(size_t)j * lda + i]; };
        if (!transposed) {
            for (int i = 0; i < n; i++) std::swap(x[i], x[pivots[i] - 1]);
            for (int i = 0; i < n; i++) for (int j = 0; j < i; j++) x[i] -= at(i, j) * x[j];
            for (int i = n - 1; i >= 0; i--) {
                for (int j = i + 1; j < n; j++) x[i] -= at(i, j) * x[j];
                x[i] /= at(i, i);
            }
        } else {
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < i; j++) x[i] -= at(j, i) * x[j];
                x[i] /= at(i, i);
            }
            for (int i = n - 1; i >= 0; i--) for (int j = i + 1; j < n; j++) x[i] -= at(j, i) * x[j];
            for (int i = n - 1; i >= 0; i--) std::swap(x[i], x[pivots[i] - 1]);
        }
    }
}

using Complex = std::complex<double>;

// Jacobi rotations in Double; only the lower triangle is read.
void eigen(int n, std::complex<float> *matrix, int lda, float *values, int *info) {
    std::vector<Complex> a(n * n), v(n * n);
    for (int j = 0; j < n; j++) {
        v[j * n + j] = 1;
        a[j * n + j] = matrix[j * lda + j].real();
        for (int i = j + 1; i < n; i++) {
            a[j * n + i] = matrix[j * lda + i];
            a[i * n + j] = std::conj(a[j * n + i]);
        }
    }
    auto off = [&] {
        double sum = 0;
        for (int j = 0; j < n; j++) for (int i = 0; i < n; i++) if (i != j) sum += std::norm(a[j * n + i]);
        return sum;
    };
    double whole = 0;
    for (auto &x : a) whole += std::norm(x);
    int sweeps = 0;
    for (; sweeps < 60 && off() > 1e-28 * whole; sweeps++) {
        for (int p = 0; p < n; p++) {
            for (int q = p + 1; q < n; q++) {
                Complex x = a[q * n + p];
                if (std::abs(x) == 0) continue;
                Complex phase = x / std::abs(x);
                double theta = 0.5 * std::atan2(2 * std::abs(x), a[q * n + q].real() - a[p * n + p].real());
                double c = std::cos(theta);
                Complex s = std::sin(theta) * phase;
                // First the columns, then the rows, then the eigenvectors.
                for (int i = 0; i < n; i++) {
                    Complex y = a[p * n + i], z = a[q * n + i];
                    a[p * n + i] = c * y - std::conj(s) * z;
                    a[q * n + i] = s * y + c * z;
                    y = v[p * n + i], z = v[q * n + i];
                    v[p * n + i] = c * y - std::conj(s) * z;
                    v[q * n + i] = s * y + c * z;
                }
                for (int i = 0; i < n; i++) {
                    Complex y = a[i * n + p], z = a[i * n + q];
                    a[i * n + p] = c * y - s * z;
                    a[i * n + q] = std::conj(s) * y + c * z;
                }
            }
        }
    }
    // NaN never converges.
    *info = off() <= 1e-20 * whole ? 0 : n;
    std::vector<int> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](int i, int j) { return a[i * n + i].real() < a[j * n + j].real(); });
    for (int j = 0; j < n; j++) {
        values[j] = (float)a[order[j] * n + order[j]].real();
        for (int i = 0; i < n; i++) matrix[j * lda + i] = std::complex<float>(v[order[j] * n + i]);
    }
}

int workspaceOf(int n) { return std::max(1, 2 * n * 32); }

}  // namespace

API cusolverStatus_t CUSOLVERAPI cusolverDnCreate(cusolverDnHandle_t *handle) {
    ONE_AT_A_TIME;
    if (ready(__func__)) return CUSOLVER_STATUS_NOT_INITIALIZED;
    if (!handle) return WRONG(CUSOLVER_STATUS_INVALID_VALUE, "nowhere to write to");
    *handle = handles.make();
    (*handle)->context = current();
    return CUSOLVER_STATUS_SUCCESS;
}

API cusolverStatus_t CUSOLVERAPI cusolverDnDestroy(cusolverDnHandle_t handle) {
    REQUIRE_HANDLE(handle);
    handles.destroy(handle);
    return CUSOLVER_STATUS_SUCCESS;
}

API cusolverStatus_t CUSOLVERAPI cusolverDnSetStream(cusolverDnHandle_t handle, cudaStream_t stream) {
    REQUIRE_HANDLE(handle);
    CUresult error = CUDA_SUCCESS;
    if (!streamOf(__func__, (CUstream)stream, error)) return CUSOLVER_STATUS_INVALID_VALUE;
    handle->stream = (CUstream)stream;
    return CUSOLVER_STATUS_SUCCESS;
}

API cusolverStatus_t CUSOLVERAPI cusolverDnSgetrf_bufferSize(cusolverDnHandle_t handle, int m, int n, float *a, int lda, int *count) {
    REQUIRE_HANDLE(handle);
    if (m < 0 || n < 0 || lda < std::max(1, m) || !a || !count) return WRONG(CUSOLVER_STATUS_INVALID_VALUE, "sizes %d %d, stride %d", m, n, lda);
    *count = workspaceOf(n);
    return CUSOLVER_STATUS_SUCCESS;
}

API cusolverStatus_t CUSOLVERAPI cusolverDnSgetrf(cusolverDnHandle_t handle, int m, int n, float *a, int lda, float *workspace, int *pivots, int *info) {
    REQUIRE_HANDLE(handle);
    if (m != n || n < 1 || lda < n) return WRONG(CUSOLVER_STATUS_INVALID_VALUE, "sizes %d %d, stride %d", m, n, lda);
    REQUIRE_RANGE("the matrix", a, 4 * extent(n, n, lda), 4);
    REQUIRE_RANGE("the workspace", workspace, 4 * (size_t)workspaceOf(n), 4);
    REQUIRE_RANGE("the pivots", pivots, 4 * (size_t)n, 4);
    REQUIRE_RANGE("the verdict", info, 4, 4);
    return put(__func__, handle, "factorise " + std::to_string(n), {(uintptr_t)a, (uintptr_t)workspace, (uintptr_t)pivots, (uintptr_t)info},
        [=] { factorise(n, a, lda, pivots, info); });
}

API cusolverStatus_t CUSOLVERAPI cusolverDnSgetrs(
    cusolverDnHandle_t handle, cublasOperation_t operation, int n, int columns, const float *a, int lda, const int *pivots, float *b, int ldb, int *info
) {
    REQUIRE_HANDLE(handle);
    if (operation != CUBLAS_OP_N && operation != CUBLAS_OP_T) return WRONG(CUSOLVER_STATUS_INVALID_VALUE, "operation %d", (int)operation);
    if (n < 1 || columns < 1 || lda < n || ldb < n) return WRONG(CUSOLVER_STATUS_INVALID_VALUE, "sizes %d %d, strides %d %d", n, columns, lda, ldb);
    REQUIRE_RANGE("the matrix", a, 4 * extent(n, n, lda), 4);
    REQUIRE_RANGE("the right sides", b, 4 * extent(n, columns, ldb), 4);
    REQUIRE_RANGE("the pivots", pivots, 4 * (size_t)n, 4);
    REQUIRE_RANGE("the verdict", info, 4, 4);
    bool transposed = operation == CUBLAS_OP_T;
    return put(__func__, handle, "solve " + std::to_string(n) + " " + std::to_string(columns), {(uintptr_t)a, (uintptr_t)b, (uintptr_t)pivots, (uintptr_t)info}, [=] {
        solve(transposed, n, columns, a, lda, pivots, b, ldb);
        *info = 0;
    });
}

API cusolverStatus_t CUSOLVERAPI cusolverDnCheevd_bufferSize(
    cusolverDnHandle_t handle, cusolverEigMode_t mode, cublasFillMode_t part, int n, const cuComplex *a, int lda, const float *values, int *count
) {
    REQUIRE_HANDLE(handle);
    if (mode != CUSOLVER_EIG_MODE_VECTOR || part != CUBLAS_FILL_MODE_LOWER) return WRONG(CUSOLVER_STATUS_INVALID_VALUE, "mode %d, part %d", (int)mode, (int)part);
    if (n < 1 || lda < n || !a || !values || !count) return WRONG(CUSOLVER_STATUS_INVALID_VALUE, "size %d, stride %d", n, lda);
    *count = workspaceOf(n);
    return CUSOLVER_STATUS_SUCCESS;
}

API cusolverStatus_t CUSOLVERAPI cusolverDnCheevd(
    cusolverDnHandle_t handle, cusolverEigMode_t mode, cublasFillMode_t part, int n, cuComplex *a, int lda, float *values,
    cuComplex *workspace, int count, int *info
) {
    REQUIRE_HANDLE(handle);
    if (mode != CUSOLVER_EIG_MODE_VECTOR || part != CUBLAS_FILL_MODE_LOWER) return WRONG(CUSOLVER_STATUS_INVALID_VALUE, "mode %d, part %d", (int)mode, (int)part);
    if (n < 1 || lda < n) return WRONG(CUSOLVER_STATUS_INVALID_VALUE, "size %d, stride %d", n, lda);
    if (count < workspaceOf(n)) return WRONG(CUSOLVER_STATUS_INVALID_VALUE, "a workspace of %d numbers where %d are needed", count, workspaceOf(n));
    REQUIRE_RANGE("the matrix", a, 8 * extent(n, n, lda), 8);
    REQUIRE_RANGE("the eigenvalues", values, 4 * (size_t)n, 4);
    REQUIRE_RANGE("the workspace", workspace, 8 * (size_t)count, 8);
    REQUIRE_RANGE("the verdict", info, 4, 4);
    return put(__func__, handle, "eigen " + std::to_string(n), {(uintptr_t)a, (uintptr_t)values, (uintptr_t)workspace, (uintptr_t)info},
        [=] { eigen(n, (std::complex<float> *)a, lda, values, info); });
}
