// cuBLAS's stand-in: the one product that is used, as plain loops.
#include "standin.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <cublas_v2.h>

using namespace standin;

struct cublasContext {
    Context *context;
    CUstream stream = nullptr;
    const void *workspace = nullptr;
    size_t workspaceBytes = 0;
};

namespace {

auto &handles = *new Handles<cublasContext>();

#define REQUIRE_HANDLE(handle) \
    ONE_AT_A_TIME; \
    if (ready(__func__)) return CUBLAS_STATUS_NOT_INITIALIZED; \
    if (!handles.find(handle)) return WRONG(CUBLAS_STATUS_NOT_INITIALIZED, "the handle %s", handles.fault(handle)); \
    if (handle->context != current()) return WRONG(CUBLAS_STATUS_NOT_INITIALIZED, "the handle belongs to another context")

// Rounds a factor as tensor cores do: to nearest, losing the given bits of the mantissa.
float factor(float x, int lost) {
    uint32_t bits;
    if (!lost || !std::isfinite(x)) return x;
    memcpy(&bits, &x, 4);
    bits = (bits + (1u << (lost - 1))) >> lost << lost;
    memcpy(&x, &bits, 4);
    return x;
}

struct Product {
    bool transposesA, transposesB;
    size_t m, n, k, lda, ldb, ldc;
    float alpha, beta;
    const float *a, *b;
    float *c;
    int lost;
};

// Four columns of A at a time, so that C is read and written less often.
void multiply(const Product &p) {
    std::vector<float> a(p.m * p.k), sums(p.m);
    for (size_t l = 0; l < p.k; l++) {
        for (size_t i = 0; i < p.m; i++) a[l * p.m + i] = factor(p.transposesA ? p.a[i * p.lda + l] : p.a[l * p.lda + i], p.lost);
    }
    auto b = [&](size_t l, size_t j) { return factor(p.transposesB ? p.b[l * p.ldb + j] : p.b[j * p.ldb + l], p.lost); };
    for (size_t j = 0; j < p.n; j++) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        float *s = sums.data();
        size_t l = 0;
        for (; l + 4 <= p.k; l += 4) {
            const float b0 = b(l, j), b1 = b(l + 1, j), b2 = b(l + 2, j), b3 = b(l + 3, j);
            const float *a0 = &a[l * p.m], *a1 = a0 + p.m, *a2 = a1 + p.m, *a3 = a2 + p.m;
            for (size_t i = 0; i < p.m; i++) s[i] += (a0[i] * b0 + a1[i] * b1) + (a2[i] * b2 + a3[i] * b3);
        }
        for (; l < p.k; l++) {
            const float b0 = b(l, j), *a0 = &a[l * p.m];
            for (size_t i = 0; i < p.m; i++) s[i] += a0[i] * b0;
        }
        // C isn't read if it is multiplied by 0.
        float *c = p.c + j * p.ldc;
        for (size_t i = 0; i < p.m; i++) c[i] = p.alpha * s[i] + (p.beta == 0 ? 0 : p.beta * c[i]);
    }
}

// The bytes from the first element of a column-major matrix to its last.
size_t extent(size_t rows, size_t columns, size_t stride) { return rows && columns ? 4 * ((columns - 1) * stride + rows) : 0; }

}  // namespace

API cublasStatus_t CUBLASWINAPI cublasCreate(cublasHandle_t *handle) {
    ONE_AT_A_TIME;
    if (ready(__func__)) return CUBLAS_STATUS_NOT_INITIALIZED;
    if (requireNoCapture(__func__)) return CUBLAS_STATUS_ALLOC_FAILED;
    if (!handle) return WRONG(CUBLAS_STATUS_INVALID_VALUE, "nowhere to write to");
    *handle = handles.make();
    (*handle)->context = current();
    return CUBLAS_STATUS_SUCCESS;
}

API cublasStatus_t CUBLASWINAPI cublasDestroy(cublasHandle_t handle) {
    REQUIRE_HANDLE(handle);
    handles.destroy(handle);
    return CUBLAS_STATUS_SUCCESS;
}

// Forgets the workspace, as cuBLAS does.
API cublasStatus_t CUBLASWINAPI cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
    REQUIRE_HANDLE(handle);
    CUresult error = CUDA_SUCCESS;
    if (!streamOf(__func__, (CUstream)stream, error)) return CUBLAS_STATUS_INVALID_VALUE;
    handle->stream = (CUstream)stream;
    handle->workspace = nullptr;
    return CUBLAS_STATUS_SUCCESS;
}

API cublasStatus_t CUBLASWINAPI cublasSetWorkspace(cublasHandle_t handle, void *workspace, size_t bytes) {
    REQUIRE_HANDLE(handle);
    if (requireRange(__func__, CUBLAS_STATUS_INVALID_VALUE, "the workspace", workspace, bytes, 256)) return CUBLAS_STATUS_INVALID_VALUE;
    handle->workspace = workspace;
    handle->workspaceBytes = bytes;
    return CUBLAS_STATUS_SUCCESS;
}

