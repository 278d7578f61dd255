#include "device.h"

int cud_load_kernel(cud_device *d, const void *image, const char *name, int shared_memory, void **module, void **function) {
    *module = NULL;
    int error = cud_enter_unrecorded(d);
    if (error) return error;
    error = cud_cuModuleLoadData(module, image);
    if (!error) error = cud_cuModuleGetFunction(function, *module, name);
    // More than 48 KiB, including the kernel's static shared memory, must be requested.
    if (!error && shared_memory > 0) error = cud_cuFuncSetAttribute(*function, FUNCTION_DYNAMIC_SHARED_MEMORY, shared_memory);
    if (error && *module) {
        cud_cuModuleUnload(*module);
        *module = NULL;
    }
    return cud_leave(d, error);
}
int cud_unload_kernel(cud_device *d, void *module) {
    int error = cud_enter_unrecorded(d);
    if (error) return error;
    // It may still be running.
    error = cud_cuStreamSynchronize(d->stream);
    int failed = cud_cuModuleUnload(module);
    return cud_leave(d, error ? error : failed);
}
int cud_launch(
    cud_device *d, void *function, const uint32_t grid[3], const uint32_t block[3], uint32_t shared_memory, void *arguments,
    bool cooperative
) {
    void *parameters[] = {arguments};
    int error = cud_enter(d);
    if (error) return error;
    if (cooperative) {
        error = cud_cuLaunchCooperativeKernel(
            function, grid[0], grid[1], grid[2], block[0], block[1], block[2], shared_memory, d->stream, parameters);
    } else {
        error = cud_cuLaunchKernel(
            function, grid[0], grid[1], grid[2], block[0], block[1], block[2], shared_memory, d->stream, parameters, NULL);
    }
    return cud_leave(d, error);
}

int cud_begin_capture(cud_device *d) {
    int error = cud_enter_unrecorded(d);
    if (error) return error;
    if ((error = cud_cuStreamBeginCapture_v2(d->stream, CAPTURE_THREAD_LOCAL))) return cud_leave(d, error);
    d->is_capturing = true;
    d->capture_error = 0;
    // The lock is kept until the capture ends.
    return 0;
}
int cud_end_capture(cud_device *d, void **graph) {
    void *recorded = NULL;
    *graph = NULL;
    d->is_capturing = false;
    int error = cud_cuCtxSetCurrent(d->context);
    if (!error) error = cud_cuStreamEndCapture(d->stream, &recorded);
    // A call that failed is missing from the graph.
    if (!error) error = d->capture_error;
    if (!error) error = cud_cuGraphInstantiateWithFlags(graph, recorded, 0);
    if (recorded) cud_cuGraphDestroy(recorded);
    return cud_leave(d, error);
}
int cud_run_graph(cud_device *d, void *graph) {
    int error = cud_enter_unrecorded(d);
    return error ? error : cud_leave(d, cud_cuGraphLaunch(graph, d->stream));
}
int cud_free_graph(cud_device *d, void *graph) {
    int error = cud_enter_unrecorded(d);
    return error ? error : cud_leave(d, cud_cuGraphExecDestroy(graph));
}
