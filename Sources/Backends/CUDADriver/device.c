#include "device.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// From cuda.h.
enum {
    STREAM_NON_BLOCKING = 1,
    CAPTURE_THREAD_LOCAL = 1,
    REGISTERS_PER_BLOCK = 12,
    PROCESSOR_COUNT = 16,
    CAPABILITY_MAJOR = 75,
    CAPABILITY_MINOR = 76,
    SHARED_MEMORY_PER_BLOCK_OPTIN = 97,
    PAGEABLE_MEMORY_BY_HOST_PAGE_TABLES = 100,
    FUNCTION_DYNAMIC_SHARED_MEMORY = 8,
};
// From cublas_api.h, cublas_v2.h, library_types.h and cusolverDn.h.
enum {
    COMPUTE_32F = 68,
    COMPUTE_32F_FAST_16BF = 75,
    COMPUTE_32F_FAST_TF32 = 77,
    R_32F = 0,
    GEMM_DEFAULT = -1,
    EIG_VECTORS = 1,
    FILL_LOWER = 0,
};

enum { CUBLAS_WORKSPACE = 32 << 20 };

const char *cud_error_text(int error) {
    static _Thread_local char text[64];
    const char *words = NULL;
    if (error >= CUD_NVRTC_ERROR) return cud_nvrtcGetErrorString(error - CUD_NVRTC_ERROR);
    if (error >= CUD_CUSOLVER_ERROR) {
        snprintf(text, sizeof text, "cuSOLVER status %d", error - CUD_CUSOLVER_ERROR);
    } else if (error >= CUD_CUBLAS_ERROR) {
        snprintf(text, sizeof text, "cuBLAS status %d", error - CUD_CUBLAS_ERROR);
    } else if (cud_cuGetErrorString(error, &words) == 0 && words) {
        return words;
    } else {
        snprintf(text, sizeof text, "CUDA error %d", error);
    }
    return text;
}

static int cublas_error(int status) { return status ? CUD_CUBLAS_ERROR + status : 0; }
static int cusolver_error(int status) { return status ? CUD_CUSOLVER_ERROR + status : 0; }

int cud_driver_version(void) {
    int version = 0;
    cud_cuDriverGetVersion(&version);
    return version;
}

static int set_up(cud_device *d) {
    int error, major = 0, minor = 0;
    if ((error = cud_cuDevicePrimaryCtxRetain(&d->context, d->ordinal))) return error;
    if ((error = cud_cuCtxSetCurrent(d->context))) return error;
    if ((error = cud_cuDeviceGetName(d->name, sizeof d->name - 1, d->ordinal))) return error;
    if ((error = cud_cuDeviceGetAttribute(&major, CAPABILITY_MAJOR, d->ordinal))) return error;
    if ((error = cud_cuDeviceGetAttribute(&minor, CAPABILITY_MINOR, d->ordinal))) return error;
    if ((error = cud_cuDeviceGetAttribute(&d->processors, PROCESSOR_COUNT, d->ordinal))) return error;
    if ((error = cud_cuDeviceGetAttribute(&d->shared_memory, SHARED_MEMORY_PER_BLOCK_OPTIN, d->ordinal))) return error;
    if ((error = cud_cuDeviceGetAttribute(&d->registers, REGISTERS_PER_BLOCK, d->ordinal))) return error;
    if ((error = cud_cuDeviceGetAttribute(&d->reads_host_pages, PAGEABLE_MEMORY_BY_HOST_PAGE_TABLES, d->ordinal))) return error;
    d->capability = 10 * major + minor;
    if ((error = cud_cuStreamCreate(&d->stream, STREAM_NON_BLOCKING))) return error;
    if ((error = cublas_error(cud_cublasCreate_v2(&d->cublas)))) return error;
    if ((error = cublas_error(cud_cublasSetStream_v2(d->cublas, d->stream)))) return error;
    // A workspace of its own, so that products can be recorded and always give the same bits.
    if ((error = cud_cuMemAlloc_v2(&d->cublas_workspace, CUBLAS_WORKSPACE))) return error;
    if ((error = cublas_error(cud_cublasSetWorkspace_v2(d->cublas, (void *)d->cublas_workspace, CUBLAS_WORKSPACE)))) return error;
    if ((error = cusolver_error(cud_cusolverDnCreate(&d->cusolver)))) return error;
    return cusolver_error(cud_cusolverDnSetStream(d->cusolver, d->stream));
}

