// Errors that a correct program may get, which are returned as NVIDIA's codes.
#include "checks.h"

#include <cmath>

// A call that isn't allowed in a capture fails, and so does the capture's end.
static void refusedInCapture(const char *name, CUresult code, std::function<CUresult(Session &)> call) {
    right(name, [=] {
        Session s;
        s.beginCapture();
        REQUIRE(call(s) == code);
        CUgraph graph = (CUgraph)&s;
        REQUIRE(cuStreamEndCapture(s.stream, &graph) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED && !graph);
        // Afterwards calls succeed again.
        CUdeviceptr address = s.memory(64);
        OK(cuMemsetD8Async(address, 0, 64, s.stream));
        s.wait();
    });
}

void addRefusals() {
    right("no memory", [] {
        Session s;
        CUdeviceptr address;
        size_t available, total;
        s.memory(1 << 20);
        REQUIRE(cuMemAlloc(&address, (1 << 20) + 1) == CUDA_ERROR_OUT_OF_MEMORY);
        OK(cuMemGetInfo(&available, &total));
        REQUIRE(available == 1 << 20 && total == 2 << 20);
    }, "MEMORY=2M");
    right("no device", [] { REQUIRE(cuInit(0) == CUDA_ERROR_NO_DEVICE); }, "DEVICES=0");

    const auto unsupported = CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    refusedInCapture("an allocation in a capture", unsupported, [](Session &) {
        CUdeviceptr address;
        return cuMemAlloc(&address, 64);
    });
    refusedInCapture("pinned memory in a capture", unsupported, [](Session &) {
        void *memory;
        return cuMemHostAlloc(&memory, 64, 0);
    });
    refusedInCapture("a wait for the stream in its capture", unsupported, [](Session &s) { return cuStreamSynchronize(s.stream); });
    refusedInCapture("a module in a capture", unsupported, [](Session &) {
        CUmodule module;
        return cuModuleLoadData(&module, "image");
    });
    refusedInCapture("an event of a capture that is waited for", CUDA_ERROR_CAPTURED_EVENT, [](Session &s) {
        CUevent event = s.event();
        OK(cuEventRecord(event, s.stream));
        return cuEventSynchronize(event);
    });
    refusedInCapture("an event that is asked in a capture", unsupported, [](Session &s) { return cuEventQuery(s.event()); });
    refusedInCapture("the legacy stream in a capture", CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, [](Session &) { return cuStreamSynchronize(nullptr); });
    right("a free, a pageable copy and an event from outside in a capture", [] {
        Session s;
        CUdeviceptr address = s.memory(64);
        CUevent event = s.event();
        CUgraph graph;
        char host[64] = {0};
        OK(cuEventRecord(event, s.stream));
        std::function<CUresult()> calls[] = {
            [&] { return cuMemFree(address); }, [&] { return cuMemcpyHtoDAsync(address, host, 64, s.stream); },
            [&] { return cuMemcpyDtoHAsync(host, address, 64, s.stream); }, [&] { return cuStreamWaitEvent(s.stream, event, 0); }};
        for (auto &call : calls) {
            s.beginCapture();
            CUresult result = call();
            REQUIRE(result == CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED || result == CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
            REQUIRE(cuMemsetD8Async(address, 0, 64, s.stream) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
            REQUIRE(cuStreamEndCapture(s.stream, &graph) == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
        }
    });
    right("a stream that doesn't come back to its capture", [] {
        Session s;
        CUstream other;
        CUgraph graph;
        CUevent event = s.event();
        OK(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING));
        s.beginCapture();
        OK(cuEventRecord(event, s.stream));
        OK(cuStreamWaitEvent(other, event, 0));
        REQUIRE(cuStreamEndCapture(s.stream, &graph) == CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
    });

    right("options and architectures that NVRTC doesn't know", [] {
        nvrtcProgram program;
        OK(nvrtcCreateProgram(&program, "", "check.cu", 0, nullptr, nullptr));
        for (const char *option : {"--gpu-architecture=sm_70", "--gpu-architecture=gfx90", "--no-such-option"}) {
            REQUIRE(nvrtcCompileProgram(program, 1, &option) == NVRTC_ERROR_INVALID_OPTION);
            size_t size;
            OK(nvrtcGetProgramLogSize(program, &size));
            REQUIRE(size > 20);
        }
        int count = 0;
        OK(nvrtcGetNumSupportedArchs(&count));
        std::vector<int> numbers(count);
        OK(nvrtcGetSupportedArchs(numbers.data()));
        REQUIRE(numbers[0] == 75 && numbers[count - 1] == 121);
    });
    right("a kernel that doesn't compile", [] {
        openBuiltins();
        nvrtcProgram program;
        const char *text = "typedef struct { int x; } Arguments;\nKERNEL check(const Arguments a) { return nonsense; }\n";
        OK(nvrtcCreateProgram(&program, text, "check.cu", 0, nullptr, nullptr));
        REQUIRE(nvrtcCompileProgram(program, 0, nullptr) == NVRTC_ERROR_COMPILATION);
        size_t size;
        OK(nvrtcGetProgramLogSize(program, &size));
        std::string log(size, 0);
        OK(nvrtcGetProgramLog(program, &log[0]));
        REQUIRE(log.find("error") != std::string::npos && log.find("nonsense") != std::string::npos);
    });
    right("NVRTC whose builtins aren't open", [] {
        nvrtcProgram program;
        OK(nvrtcCreateProgram(&program, "", "check.cu", 0, nullptr, nullptr));
        REQUIRE(nvrtcCompileProgram(program, 0, nullptr) == NVRTC_ERROR_BUILTIN_OPERATION_FAILURE);
        size_t size;
        OK(nvrtcGetProgramLogSize(program, &size));
        std::string log(size, 0);
        OK(nvrtcGetProgramLog(program, &log[0]));
        REQUIRE(log.find("failed to open libnvrtc-builtins.so.13.0") != std::string::npos);
    });
    right("machine code of another generation, PTX that is too new", [] {
        Session s;
        CUmodule module;
        std::string text = "typedef struct { float *x; } Arguments;\nKERNEL check(const Arguments a) { a.x[0] = 1.0f; }\n";
        REQUIRE(cuModuleLoadData(&module, compile(text, "sm_80").data()) == CUDA_ERROR_NO_BINARY_FOR_GPU);
        REQUIRE(cuModuleLoadData(&module, compile(text, "sm_120").data()) == CUDA_ERROR_NO_BINARY_FOR_GPU);
        REQUIRE(cuModuleLoadData(&module, compile(text, "compute_120").data()) == CUDA_ERROR_INVALID_PTX);
        OK(cuModuleLoadData(&module, compile(text, "compute_80").data()));
    });
    right("PTX that the driver is too old for", [] {
        Session s;
        CUmodule module;
        std::string text = "typedef struct { float *x; } Arguments;\nKERNEL check(const Arguments a) { a.x[0] = 1.0f; }\n";
        REQUIRE(cuModuleLoadData(&module, compile(text, "compute_80").data()) == CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
    }, "DRIVER=12080");
}
