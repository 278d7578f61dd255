// Correct and deliberately wrong calls of the stand-in's functions. Each check runs in its
// own process, since a wrong call ends it.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cublas_v2.h>
#include <cuda.h>
#include <cusolverDn.h>
#include <functional>
#include <nvrtc.h>
#include <string>
#include <vector>

struct Check {
    std::string name;
    // What the stand-in must complain of; empty for a correct program.
    std::string complaint;
    std::function<void()> body;
    // STANDIN_ variables, such as "MEMORY=1M DEVICES=2".
    std::string machine;
};

inline std::vector<Check> &allChecks() {
    static std::vector<Check> checks;
    return checks;
}
void addWrongCalls();
void addWrongLaunches();
void addWrongProducts();
void addRefusals();
void addRightCalls();

inline void wrong(const char *name, const char *complaint, std::function<void()> body, const char *machine = "") {
    allChecks().push_back({name, complaint, body, machine});
}
inline void right(const char *name, std::function<void()> body, const char *machine = "") { allChecks().push_back({name, "", body, machine}); }

#define REQUIRE(condition) \
    if (!(condition)) { \
        fprintf(stderr, "%s:%d: %s doesn't hold\n", __FILE__, __LINE__, #condition); \
        _Exit(1); \
    }
// Requires that the call succeeds.
#define OK(call) REQUIRE((int)(call) == 0)

// A context and a stream, by default of the first device.
struct Session {
    CUcontext context = nullptr;
    CUstream stream = nullptr;
    Session(int device = 0) {
        OK(cuInit(0));
        OK(cuDevicePrimaryCtxRetain(&context, device));
        OK(cuCtxSetCurrent(context));
        OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    }
    CUdeviceptr memory(size_t bytes) {
        CUdeviceptr address = 0;
        OK(cuMemAlloc(&address, bytes));
        return address;
    }
    char *pinned(size_t bytes) {
        void *memory = nullptr;
        OK(cuMemHostAlloc(&memory, bytes, 0));
        return (char *)memory;
    }
    CUevent event() {
        CUevent event = nullptr;
        OK(cuEventCreate(&event, CU_EVENT_DISABLE_TIMING));
        return event;
    }
    void wait() { OK(cuStreamSynchronize(stream)); }
    std::vector<float> floats(CUdeviceptr address, size_t count) {
        std::vector<float> result(count);
        OK(cuMemcpyDtoHAsync(result.data(), address, 4 * count, stream));
        return result;
    }
    void set(CUdeviceptr address, const std::vector<float> &values) { OK(cuMemcpyHtoDAsync(address, values.data(), 4 * values.size(), stream)); }
    void beginCapture() { OK(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)); }
    CUgraphExec endCapture() {
        CUgraph graph = nullptr;
        CUgraphExec executable = nullptr;
        OK(cuStreamEndCapture(stream, &graph));
        OK(cuGraphInstantiate(&executable, graph, 0));
        OK(cuGraphDestroy(graph));
        return executable;
    }
};

// Opens the built-ins library, which NVRTC's stand-in looks for by name.
void openBuiltins();
// Compiles to machine code, or to PTX for a virtual architecture.
std::string compile(const std::string &text, const char *architecture = "sm_90");

// A kernel whose argument is { float *data; uint32 count; float value; }.
struct Arguments {
    CUdeviceptr data;
    unsigned count;
    float value;
};
struct Kernel {
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    Kernel(const char *body, const char *bounds = "", const char *before = "");
    CUresult start(Session &session, Arguments arguments, unsigned blocks = 1, unsigned threads = 32, unsigned shared = 0) {
        void *parameters[] = {&arguments};
        return cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, shared, session.stream, parameters, nullptr);
    }
};
// A kernel's body: data[i] = value for all i < count.
extern const char *const filling;
