#include "device.h"
#include <stdio.h>
#include <stdlib.h>

const char *cud_error_text(int error) {
    static _Thread_local char text[256];
    const char *name = NULL, *words = NULL;
    if (error >= CUD_NVRTC_ERROR) {
        if (cud_nvrtcGetErrorString) return cud_nvrtcGetErrorString(error - CUD_NVRTC_ERROR);
        snprintf(text, sizeof text, "NVRTC status %d", error - CUD_NVRTC_ERROR);
    } else if (error >= CUD_CUSOLVER_ERROR) {
        snprintf(text, sizeof text, "cuSOLVER status %d", error - CUD_CUSOLVER_ERROR);
    } else if (error >= CUD_CUBLAS_ERROR) {
        snprintf(text, sizeof text, "%s (cuBLAS status %d)", cud_cublasGetStatusString(error - CUD_CUBLAS_ERROR), error - CUD_CUBLAS_ERROR);
    } else if (cud_cuGetErrorName && cud_cuGetErrorName(error, &name) == 0 && name) {
        cud_cuGetErrorString(error, &words);
        snprintf(text, sizeof text, "%s (%s)", words ? words : "an error", name);
    } else {
        snprintf(text, sizeof text, "CUDA error %d", error);
    }
    return text;
}

int cud_driver_version(void) {
    int version = 0;
    if (cud_cuDriverGetVersion) cud_cuDriverGetVersion(&version);
    return version;
}

int cud_enter(cud_device *d) {
    pthread_mutex_lock(&d->lock);
    int error = cud_cuCtxSetCurrent(d->context);
    if (error) pthread_mutex_unlock(&d->lock);
    return error;
}

int cud_enter_unrecorded(cud_device *d) {
    int error = cud_enter(d);
    if (!error && d->is_capturing) error = cud_leave(d, CAPTURE_UNSUPPORTED);
    return error;
}

int cud_leave(cud_device *d, int error) {
    if (d->is_capturing && !d->capture_error) d->capture_error = error;
    pthread_mutex_unlock(&d->lock);
    return error;
}

static int set_up(cud_device *d) {
    int error, major = 0, minor = 0;
    if ((error = cud_cuDevicePrimaryCtxRetain(&d->context, d->ordinal))) {
        d->context = NULL;
        return error;
    }
    if ((error = cud_cuCtxSetCurrent(d->context))) return error;
    if ((error = cud_cuDeviceGetName(d->name, sizeof d->name - 1, d->ordinal))) return error;
    if ((error = cud_cuDeviceGetAttribute(&major, CAPABILITY_MAJOR, d->ordinal))) return error;
    if ((error = cud_cuDeviceGetAttribute(&minor, CAPABILITY_MINOR, d->ordinal))) return error;
    if ((error = cud_cuDeviceGetAttribute(&d->processors, PROCESSOR_COUNT, d->ordinal))) return error;
    if ((error = cud_cuDeviceGetAttribute(&d->shared_memory, SHARED_MEMORY_PER_BLOCK_OPTIN, d->ordinal))) return error;
    if ((error = cud_cuDeviceGetAttribute(&d->registers, REGISTERS_PER_BLOCK, d->ordinal))) return error;
    if ((error = cud_cuDeviceGetAttribute(&d->starts_cooperatively, COOPERATIVE_LAUNCH, d->ordinal))) return error;
    d->capability = 10 * major + minor;
    if ((error = cud_cuStreamCreate(&d->stream, STREAM_NON_BLOCKING))) return error;
    if ((error = cud_set_up_transfers(d))) return error;
    return cud_set_up_products(d);
}

cud_device *cud_device_open(int index, char *message, size_t capacity) {
    cud_device *d = calloc(1, sizeof *d);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&d->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    int error = cud_cuDeviceGet(&d->ordinal, index);
    if (!error) error = set_up(d);
    if (error) {
        snprintf(message, capacity, "device %d can't be used: %s; the driver is for CUDA %d.%d", index, cud_error_text(error),
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
        // Copies into the host's memory may still be under way.
        if (d->stream) cud_cuStreamSynchronize(d->stream);
        cud_free_products(d);
        cud_free_transfers(d);
        if (d->stream) cud_cuStreamDestroy_v2(d->stream);
        // The thread must not keep a context that may end here.
        cud_cuCtxSetCurrent(NULL);
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
bool cud_device_starts_cooperatively(const cud_device *d) { return d->starts_cooperatively; }

int cud_memory_info(cud_device *d, size_t *available, size_t *total) {
    int error = cud_enter(d);
    return error ? error : cud_leave(d, cud_cuMemGetInfo_v2(available, total));
}
int cud_allocate(cud_device *d, size_t bytes, uint64_t *address, bool *is_out_of_memory) {
    int error = cud_enter_unrecorded(d);
    if (!error) error = cud_leave(d, cud_cuMemAlloc_v2(address, bytes));
    *is_out_of_memory = error == OUT_OF_MEMORY;
    return error;
}
int cud_release(cud_device *d, uint64_t address) {
    int error = cud_enter_unrecorded(d);
    if (error) return error;
    // Earlier work may still use it.
    error = cud_cuStreamSynchronize(d->stream);
    int failed = cud_cuMemFree_v2(address);
    return cud_leave(d, error ? error : failed);
}
int cud_clear(cud_device *d, uint64_t address, size_t bytes) {
    int error = cud_enter(d);
    return error ? error : cud_leave(d, cud_cuMemsetD8Async(address, 0, bytes, d->stream));
}
int cud_synchronize(cud_device *d) {
    int error = cud_enter_unrecorded(d);
    return error ? error : cud_leave(d, cud_cuStreamSynchronize(d->stream));
}