API cublasStatus_t CUBLASWINAPI cublasGemmEx(
    cublasHandle_t handle, cublasOperation_t transposeA, cublasOperation_t transposeB, int m, int n, int k, const void *alpha,
    const void *a, cudaDataType aType, int lda, const void *b, cudaDataType bType, int ldb, const void *beta, void *c,
    cudaDataType cType, int ldc, cublasComputeType_t compute, cublasGemmAlgo_t algorithm
) {
    REQUIRE_HANDLE(handle);
    auto bad = CUBLAS_STATUS_INVALID_VALUE;
    auto isTransposed = [](cublasOperation_t operation) { return operation == CUBLAS_OP_T; };
    for (cublasOperation_t operation : {transposeA, transposeB}) {
        if (operation != CUBLAS_OP_N && operation != CUBLAS_OP_T) return WRONG(bad, "operation %d", (int)operation);
    }
    if (m < 0 || n < 0 || k < 0) return WRONG(bad, "sizes %d %d %d", m, n, k);
    if (aType != CUDA_R_32F || bType != CUDA_R_32F || cType != CUDA_R_32F) return WRONG(CUBLAS_STATUS_NOT_SUPPORTED, "types %d %d %d", aType, bType, cType);
    int lost = compute == CUBLAS_COMPUTE_32F || compute == CUBLAS_COMPUTE_32F_PEDANTIC ? 0
             : compute == CUBLAS_COMPUTE_32F_FAST_TF32                                 ? 13
             : compute == CUBLAS_COMPUTE_32F_FAST_16BF                                 ? 16
                                                                                       : -1;
    if (lost < 0) return WRONG(CUBLAS_STATUS_NOT_SUPPORTED, "compute type %d", (int)compute);
    if (algorithm != CUBLAS_GEMM_DEFAULT) return WRONG(CUBLAS_STATUS_NOT_SUPPORTED, "algorithm %d", (int)algorithm);
    size_t rowsA = isTransposed(transposeA) ? k : m, columnsA = isTransposed(transposeA) ? m : k;
    size_t rowsB = isTransposed(transposeB) ? n : k, columnsB = isTransposed(transposeB) ? k : n;
    auto isShort = [](int stride, size_t rows) { return stride < (int)std::max<size_t>(rows, 1); };
    if (isShort(lda, rowsA) || isShort(ldb, rowsB) || isShort(ldc, m)) return WRONG(bad, "leading dimensions %d %d %d for %d %d %d", lda, ldb, ldc, m, n, k);
    if (!alpha || !beta) return WRONG(bad, "no alpha or no beta");
    // In the handle's pointer mode, scalars are on the host.
    if (blockOf((uintptr_t)alpha) || blockOf((uintptr_t)beta)) return WRONG(bad, "alpha or beta lies on the device");
    if (m == 0 || n == 0) return CUBLAS_STATUS_SUCCESS;
    if (k && requireRange(__func__, bad, "A", a, extent(rowsA, columnsA, lda), 4)) return bad;
    if (k && requireRange(__func__, bad, "B", b, extent(rowsB, columnsB, ldb), 4)) return bad;
    if (requireRange(__func__, bad, "C", c, extent(m, n, ldc), 4)) return bad;
    if (!handle->workspace && isCapturing(handle->stream)) return WRONG(CUBLAS_STATUS_ALLOC_FAILED, "a product is captured without a workspace of its own");
    if (handle->workspace && requireRange(__func__, bad, "the workspace", handle->workspace, handle->workspaceBytes, 256)) return bad;
    Product product = {isTransposed(transposeA), isTransposed(transposeB), (size_t)m, (size_t)n, (size_t)k, (size_t)lda, (size_t)ldb, (size_t)ldc,
        *(const float *)alpha, *(const float *)beta, (const float *)a, (const float *)b, (float *)c, lost};
    Operation operation;
    operation.kind = "product";
    char name[128];
    snprintf(name, sizeof name, "product %d %d %d %c%c", m, n, k, product.transposesA ? 't' : 'n', product.transposesB ? 't' : 'n');
    operation.name = name;
    operation.addresses = {(uintptr_t)a, (uintptr_t)b, (uintptr_t)c};
    if (handle->workspace) operation.addresses.push_back((uintptr_t)handle->workspace);
    operation.run = [=] { multiply(product); };
    return enqueue(__func__, handle->stream, std::move(operation)) ? CUBLAS_STATUS_EXECUTION_FAILED : CUBLAS_STATUS_SUCCESS;
}

API const char *CUBLASWINAPI cublasGetStatusString(cublasStatus_t status) {
    switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED: return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
    default: return "<unknown>";
    }
}