cud_device *cud_device_open(int index, char *message, size_t capacity) {
    int count = 0, error = cud_cuInit(0);
    if (!error) error = cud_cuDeviceGetCount(&count);
    if (error) {
        snprintf(message, capacity, "the driver can't be used: %s", cud_error_text(error));
        return NULL;
    }
    if (count == 0) {
        snprintf(message, capacity, "the driver sees no device");
        return NULL;
    }
    if (index < 0 || index >= count) {
        snprintf(message, capacity, "there is no device %d; there %s %d, counted from 0", index, count == 1 ? "is" : "are", count);
        return NULL;
    }
    cud_device *d = calloc(1, sizeof *d);
    pthread_mutex_init(&d->lock, NULL);
    error = cud_cuDeviceGet(&d->ordinal, index);
    if (!error) error = set_up(d);
    if (error) {
        snprintf(message, capacity, "device %d can't be used: %s (driver for CUDA %d.%d)", index, cud_error_text(error),
            cud_driver_version() / 1000, cud_driver_version() % 1000 / 10);
        cud_device_close(d);
        return NULL;
    }
    return d;
}

void cud_device_close(cud_device *d) {
    if (!d) return;
    if (d->context) {
        cud_cuCtxSetCurrent(d->context);
        // Copies may still be going into the host's memory.
        if (d->stream) cud_cuStreamSynchronize(d->stream);
        cud_free_transfers(d);
        if (d->cusolver) cud_cusolverDnDestroy(d->cusolver);
        if (d->cublas) cud_cublasDestroy_v2(d->cublas);
        if (d->cublas_workspace) cud_cuMemFree_v2(d->cublas_workspace);
        if (d->workspace) cud_cuMemFree_v2(d->workspace);
        if (d->integers) cud_cuMemFree_v2(d->integers);
        if (d->stream) cud_cuStreamDestroy_v2(d->stream);
        cud_cuDevicePrimaryCtxRelease_v2(d->ordinal);
    }
    pthread_mutex_destroy(&d->lock);
    free(d);
}

const char *cud_device_name(const cud_device *d) { return d->name; }
int cud_device_capability(const cud_device *d) { return d->capability; }
int cud_device_processors(const cud_device *d) { return d->processors; }
int cud_device_shared_memory(const cud_device *d) { return d->shared_memory; }
int cud_device_registers(const cud_device *d) { return d->registers; }

int cud_memory_info(cud_device *d, size_t *available, size_t *total) {
    int error = cud_enter(d);
    return error ? error : cud_cuMemGetInfo_v2(available, total);
}
int cud_allocate(cud_device *d, size_t bytes, uint64_t *address) {
    int error = cud_enter(d);
    return error ? error : cud_cuMemAlloc_v2(address, bytes);
}
int cud_release(cud_device *d, uint64_t address) {
    int error = cud_enter(d);
    return error ? error : cud_cuMemFree_v2(address);
}
int cud_upload(cud_device *d, uint64_t address, const void *source, size_t bytes) {
    // From pageable memory this returns once the source has been read, except where
    // the device reads the host's pages itself (Grace).
    int error = cud_enter(d);
    if (!error) error = cud_cuMemcpyHtoDAsync_v2(address, source, bytes, d->stream);
    return error || !d->reads_host_pages ? error : cud_cuStreamSynchronize(d->stream);
}
int cud_download(cud_device *d, void *destination, uint64_t address, size_t bytes) {
    int error = cud_enter(d);
    if (!error) error = cud_cuMemcpyDtoHAsync_v2(destination, address, bytes, d->stream);
    return error ? error : cud_cuStreamSynchronize(d->stream);
}
int cud_clear(cud_device *d, uint64_t address, size_t bytes) {
    int error = cud_enter(d);
    return error ? error : cud_cuMemsetD8Async(address, 0, bytes, d->stream);
}
int cud_synchronize(cud_device *d) {
    int error = cud_enter(d);
    return error ? error : cud_cuStreamSynchronize(d->stream);
}

int cud_load_module(cud_device *d, const void *image, void **module) {
    int error = cud_enter(d);
    return error ? error : cud_cuModuleLoadData(module, image);
}
int cud_find_function(cud_device *d, void *module, const char *name, int shared_memory, void **function) {
    int error = cud_enter(d);
    if (!error) error = cud_cuModuleGetFunction(function, module, name);
    // More than 48 KiB must be asked for.
    if (!error && shared_memory > 48 << 10) error = cud_cuFuncSetAttribute(*function, FUNCTION_DYNAMIC_SHARED_MEMORY, shared_memory);
    return error;
}
int cud_launch(
    cud_device *d, void *function, const uint32_t grid[3], const uint32_t block[3], uint32_t shared_memory, void *arguments,
    bool cooperative
) {
    void *parameters[] = {arguments};
    int error = cud_enter(d);
    if (error) return error;
    if (cooperative) {
        return cud_cuLaunchCooperativeKernel(
            function, grid[0], grid[1], grid[2], block[0], block[1], block[2], shared_memory, d->stream, parameters);
    }
    return cud_cuLaunchKernel(
        function, grid[0], grid[1], grid[2], block[0], block[1], block[2], shared_memory, d->stream, parameters, NULL);
}

