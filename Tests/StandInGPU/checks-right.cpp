// The behaviour that a correct program relies on.
#include "checks.h"

#include <cmath>
#include <complex>

static bool isNumber(const std::vector<float> &values) {
    for (float value : values) if (!std::isfinite(value)) return false;
    return true;
}

void addRightCalls() {
    right("a program from its beginning to its end", [] {
        Session s;
        Kernel kernel(filling);
        CUdeviceptr address = s.memory(4000);
        REQUIRE(std::isnan(s.floats(address, 1000)[7]));
        OK(kernel.start(s, {address, 1000, 2.5f}, 3, 64));
        auto values = s.floats(address, 1000);
        for (float value : values) REQUIRE(value == 2.5f);
        OK(cuModuleUnload(kernel.module));
        OK(cuMemFree(address));
        OK(cuStreamDestroy(s.stream));
        OK(cuDevicePrimaryCtxRelease(0));
    });
    right("the device works when it is waited for, no sooner", [] {
        Session s;
        CUdeviceptr address = s.memory(64);
        auto host = (float *)s.pinned(64);
        CUevent done = s.event();
        OK(cuMemsetD8Async(address, 0, 64, s.stream));
        OK(cuMemcpyDtoHAsync(host, address, 64, s.stream));
        OK(cuEventRecord(done, s.stream));
        REQUIRE(std::isnan(host[0]));
        OK(cuEventSynchronize(done));
        REQUIRE(host[0] == 0);
    });
    right("an event that is asked often enough is reached", [] {
        Session s;
        CUdeviceptr address = s.memory(64);
        CUevent done = s.event();
        for (int i = 0; i < 5; i++) OK(cuMemsetD8Async(address, i, 64, s.stream));
        OK(cuEventRecord(done, s.stream));
        int asked = 1;
        while (cuEventQuery(done) == CUDA_ERROR_NOT_READY) asked++;
        REQUIRE(asked > 1 && asked <= 6);
    });
    right("pageable memory may be used again at once", [] {
        Session s;
        CUdeviceptr address = s.memory(4);
        std::vector<float> values = {1};
        s.set(address, values);
        values[0] = 2;
        REQUIRE(s.floats(address, 1)[0] == 1);
    });
    right("streams are in order only where an event says so", [] {
        Session s;
        CUstream other;
        CUevent event = s.event();
        OK(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING));
        CUdeviceptr address = s.memory(64);
        OK(cuMemsetD8Async(address, 0, 64, other));
        REQUIRE(!isNumber(s.floats(address, 16)));
        OK(cuEventRecord(event, other));
        OK(cuStreamWaitEvent(s.stream, event, 0));
        REQUIRE(isNumber(s.floats(address, 16)));
    });
    right("a launch reads its arguments at once, and no byte more", [] {
        Session s;
        Kernel kernel(filling);
        CUdeviceptr address = s.memory(64);
        // Memory beyond these 16 bytes can't be read.
        char *end = s.pinned(256) + 256 - sizeof(Arguments);
        *(Arguments *)end = {address, 16, 3};
        void *parameters[] = {end};
        OK(cuLaunchKernel(kernel.function, 1, 1, 1, 32, 1, 1, 0, s.stream, parameters, nullptr));
        memset(end, 0, sizeof(Arguments));
        REQUIRE(s.floats(address, 16)[15] == 3);
    });
    right("a graph is run with the arguments it was captured with", [] {
        Session s;
        Kernel kernel(filling);
        CUdeviceptr address = s.memory(64);
        auto source = (float *)s.pinned(4);
        s.beginCapture();
        OK(kernel.start(s, {address, 16, 4}));
        OK(cuMemcpyHtoDAsync(address, source, 4, s.stream));
        CUgraphExec graph = s.endCapture();
        REQUIRE(std::isnan(s.floats(address, 16)[1]));
        for (float value : {5.0f, 6.0f}) {
            *source = value;
            OK(cuGraphLaunch(graph, s.stream));
            auto values = s.floats(address, 16);
            REQUIRE(values[0] == value && values[1] == 4);
            OK(cuMemsetD8Async(address, 0, 64, s.stream));
        }
        // First the same nodes with other arguments, then other nodes.
        CUgraph other;
        CUgraphExecUpdateResultInfo result;
        s.beginCapture();
        OK(kernel.start(s, {address, 16, 7}));
        OK(cuMemcpyHtoDAsync(address, source, 4, s.stream));
        OK(cuStreamEndCapture(s.stream, &other));
        OK(cuGraphExecUpdate(graph, other, &result));
        OK(cuGraphLaunch(graph, s.stream));
        REQUIRE(s.floats(address, 16)[1] == 7);
        s.beginCapture();
        OK(cuStreamEndCapture(s.stream, &other));
        REQUIRE(cuGraphExecUpdate(graph, other, &result) == CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
        OK(cuGraphExecDestroy(graph));
    });
    right("two streams in one capture", [] {
        Session s;
        CUstream other;
        CUevent begin = s.event(), end = s.event();
        OK(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING));
        CUdeviceptr address = s.memory(64);
        s.beginCapture();
        OK(cuEventRecord(begin, s.stream));
        OK(cuStreamWaitEvent(other, begin, 0));
        OK(cuMemsetD8Async(address, 0, 64, other));
        OK(cuEventRecord(end, other));
        OK(cuStreamWaitEvent(s.stream, end, 0));
        OK(cuGraphLaunch(s.endCapture(), s.stream));
        REQUIRE(isNumber(s.floats(address, 16)));
    });
    right("shared memory and barriers", [] {
        Session s;
        Kernel kernel(
            "SHARED float values[256]; DYNAMIC_SHARED(float, memory); values[THREAD] = (float)THREAD; memory[THREAD] = 1.0f; BARRIER();\n"
            "a.data[THREAD] = values[THREADS - 1u - THREAD] + memory[(THREAD + 1u) % THREADS];", "AT_MOST(256)");
        int registers = 0, bytes = 0;
        OK(cuFuncGetAttribute(&registers, CU_FUNC_ATTRIBUTE_NUM_REGS, kernel.function));
        OK(cuFuncGetAttribute(&bytes, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, kernel.function));
        REQUIRE(registers == 255 && bytes == 1024);
        CUdeviceptr address = s.memory(1024);
        OK(kernel.start(s, {address, 256, 0}, 1, 256, 1024));
        auto values = s.floats(address, 256);
        for (int i = 0; i < 256; i++) REQUIRE(values[i] == 256 - i);
    });
    right("blocks that wait for one another in a cooperative launch", [] {
        Session s;
        Kernel kernel(
            "DYNAMIC_SHARED(float, memory); memory[THREAD] = (float)BLOCK; BARRIER(); a.data[BLOCK] = memory[0]; emu_grid_barrier();\n"
            "if (THREAD == 0) a.data[a.count + BLOCK] = a.data[BLOCKS - 1u - BLOCK];");
        CUdeviceptr address = s.memory(80);
        Arguments arguments = {address, 10, 0};
        void *parameters[] = {&arguments};
        OK(cuLaunchCooperativeKernel(kernel.function, 10, 1, 1, 32, 1, 1, 128, s.stream, parameters));
        auto values = s.floats(address, 20);
        for (int i = 0; i < 10; i++) REQUIRE(values[10 + i] == 9 - i);
    });
    right("products of all transpositions", [] {
        Session s;
        cublasHandle_t handle;
        OK(cublasCreate(&handle));
        OK(cublasSetStream(handle, (cudaStream_t)s.stream));
        const int m = 3, n = 4, k = 6, lda = 7, ldb = 8, ldc = 5;
        std::vector<float> a(lda * 6), b(ldb * 6), c(ldc * n);
        for (auto x : {&a, &b, &c}) for (auto &y : *x) y = (float)(rand() % 9 - 4);
        CUdeviceptr da = s.memory(4 * a.size()), db = s.memory(4 * b.size()), dc = s.memory(4 * c.size());
        s.set(da, a);
        s.set(db, b);
        for (int ta = 0; ta < 2; ta++) {
            for (int tb = 0; tb < 2; tb++) {
                float alpha = 2, beta = tb ? 3 : 0;
                s.set(dc, c);
                OK(cublasGemmEx(handle, ta ? CUBLAS_OP_T : CUBLAS_OP_N, tb ? CUBLAS_OP_T : CUBLAS_OP_N, m, n, k, &alpha, (void *)da, CUDA_R_32F,
                    lda, (void *)db, CUDA_R_32F, ldb, &beta, (void *)dc, CUDA_R_32F, ldc, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT));
                auto result = s.floats(dc, c.size());
                for (int j = 0; j < n; j++) {
                    for (int i = 0; i < m; i++) {
                        float sum = 0;
                        for (int l = 0; l < k; l++) sum += a[ta ? i * lda + l : l * lda + i] * b[tb ? l * ldb + j : j * ldb + l];
                        REQUIRE(result[j * ldc + i] == alpha * sum + beta * c[j * ldc + i]);
                    }
                    REQUIRE(result[j * ldc + m] == c[j * ldc + m]);
                }
            }
        }
    });
    right("systems of equations, and one that has no solution", [] {
        Session s;
        cusolverDnHandle_t handle;
        OK(cusolverDnCreate(&handle));
        OK(cusolverDnSetStream(handle, (cudaStream_t)s.stream));
        const int n = 9;
        for (int singular = 0; singular < 2; singular++) {
            for (int transposed = 0; transposed < 2; transposed++) {
                std::vector<float> a(n * n), x(2 * n), b(2 * n);
                for (auto &y : a) y = (float)(rand() % 19 - 9);
                if (singular) for (int i = 0; i < n; i++) a[3 * n + i] = 0;
                for (int i = 0; i < 2 * n; i++) x[i] = (float)i;
                for (int c = 0; c < 2; c++)
                    for (int i = 0; i < n; i++)
                        for (int j = 0; j < n; j++) b[c * n + i] += (transposed ? a[i * n + j] : a[j * n + i]) * x[c * n + j];
                int count = 0, info = -1;
                CUdeviceptr da = s.memory(4 * a.size()), db = s.memory(4 * b.size()), pivots = s.memory(4 * n), verdict = s.memory(4);
                s.set(da, a);
                s.set(db, b);
                OK(cusolverDnSgetrf_bufferSize(handle, n, n, (float *)da, n, &count));
                OK(cusolverDnSgetrf(handle, n, n, (float *)da, n, (float *)s.memory(4 * count), (int *)pivots, (int *)verdict));
                OK(cuMemcpyDtoHAsync(&info, verdict, 4, s.stream));
                REQUIRE(info == (singular ? 4 : 0));
                if (singular) continue;
                OK(cusolverDnSgetrs(handle, transposed ? CUBLAS_OP_T : CUBLAS_OP_N, n, 2, (float *)da, n, (int *)pivots, (float *)db, n, (int *)verdict));
                auto found = s.floats(db, 2 * n);
                for (int i = 0; i < 2 * n; i++) REQUIRE(std::fabs(found[i] - x[i]) < 1e-3);
            }
        }
    });
    right("eigenvalues and eigenvectors", [] {
        Session s;
        cusolverDnHandle_t handle;
        OK(cusolverDnCreate(&handle));
        OK(cusolverDnSetStream(handle, (cudaStream_t)s.stream));
        const int n = 7;
        std::vector<std::complex<float>> a(n * n), v(n * n);
        for (int j = 0; j < n; j++) {
            for (int i = j; i < n; i++) {
                a[j * n + i] = {(float)(rand() % 9 - 4), i == j ? 0.0f : (float)(rand() % 9 - 4)};
                a[i * n + j] = std::conj(a[j * n + i]);
            }
        }
        int count = 0, info = -1;
        CUdeviceptr matrix = s.memory(8 * n * n), values = s.memory(4 * n), verdict = s.memory(4);
        OK(cuMemcpyHtoDAsync(matrix, a.data(), 8 * n * n, s.stream));
        OK(cusolverDnCheevd_bufferSize(handle, CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_LOWER, n, (cuComplex *)matrix, n, (float *)values, &count));
        OK(cusolverDnCheevd(handle, CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_LOWER, n, (cuComplex *)matrix, n, (float *)values,
            (cuComplex *)s.memory(8 * count), count, (int *)verdict));
        OK(cuMemcpyDtoHAsync(&info, verdict, 4, s.stream));
        OK(cuMemcpyDtoHAsync(v.data(), matrix, 8 * n * n, s.stream));
        auto w = s.floats(values, n);
        REQUIRE(info == 0);
        for (int k = 0; k < n; k++) {
            REQUIRE(k == 0 || w[k] >= w[k - 1]);
            float norm = 0;
            for (int i = 0; i < n; i++) {
                std::complex<float> sum = 0;
                for (int j = 0; j < n; j++) sum += a[j * n + i] * v[k * n + j];
                REQUIRE(std::abs(sum - w[k] * v[k * n + i]) < 1e-4);
                norm += std::norm(v[k * n + i]);
            }
            REQUIRE(std::fabs(norm - 1) < 1e-5);
        }
    });
}
