// Wrong modules and launches, and kernels that go wrong.
#include "checks.h"

static void startWith(unsigned gridX, unsigned gridY, unsigned threads, unsigned shared, const char *bounds = "") {
    Session s;
    Kernel kernel(filling, bounds);
    Arguments arguments = {s.memory(64), 16, 1};
    void *parameters[] = {&arguments};
    cuLaunchKernel(kernel.function, gridX, gridY, 1, threads, 1, 1, shared, s.stream, parameters, nullptr);
}

// A mistake in a kernel shows when it runs.
static void runBody(const char *body, unsigned threads = 32, unsigned shared = 0, const char *before = "") {
    Session s;
    Kernel kernel(body, "", before);
    OK(kernel.start(s, {s.memory(64), 16, 1}, 1, threads, shared));
    s.wait();
}

void addWrongLaunches() {
    wrong("an image that is none", "neither machine code nor PTX", [] {
        Session s;
        CUmodule module;
        cuModuleLoadData(&module, "nothing that a driver knows");
    });
    wrong("a kernel that isn't in its module", "has no kernel other", [] {
        Session s;
        Kernel kernel(filling);
        cuModuleGetFunction(&kernel.function, kernel.module, "other");
    });
    wrong("a module unloaded twice", "the module has been destroyed", [] {
        Session s;
        Kernel kernel(filling);
        OK(cuModuleUnload(kernel.module));
        cuModuleUnload(kernel.module);
    });
    wrong("a kernel of a module that has been unloaded", "belongs to a module that has been unloaded", [] {
        Session s;
        Kernel kernel(filling);
        OK(cuModuleUnload(kernel.module));
        kernel.start(s, {s.memory(64), 16, 1});
    });
    wrong("a graph with a kernel of a module that has been unloaded", "its module has been unloaded", [] {
        Session s;
        Kernel kernel(filling);
        CUdeviceptr address = s.memory(64);
        s.beginCapture();
        OK(kernel.start(s, {address, 16, 1}));
        CUgraphExec graph = s.endCapture();
        OK(cuModuleUnload(kernel.module));
        cuGraphLaunch(graph, s.stream);
    });

    wrong("a block of 1025 threads", "more than 1024 threads", [] { startWith(1, 1, 1025, 0); });
    wrong("more threads than the launch bounds allow", "than its launch bounds allow", [] { startWith(1, 1, 512, 0, "AT_MOST(256)"); });
    wrong("more registers than there are", "more registers than there are", [] {
        startWith(1, 1, 256, 0, "AT_MOST(256)");
    }, "REGISTERS=32K");
    wrong("a grid of 65536 rows", "a grid that is too large", [] { startWith(1, 65536, 32, 0); });
    wrong("a grid of no blocks", "a grid or a block of none", [] { startWith(0, 1, 32, 0); });
    wrong("48 KiB and 4 bytes of shared memory that weren't asked for", "which were not asked for", [] { startWith(1, 1, 32, (48 << 10) + 4); });
    wrong("more shared memory than was asked for", "more dynamic shared memory than was asked for", [] {
        Session s;
        Kernel kernel(filling);
        OK(cuFuncSetAttribute(kernel.function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 64 << 10));
        kernel.start(s, {s.memory(64), 16, 1}, 1, 32, (64 << 10) + 4);
    });
    wrong("more shared memory than a block can have", "a block can have 232448", [] {
        Session s;
        Kernel kernel(filling);
        cuFuncSetAttribute(kernel.function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, (227 << 10) + 4);
    });
    wrong("static and dynamic shared memory of more than 48 KiB together", "which were not asked for", [] {
        Session s;
        Kernel kernel("SHARED float values[1024]; values[THREAD] = a.value; BARRIER(); a.data[THREAD % 16] = values[31u - THREAD];");
        kernel.start(s, {s.memory(64), 16, 1}, 1, 32, 45 << 10);
    });
    wrong("a launch without arguments", "no arguments", [] {
        Session s;
        Kernel kernel(filling);
        cuLaunchKernel(kernel.function, 1, 1, 1, 32, 1, 1, 0, s.stream, nullptr, nullptr);
    });
    wrong("more than 4 KiB of arguments", "more than 4 KiB of arguments", [] {
        Session s;
        CUmodule module;
        CUfunction function;
        char bytes[8192] = {0};
        void *parameters[] = {bytes};
        std::string text = "typedef struct { char bytes[4097]; } Arguments;\nKERNEL check(const Arguments a) {}\n";
        OK(cuModuleLoadData(&module, compile(text).data()));
        OK(cuModuleGetFunction(&function, module, "check"));
        cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, s.stream, parameters, nullptr);
    });
    wrong("an argument that points to memory that has been freed", "points to memory that has been freed", [] {
        Session s;
        Kernel kernel(filling);
        CUdeviceptr address = s.memory(64);
        OK(cuMemFree(address));
        kernel.start(s, {address, 16, 1});
    });
    wrong("a cooperative launch of more blocks than run at once", "more blocks than run at once", [] {
        Session s;
        Kernel kernel(filling);
        Arguments arguments = {s.memory(64), 16, 1};
        void *parameters[] = {&arguments};
        cuLaunchCooperativeKernel(kernel.function, 1000, 1, 1, 1024, 1, 1, 0, s.stream, parameters);
    });

    wrong("a kernel that writes past its block", "illegal access to byte 256 of a block of 256 bytes, in block (0, 0), thread 0", [] {
        Session s;
        Kernel kernel("if (THREAD == 0) a.data[a.count] = a.value;");
        OK(kernel.start(s, {s.memory(256), 64, 1}));
        s.wait();
    });
    wrong("a kernel that reads far past its block", "illegal access to byte 40000 of a block of 64 bytes", [] { runBody("if (THREAD == 0) a.data[0] = a.data[10000];"); });
    wrong("a kernel that writes just past a block of an odd size", "written past the block of 64 bytes", [] { runBody("if (THREAD == 0) a.data[16] = a.value;"); });
    wrong("a kernel that writes before its block", "written before the block of 64 bytes", [] { runBody("if (THREAD == 0) a.data[-1] = a.value;"); });
    wrong("a kernel that uses memory freed since", "has been freed", [] {
        Session s;
        // The address is hidden in the data that the kernel reads.
        Kernel kernel("if (THREAD == 0) **(float **)a.data = a.value;");
        CUdeviceptr hidden = s.memory(64), pointer = s.memory(8);
        OK(cuMemcpyHtoDAsync(pointer, &hidden, 8, s.stream));
        OK(cuMemFree(hidden));
        OK(kernel.start(s, {pointer, 1, 1}));
        s.wait();
    });
    wrong("an address that isn't aligned", "isn't aligned", [] {
        runBody("if (THREAD == 0) *(Four *)(a.data + 1) = *(Four *)a.data;", 32, 0,
            "typedef struct { float x, y, z, w; } __attribute__((aligned(16))) Four;");
    });
    wrong("an index outside of a shared array", "an index lies outside its array", [] {
        runBody("SHARED float values[16]; values[THREAD] = a.value; a.data[0] = values[0];");
    });
    wrong("dynamic shared memory past its end", "shared memory is touched past its end", [] {
        runBody("DYNAMIC_SHARED(float, memory); memory[THREAD] = a.value; a.data[0] = memory[0];", 32, 64);
    });
    wrong("a barrier of all blocks in an ordinary launch", "in a launch that isn't cooperative", [] { runBody("emu_grid_barrier(); a.data[0] = 1.0f; /* BARRIER */"); });
    wrong("a barrier that some threads don't reach", "a barrier that some threads don't reach", [] { runBody("if (THREAD < 16) BARRIER();"); });
}
