// Wrong calls of cuBLAS, cuSOLVER and NVRTC.
#include "checks.h"

namespace {

struct Products : Session {
    cublasHandle_t handle = nullptr;
    CUdeviceptr workspace = 0;
    Products(bool withWorkspace = true) {
        OK(cublasCreate(&handle));
        OK(cublasSetStream(handle, (cudaStream_t)stream));
        if (!withWorkspace) return;
        workspace = memory(1 << 20);
        OK(cublasSetWorkspace(handle, (void *)workspace, 1 << 20));
    }
    // 3 × 4 = (3 × 5) · (5 × 4), with just enough floats in B and C, and `a` floats in A.
    void product(int lda, size_t a = 15, cudaDataType type = CUDA_R_32F) {
        float one = 1, zero = 0;
        cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, 3, 4, 5, &one, (void *)memory(4 * a), type, lda, (void *)memory(80), CUDA_R_32F, 5,
            &zero, (void *)memory(48), CUDA_R_32F, 3, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
    }
};

struct Solvers : Session {
    cusolverDnHandle_t handle = nullptr;
    Solvers() {
        OK(cusolverDnCreate(&handle));
        OK(cusolverDnSetStream(handle, (cudaStream_t)stream));
    }
    // Factorises 8 × 8, with the given bytes of workspace and pivots.
    void factorise(size_t workspace, size_t pivots, int lda = 8) {
        cusolverDnSgetrf(handle, 8, 8, (float *)memory(256), lda, (float *)memory(workspace), (int *)memory(pivots), (int *)memory(4));
    }
};

}  // namespace

void addWrongProducts() {
    wrong("a leading dimension that is too small", "leading dimensions 2 5 3", [] { Products().product(2); });
    wrong("a matrix that reaches past its block", "A reaches 4 bytes past its block", [] { Products().product(3, 14); });
    wrong("a type that isn't asked for", "types 2 0 0", [] { Products().product(3, 15, CUDA_R_16F); });
    wrong("a handle of cuBLAS that has been destroyed", "the handle has been destroyed", [] {
        Products p;
        OK(cublasDestroy(p.handle));
        p.product(3);
    });
    wrong("a product without a stream of its own", "the legacy stream", [] {
        Products p;
        OK(cublasCreate(&p.handle));
        p.product(3);
    });
    wrong("a product captured without a workspace", "captured without a workspace", [] {
        Products p(false);
        float one = 1, zero = 0;
        auto a = (void *)p.memory(4), b = (void *)p.memory(4), c = (void *)p.memory(4);
        p.beginCapture();
        cublasGemmEx(p.handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, a, CUDA_R_32F, 1, b, CUDA_R_32F, 1, &zero, c, CUDA_R_32F, 1,
            CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
    });
    wrong("a workspace that a new stream made forgotten", "captured without a workspace", [] {
        Products p;
        float one = 1, zero = 0;
        auto a = (void *)p.memory(4), b = (void *)p.memory(4), c = (void *)p.memory(4);
        OK(cublasSetStream(p.handle, (cudaStream_t)p.stream));
        p.beginCapture();
        cublasGemmEx(p.handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, a, CUDA_R_32F, 1, b, CUDA_R_32F, 1, &zero, c, CUDA_R_32F, 1,
            CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
    });
    wrong("a workspace that isn't aligned", "the workspace", [] {
        Products p;
        cublasSetWorkspace(p.handle, (void *)(p.workspace + 16), 1024);
    });
    wrong("a workspace that has been freed", "the workspace", [] {
        Products p;
        OK(cuMemFree(p.workspace));
        p.product(3);
    });
    wrong("scalars on the device", "alpha or beta lies on the device", [] {
        Products p;
        auto scalar = (float *)p.memory(4);
        cublasGemmEx(p.handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, scalar, scalar, CUDA_R_32F, 1, scalar, CUDA_R_32F, 1, scalar, scalar,
            CUDA_R_32F, 1, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
    });

    wrong("a workspace of a factorisation that is too small", "the workspace reaches", [] { Solvers().factorise(64, 32); });
    wrong("room for too few pivots", "the pivots reaches 4 bytes past", [] { Solvers().factorise(1 << 16, 28); });
    wrong("a stride of a factorisation that is too small", "stride 7", [] { Solvers().factorise(1 << 16, 32, 7); });
    wrong("a workspace of an eigendecomposition that is too small", "a workspace of 1 numbers", [] {
        Solvers s;
        cusolverDnCheevd(s.handle, CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_LOWER, 4, (cuComplex *)s.memory(128), 4, (float *)s.memory(16),
            (cuComplex *)s.memory(8), 1, (int *)s.memory(4));
    });
    wrong("a handle of cuSOLVER that has been destroyed", "the handle has been destroyed", [] {
        Solvers s;
        OK(cusolverDnDestroy(s.handle));
        s.factorise(1 << 16, 32);
    });

    wrong("machine code of a program that hasn't been compiled", "hasn't been compiled", [] {
        nvrtcProgram program;
        size_t size;
        OK(nvrtcCreateProgram(&program, "", "check.cu", 0, nullptr, nullptr));
        nvrtcGetCUBINSize(program, &size);
    });
    wrong("a program that has been destroyed", "the program has been destroyed", [] {
        nvrtcProgram program, copy;
        OK(nvrtcCreateProgram(&program, "", "check.cu", 0, nullptr, nullptr));
        copy = program;
        OK(nvrtcDestroyProgram(&program));
        nvrtcCompileProgram(copy, 0, nullptr);
    });
}