int cud_gemm(
    cud_device *d, int precision, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha, uint64_t a, int lda, uint64_t b,
    int ldb, float beta, uint64_t c, int ldc
) {
    static const int computes[] = {COMPUTE_32F, COMPUTE_32F_FAST_TF32, COMPUTE_32F_FAST_16BF};
    int error = cud_enter(d);
    if (error) return error;
    return cublas_error(cud_cublasGemmEx(
        d->cublas, transpose_a, transpose_b, m, n, k, &alpha, (const void *)a, R_32F, lda, (const void *)b, R_32F, ldb, &beta,
        (void *)c, R_32F, ldc, computes[precision], GEMM_DEFAULT));
}

static int reserve(uint64_t *memory, size_t *size, size_t wanted) {
    if (*size >= wanted) return 0;
    if (*memory) cud_cuMemFree_v2(*memory);
    *memory = 0;
    *size = 0;
    int error = cud_cuMemAlloc_v2(memory, wanted);
    if (!error) *size = wanted;
    return error;
}

int cud_solve(cud_device *d, bool transpose, int n, int columns, uint64_t a, uint64_t b, int *info) {
    int count = 0, error = cud_enter(d);
    if (error) return error;
    if ((error = cusolver_error(cud_cusolverDnSgetrf_bufferSize(d->cusolver, n, n, (float *)a, n, &count)))) return error;
    if ((error = reserve(&d->workspace, &d->workspace_size, sizeof(float) * (size_t)count))) return error;
    if ((error = reserve(&d->integers, &d->integers_size, sizeof(int) * (size_t)(n + 1)))) return error;
    int *verdict = (int *)d->integers, *pivots = verdict + 1;
    if ((error = cusolver_error(cud_cusolverDnSgetrf(d->cusolver, n, n, (float *)a, n, (float *)d->workspace, pivots, verdict)))) return error;
    if ((error = cud_download(d, info, d->integers, sizeof *info)) || *info) return error;
    return cusolver_error(cud_cusolverDnSgetrs(d->cusolver, transpose, n, columns, (const float *)a, n, pivots, (float *)b, n, verdict));
}

int cud_hermitian_eigen(cud_device *d, int n, uint64_t matrix, uint64_t eigenvalues, int *info) {
    int count = 0, error = cud_enter(d);
    if (error) return error;
    if ((error = cusolver_error(cud_cusolverDnCheevd_bufferSize(
             d->cusolver, EIG_VECTORS, FILL_LOWER, n, (const void *)matrix, n, (const float *)eigenvalues, &count)))) return error;
    if ((error = reserve(&d->workspace, &d->workspace_size, 2 * sizeof(float) * (size_t)count))) return error;
    if ((error = reserve(&d->integers, &d->integers_size, sizeof(int)))) return error;
    error = cusolver_error(cud_cusolverDnCheevd(
        d->cusolver, EIG_VECTORS, FILL_LOWER, n, (void *)matrix, n, (float *)eigenvalues, (void *)d->workspace, count,
        (int *)d->integers));
    return error ? error : cud_download(d, info, d->integers, sizeof *info);
}

int cud_begin_capture(cud_device *d) {
    int error = cud_enter(d);
    return error ? error : cud_cuStreamBeginCapture_v2(d->stream, CAPTURE_THREAD_LOCAL);
}
int cud_end_capture(cud_device *d, void **graph) {
    void *recorded = NULL;
    int error = cud_enter(d);
    if (!error) error = cud_cuStreamEndCapture(d->stream, &recorded);
    if (!error) error = cud_cuGraphInstantiateWithFlags(graph, recorded, 0);
    if (recorded) cud_cuGraphDestroy(recorded);
    return error;
}
int cud_run_graph(cud_device *d, void *graph) {
    int error = cud_enter(d);
    return error ? error : cud_cuGraphLaunch(graph, d->stream);
}
void cud_free_graph(cud_device *d, void *graph) {
    if (cud_enter(d) == 0) cud_cuGraphExecDestroy(graph);
}
