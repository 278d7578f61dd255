// The machine: its devices, their attributes and contexts. By default it has one H100;
// STANDIN_* variables of the environment change that.
#include "standin.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace standin {

namespace {

// A variable's number, which may end with K, M or G and must be at least `least`.
size_t number(const char *name, const char *otherwise, int least = 0) {
    std::string value = environment(name, otherwise);
    char *end = nullptr;
    double result = strtod(value.c_str(), &end);
    static const char units[] = "KMG";
    for (int i = 0; i < 3; i++) {
        if (*end == units[i]) {
            result *= (double)(1ull << 10 * (i + 1));
            end++;
            break;
        }
    }
    if (*end || end == value.c_str() || !(result >= least && result < 1e18)) {
        fprintf(stderr, "stand-in: %s=%s is no number of at least %d\n", name, value.c_str(), least);
        _exit(2);
    }
    return (size_t)result;
}

Chip read() {
    Chip chip;
    std::string violations = environment("STANDIN_VIOLATIONS", "abort");
    if (violations != "abort" && violations != "return") {
        fprintf(stderr, "stand-in: STANDIN_VIOLATIONS=%s is neither abort nor return\n", violations.c_str());
        _exit(2);
    }
    chip.devices = (int)number("STANDIN_DEVICES", "1");
    chip.capability = (int)number("STANDIN_CAPABILITY", "90");
    chip.processors = (int)number("STANDIN_PROCESSORS", "132", 1);
    chip.sharedMemory = (int)number("STANDIN_SHARED", "227K");
    chip.registers = (int)number("STANDIN_REGISTERS", "64K");
    chip.driver = (int)number("STANDIN_DRIVER", "13000");
    chip.readsHostPages = (int)number("STANDIN_HOST_PAGES", "0");
    chip.memory = number("STANDIN_MEMORY", "80G");
    chip.lag = number("STANDIN_LAG", "500");
    chip.compileOnly = number("STANDIN_COMPILE_ONLY", "0") != 0;
    return chip;
}

bool initialised = false;
auto &primaries = *new std::vector<Context *>();
thread_local Context *currentContext = nullptr;

}  // namespace

const Chip &chip() {
    static const Chip chip = read();
    return chip;
}

std::recursive_mutex &lock() {
    static std::recursive_mutex mutex;
    return mutex;
}

Context *current() { return currentContext; }

CUresult ready(const char *function) {
    if (!initialised) return (CUresult)wrong(function, CUDA_ERROR_NOT_INITIALIZED, "cuInit hasn't been called");
    if (!currentContext) return (CUresult)wrong(function, CUDA_ERROR_INVALID_CONTEXT, "this thread has no current context");
    if (currentContext->destroyed) return (CUresult)wrong(function, CUDA_ERROR_CONTEXT_IS_DESTROYED, "the current context has been destroyed");
    return CUDA_SUCCESS;
}

}  // namespace standin

using namespace standin;

#define REQUIRE_DEVICE(device) \
    ONE_AT_A_TIME; \
    if (!initialised) return WRONG(CUDA_ERROR_NOT_INITIALIZED, "cuInit hasn't been called"); \
    if (device < 0 || device >= chip().devices) return WRONG(CUDA_ERROR_INVALID_DEVICE, "there is no device %d", device)

