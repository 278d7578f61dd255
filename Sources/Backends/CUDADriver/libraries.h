#pragma once
#include "CUDADriver.h"

// All functions that are resolved: library, return type, exported name, arguments.
#define DRIVER_FUNCTIONS(X) \
    X(cuda, int, cuInit, (unsigned)) \
    X(cuda, int, cuDriverGetVersion, (int *)) \
    X(cuda, int, cuDeviceGetCount, (int *)) \
    X(cuda, int, cuDeviceGet, (int *, int)) \
    X(cuda, int, cuDeviceGetName, (char *, int, int)) \
    X(cuda, int, cuDeviceGetAttribute, (int *, int, int)) \
    X(cuda, int, cuDevicePrimaryCtxRetain, (void **, int)) \
    X(cuda, int, cuDevicePrimaryCtxRelease_v2, (int)) \
    X(cuda, int, cuCtxSetCurrent, (void *)) \
    X(cuda, int, cuMemGetInfo_v2, (size_t *, size_t *)) \
    X(cuda, int, cuMemAlloc_v2, (uint64_t *, size_t)) \
    X(cuda, int, cuMemFree_v2, (uint64_t)) \
    X(cuda, int, cuMemcpyHtoDAsync_v2, (uint64_t, const void *, size_t, void *)) \
    X(cuda, int, cuMemcpyDtoHAsync_v2, (void *, uint64_t, size_t, void *)) \
    X(cuda, int, cuMemHostAlloc, (void **, size_t, unsigned)) \
    X(cuda, int, cuMemFreeHost, (void *)) \
    X(cuda, int, cuMemsetD8Async, (uint64_t, unsigned char, size_t, void *)) \
    X(cuda, int, cuStreamCreate, (void **, unsigned)) \
    X(cuda, int, cuStreamDestroy_v2, (void *)) \
    X(cuda, int, cuStreamSynchronize, (void *)) \
    X(cuda, int, cuEventCreate, (void **, unsigned)) \
    X(cuda, int, cuEventDestroy_v2, (void *)) \
    X(cuda, int, cuEventRecord, (void *, void *)) \
    X(cuda, int, cuEventSynchronize, (void *)) \
    X(cuda, int, cuStreamBeginCapture_v2, (void *, int)) \
    X(cuda, int, cuStreamEndCapture, (void *, void **)) \
    X(cuda, int, cuGraphInstantiateWithFlags, (void **, void *, unsigned long long)) \
    X(cuda, int, cuGraphDestroy, (void *)) \
    X(cuda, int, cuGraphExecDestroy, (void *)) \
    X(cuda, int, cuGraphLaunch, (void *, void *)) \
    X(cuda, int, cuModuleLoadData, (void **, const void *)) \
    X(cuda, int, cuModuleGetFunction, (void **, void *, const char *)) \
    X(cuda, int, cuModuleUnload, (void *)) \
    X(cuda, int, cuFuncSetAttribute, (void *, int, int)) \
    X(cuda, int, cuGetErrorName, (int, const char **)) \
    X(cuda, int, cuGetErrorString, (int, const char **)) \
    X(cuda, int, cuLaunchKernel, \
      (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **)) \
    X(cuda, int, cuLaunchCooperativeKernel, \
      (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **))

#define LIBRARY_FUNCTIONS(X) \
    X(cublas, const char *, cublasGetStatusString, (int)) \
    X(cublas, int, cublasCreate_v2, (void **)) \
    X(cublas, int, cublasDestroy_v2, (void *)) \
    X(cublas, int, cublasSetStream_v2, (void *, void *)) \
    X(cublas, int, cublasSetWorkspace_v2, (void *, void *, size_t)) \
    X(cublas, int, cublasGemmEx, \
      (void *, int, int, int, int, int, const void *, const void *, int, int, const void *, int, int, const void *, void *, \
       int, int, int, int)) \
    X(cusolver, int, cusolverDnCreate, (void **)) \
    X(cusolver, int, cusolverDnDestroy, (void *)) \
    X(cusolver, int, cusolverDnSetStream, (void *, void *)) \
    X(cusolver, int, cusolverDnSgetrf_bufferSize, (void *, int, int, float *, int, int *)) \
    X(cusolver, int, cusolverDnSgetrf, (void *, int, int, float *, int, float *, int *, int *)) \
    X(cusolver, int, cusolverDnSgetrs, (void *, int, int, int, const float *, int, const int *, float *, int, int *)) \
    X(cusolver, int, cusolverDnCheevd_bufferSize, (void *, int, int, int, const void *, int, const float *, int *)) \
    X(cusolver, int, cusolverDnCheevd, (void *, int, int, int, void *, int, float *, void *, int, int *))

#define NVRTC_FUNCTIONS(X) \
    X(nvrtc, int, nvrtcVersion, (int *, int *)) \
    X(nvrtc, const char *, nvrtcGetErrorString, (int)) \
    X(nvrtc, int, nvrtcGetNumSupportedArchs, (int *)) \
    X(nvrtc, int, nvrtcGetSupportedArchs, (int *)) \
    X(nvrtc, int, nvrtcCreateProgram, (void **, const char *, const char *, int, const char *const *, const char *const *)) \
    X(nvrtc, int, nvrtcDestroyProgram, (void **)) \
    X(nvrtc, int, nvrtcCompileProgram, (void *, int, const char *const *)) \
    X(nvrtc, int, nvrtcGetCUBINSize, (void *, size_t *)) \
    X(nvrtc, int, nvrtcGetCUBIN, (void *, char *)) \
    X(nvrtc, int, nvrtcGetPTXSize, (void *, size_t *)) \
    X(nvrtc, int, nvrtcGetPTX, (void *, char *)) \
    X(nvrtc, int, nvrtcGetProgramLogSize, (void *, size_t *)) \
    X(nvrtc, int, nvrtcGetProgramLog, (void *, char *))

#define DECLARE(library, result, name, arguments) extern result(*cud_##name) arguments;
DRIVER_FUNCTIONS(DECLARE)
LIBRARY_FUNCTIONS(DECLARE)
NVRTC_FUNCTIONS(DECLARE)
#undef DECLARE

// Offsets that keep the other libraries' errors apart from the driver's.
enum { CUD_CUBLAS_ERROR = 100000, CUD_CUSOLVER_ERROR = 200000, CUD_NVRTC_ERROR = 300000 };
