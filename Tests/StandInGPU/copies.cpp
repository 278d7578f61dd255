// Copies between host and device, and setting memory.
#include "standin.h"

#include <cstring>

using namespace standin;

namespace {

// Determines whether host memory is pinned; an error if any of it isn't the host's.
CUresult findHost(const char *function, const void *memory, size_t bytes, bool &pinned) {
    Block *block = blockOf((uintptr_t)memory);
    pinned = block != nullptr;
    if (!memory) return (CUresult)wrong(function, CUDA_ERROR_INVALID_VALUE, "the host's address is NULL");
    if (!block) return CUDA_SUCCESS;
    if (!block->onHost) return (CUresult)wrong(function, CUDA_ERROR_INVALID_VALUE, "the host's address %p is memory of the device", memory);
    if (block->freed) return (CUresult)wrong(function, CUDA_ERROR_INVALID_VALUE, "pinned memory at %p has been freed", memory);
    if (bytes > block->bytes - ((uintptr_t)memory - block->address)) {
        return (CUresult)wrong(function, CUDA_ERROR_INVALID_VALUE, "%zu bytes reach past a pinned block of %zu bytes", bytes, block->bytes);
    }
    return CUDA_SUCCESS;
}

CUresult requirePinned(const char *function, CUstream stream, bool pinned) {
    if (pinned || !isCapturing(stream)) return CUDA_SUCCESS;
    CUresult error = requireNoCapture(function);
    return error ? error : (CUresult)refused(function, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "a copy of pageable memory");
}

}  // namespace

API CUresult CUDAAPI cuMemcpyHtoDAsync(CUdeviceptr destination, const void *source, size_t bytes, CUstream stream) {
    REQUIRE_CONTEXT;
    if (bytes == 0) return CUDA_SUCCESS;
    bool pinned;
    CUresult error = findHost(__func__, source, bytes, pinned);
    if (!error) error = (CUresult)requireRange(__func__, CUDA_ERROR_INVALID_VALUE, "the destination", (void *)destination, bytes, 1);
    if (!error) error = requirePinned(__func__, stream, pinned);
    if (error) return error;
    Operation operation;
    operation.kind = "copy to device";
    operation.name = operation.kind + (pinned ? " pinned " : " pageable ") + std::to_string(bytes);
    operation.addresses = {destination};
    if (pinned || chip().readsHostPages) {
        operation.hostSource = source;
        operation.hostBytes = bytes;
        operation.run = [=] { memcpy((void *)destination, source, bytes); };
    } else {
        auto staged = std::make_shared<std::vector<char>>((const char *)source, (const char *)source + bytes);
        operation.run = [=] { memcpy((void *)destination, staged->data(), bytes); };
    }
    return enqueue(__func__, stream, std::move(operation));
}

API CUresult CUDAAPI cuMemcpyDtoHAsync(void *destination, CUdeviceptr source, size_t bytes, CUstream stream) {
    REQUIRE_CONTEXT;
    if (bytes == 0) return CUDA_SUCCESS;
    bool pinned;
    CUresult error = findHost(__func__, destination, bytes, pinned);
    if (!error) error = (CUresult)requireRange(__func__, CUDA_ERROR_INVALID_VALUE, "the source", (void *)source, bytes, 1);
    if (!error) error = requirePinned(__func__, stream, pinned);
    if (error) return error;
    Operation operation;
    operation.kind = "copy to host";
    operation.name = operation.kind + (pinned ? " pinned " : " pageable ") + std::to_string(bytes);
    operation.addresses = {source};
    operation.hostDestination = destination;
    operation.hostBytes = bytes;
    operation.run = [=] { memcpy(destination, (const void *)source, bytes); };
    if (chip().compileOnly) memset(destination, 0, bytes);
    error = enqueue(__func__, stream, std::move(operation));
    if (error || pinned || chip().readsHostPages) return error;
    // A copy into pageable memory is complete when the call returns.
    trace("wait copy to pageable memory");
    runAll(streamOf(__func__, stream, error));
    return error;
}

API CUresult CUDAAPI cuMemcpyDtoDAsync(CUdeviceptr destination, CUdeviceptr source, size_t bytes, CUstream stream) {
    REQUIRE_CONTEXT;
    if (bytes == 0) return CUDA_SUCCESS;
    if (int error = requireRange(__func__, CUDA_ERROR_INVALID_VALUE, "the destination", (void *)destination, bytes, 1)) return (CUresult)error;
    if (int error = requireRange(__func__, CUDA_ERROR_INVALID_VALUE, "the source", (void *)source, bytes, 1)) return (CUresult)error;
    if (destination < source + bytes && source < destination + bytes) return WRONG(CUDA_ERROR_INVALID_VALUE, "source and destination overlap");
    Operation operation;
    operation.kind = "copy on device";
    operation.name = operation.kind + " " + std::to_string(bytes);
    operation.addresses = {destination, source};
    operation.run = [=] { memcpy((void *)destination, (const void *)source, bytes); };
    return enqueue(__func__, stream, std::move(operation));
}

API CUresult CUDAAPI cuMemsetD8Async(CUdeviceptr destination, unsigned char value, size_t bytes, CUstream stream) {
    REQUIRE_CONTEXT;
    if (bytes == 0) return CUDA_SUCCESS;
    if (int error = requireRange(__func__, CUDA_ERROR_INVALID_VALUE, "the destination", (void *)destination, bytes, 1)) return (CUresult)error;
    Operation operation;
    operation.kind = "set";
    operation.name = operation.kind + " " + std::to_string(bytes);
    operation.addresses = {destination};
    operation.run = [=] { memset((void *)destination, value, bytes); };
    return enqueue(__func__, stream, std::move(operation));
}