API CUresult CUDAAPI cuInit(unsigned flags) {
    ONE_AT_A_TIME;
    if (flags) return WRONG(CUDA_ERROR_INVALID_VALUE, "flags must be 0");
    if (chip().devices == 0) return REFUSED(CUDA_ERROR_NO_DEVICE, "no device");
    initialised = true;
    primaries.resize(chip().devices);
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuDriverGetVersion(int *version) {
    if (!version) return WRONG(CUDA_ERROR_INVALID_VALUE, "nowhere to write to");
    *version = chip().driver;
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuDeviceGetCount(int *count) {
    ONE_AT_A_TIME;
    if (!initialised) return WRONG(CUDA_ERROR_NOT_INITIALIZED, "cuInit hasn't been called");
    if (!count) return WRONG(CUDA_ERROR_INVALID_VALUE, "nowhere to write to");
    *count = chip().devices;
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuDeviceGet(CUdevice *device, int ordinal) {
    REQUIRE_DEVICE(ordinal);
    if (!device) return WRONG(CUDA_ERROR_INVALID_VALUE, "nowhere to write to");
    *device = ordinal;
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuDeviceGetName(char *name, int length, CUdevice device) {
    REQUIRE_DEVICE(device);
    if (!name || length < 1) return WRONG(CUDA_ERROR_INVALID_VALUE, "nowhere to write to");
    snprintf(name, (size_t)length, "stand-in GPU (sm_%d)", chip().capability);
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice device) {
    REQUIRE_DEVICE(device);
    if (!value) return WRONG(CUDA_ERROR_INVALID_VALUE, "nowhere to write to");
    switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK: *value = 1024; break;
    case CU_DEVICE_ATTRIBUTE_WARP_SIZE: *value = 32; break;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK: *value = 48 << 10; break;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: *value = chip().sharedMemory; break;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR: *value = chip().sharedMemory + 1024; break;
    case CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK: *value = 1024; break;
    case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK: *value = chip().registers; break;
    case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR: *value = chip().registers; break;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: *value = chip().processors; break;
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR: *value = 2048; break;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *value = chip().capability / 10; break;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *value = chip().capability % 10; break;
    case CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH: *value = chip().capability >= 60; break;
    case CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE: *value = 50 << 20; break;
    case CU_DEVICE_ATTRIBUTE_CLOCK_RATE: *value = 1980000; break;
    case CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE: *value = 2619000; break;
    case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING: *value = 1; break;
    case CU_DEVICE_ATTRIBUTE_PAGEABLE_MEMORY_ACCESS: *value = chip().readsHostPages; break;
    case CU_DEVICE_ATTRIBUTE_PAGEABLE_MEMORY_ACCESS_USES_HOST_PAGE_TABLES: *value = chip().readsHostPages; break;
    default: return WRONG(CUDA_ERROR_INVALID_VALUE, "the stand-in doesn't know attribute %d", (int)attribute);
    }
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
    REQUIRE_DEVICE(device);
    if (!context) return WRONG(CUDA_ERROR_INVALID_VALUE, "nowhere to write to");
    Context *&primary = primaries[device];
    if (!primary) primary = new Context{device};
    primary->uses++;
    *context = (CUcontext)primary;
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuDevicePrimaryCtxRelease(CUdevice device) {
    REQUIRE_DEVICE(device);
    Context *&primary = primaries[device];
    if (!primary) return WRONG(CUDA_ERROR_INVALID_CONTEXT, "device %d has no primary context", device);
    if (--primary->uses > 0) return CUDA_SUCCESS;
    drain();
    // Objects that are left would otherwise disappear with the context, unnoticed.
    releaseGraphs(primary);
    releaseModules(primary);
    releaseStreams(primary);
    releaseMemory(primary);
    trace("context released");
    primary->destroyed = true;
    primary = nullptr;
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuCtxSetCurrent(CUcontext context) {
    ONE_AT_A_TIME;
    if (!initialised) return WRONG(CUDA_ERROR_NOT_INITIALIZED, "cuInit hasn't been called");
    for (Context *primary : primaries) {
        if (primary && (CUcontext)primary == context) {
            currentContext = primary;
            return CUDA_SUCCESS;
        }
    }
    if (context) return WRONG(CUDA_ERROR_INVALID_CONTEXT, "there is no context %p", (void *)context);
    currentContext = nullptr;
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuCtxGetCurrent(CUcontext *context) {
    if (!context) return WRONG(CUDA_ERROR_INVALID_VALUE, "nowhere to write to");
    *context = (CUcontext)currentContext;
    return CUDA_SUCCESS;
}

namespace {

struct ErrorText {
    const char *name, *words;
};
#define ERROR(code, words) {code, {#code, words}}
const std::map<int, ErrorText> errorTexts = {
    ERROR(CUDA_SUCCESS, "no error"),
    ERROR(CUDA_ERROR_INVALID_VALUE, "invalid argument"),
    ERROR(CUDA_ERROR_OUT_OF_MEMORY, "out of memory"),
    ERROR(CUDA_ERROR_NOT_INITIALIZED, "initialization error"),
    ERROR(CUDA_ERROR_NO_DEVICE, "no CUDA-capable device is detected"),
    ERROR(CUDA_ERROR_INVALID_DEVICE, "invalid device ordinal"),
    ERROR(CUDA_ERROR_INVALID_IMAGE, "device kernel image is invalid"),
    ERROR(CUDA_ERROR_INVALID_CONTEXT, "invalid device context"),
    ERROR(CUDA_ERROR_NO_BINARY_FOR_GPU, "no kernel image is available for execution on the device"),
    ERROR(CUDA_ERROR_INVALID_PTX, "a PTX JIT compilation failed"),
    ERROR(CUDA_ERROR_INVALID_HANDLE, "invalid resource handle"),
    ERROR(CUDA_ERROR_NOT_FOUND, "named symbol not found"),
    ERROR(CUDA_ERROR_NOT_READY, "device not ready"),
    ERROR(CUDA_ERROR_ILLEGAL_ADDRESS, "an illegal memory access was encountered"),
    ERROR(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "too many resources requested for launch"),
    ERROR(CUDA_ERROR_CONTEXT_IS_DESTROYED, "context is destroyed"),
    ERROR(CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE, "too many blocks in cooperative launch"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "operation not permitted when stream is capturing"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "operation failed due to a previous error during capture"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "stream was not part of capture"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "capturing stream has unjoined work"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, "dependency created on uncaptured work in another stream"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, "operation would make the legacy stream depend on a capturing blocking stream"),
    ERROR(CUDA_ERROR_CAPTURED_EVENT, "operation not permitted on an event last recorded in a capturing stream"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "attempt to terminate a thread-local capture sequence from another thread"),
    ERROR(CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE, "the graph update was not performed because it included changes which violated constraints specific to instantiated graph update"),
};
#undef ERROR

}  // namespace

API CUresult CUDAAPI cuGetErrorString(CUresult error, const char **words) {
    if (!words) return WRONG(CUDA_ERROR_INVALID_VALUE, "nowhere to write to");
    auto known = errorTexts.find(error);
    *words = known == errorTexts.end() ? nullptr : known->second.words;
    return *words ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

API CUresult CUDAAPI cuGetErrorName(CUresult error, const char **name) {
    if (!name) return WRONG(CUDA_ERROR_INVALID_VALUE, "nowhere to write to");
    auto known = errorTexts.find(error);
    *name = known == errorTexts.end() ? nullptr : known->second.name;
    return *name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

// NVRTC 13.5 asks the driver for a private table, and continues without it.
API CUresult CUDAAPI cuGetExportTable(const void **table, const CUuuid *) {
    if (table) *table = nullptr;
    return CUDA_ERROR_NOT_FOUND;
}
