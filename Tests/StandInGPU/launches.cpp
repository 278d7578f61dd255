// Starting kernels, and running them.
#include "kernels.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

namespace standin {

namespace {

enum : size_t { STACK = 1 << 16, PAGE = 4096, MOST_SHARED = 256 << 10 };
const Kernel *running = nullptr;
struct sigaction previousActions[3];
const int faults[3] = {SIGSEGV, SIGBUS, SIGILL};

// Memory for 1024 stacks; and shared memory followed by a page that can't be accessed.
char *stacks() {
    static char *memory = (char *)mmap(nullptr, 1024 * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory;
}
char *sharedMemory(size_t bytes) {
    static char *end = [] {
        char *memory = (char *)mmap(nullptr, MOST_SHARED + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        mprotect(memory + MOST_SHARED, PAGE, PROT_NONE);
        return memory + MOST_SHARED;
    }();
    return end - (bytes + 15) / 16 * 16;
}

void onFault(int signal, siginfo_t *information, void *) {
    const Kernel *kernel = running;
    running = nullptr;
    for (int i = 0; i < 3; i++) sigaction(faults[i], &previousActions[i], nullptr);
    if (!kernel) return;
    uint32_t block, blockY, thread;
    kernel->place(&block, &blockY, &thread);
    uintptr_t address = (uintptr_t)information->si_addr;
    size_t shared = (size_t)(address - (uintptr_t)sharedMemory(0));
    std::string what = signal == SIGILL ? "an address isn't aligned, or an index lies outside its array"
                     : shared < PAGE    ? "shared memory is touched past its end"
                                        : "illegal access to " + describe(address);
    wrong(kernel->name.c_str(), CUDA_ERROR_ILLEGAL_ADDRESS, "%s, in block (%u, %u), thread %u", what.c_str(), block, blockY, thread);
    abort();
}

void run(const Kernel *kernel, const std::vector<char> &arguments, const unsigned grid[2], unsigned threads, unsigned shared, bool cooperative) {
    // The fault may be on a fiber's stack, so the handler has its own.
    static thread_local char *signalStack = nullptr;
    if (!signalStack) {
        signalStack = (char *)malloc(1 << 16);
        stack_t stack = {};
        stack.ss_sp = signalStack;
        stack.ss_size = 1 << 16;
        sigaltstack(&stack, nullptr);
    }
    struct sigaction action = {};
    action.sa_sigaction = onFault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    for (int i = 0; i < 3; i++) sigaction(faults[i], &action, &previousActions[i]);
    *kernel->ownStacks = stacks();
    *kernel->ownShared = sharedMemory(shared);
    running = kernel;
    int failed = (cooperative ? kernel->launchTogether : kernel->launch)(arguments.data(), grid[0], grid[1], threads, shared);
    running = nullptr;
    for (int i = 0; i < 3; i++) sigaction(faults[i], &previousActions[i], nullptr);
    static const char *const failures[] = {
        "a barrier that some threads don't reach, or one of all blocks in a launch that isn't cooperative",
        "shared memory is touched past its end", "static shared memory in a cooperative launch, which the stand-in can't emulate"};
    if (failed) wrong(kernel->name.c_str(), CUDA_ERROR_LAUNCH_FAILED, "%s", failures[failed - 1]);
    checkGuards(kernel->name.c_str());
}

CUresult launch(
    const char *function, CUfunction handle, const unsigned grid[3], const unsigned block[3], unsigned shared, CUstream stream,
    void **parameters, bool cooperative
) {
    CUresult error = CUDA_SUCCESS;
    Kernel *kernel = kernelOf(function, handle, error);
    if (!kernel || !streamOf(function, stream, error)) return error;
    auto fail = [&](CUresult code, const char *what) { return (CUresult)wrong(function, code, "%s: %s", kernel->name.c_str(), what); };
    for (int i = 0; i < 3; i++) if (!grid[i] || !block[i]) return fail(CUDA_ERROR_INVALID_VALUE, "a grid or a block of none");
    if (grid[0] > 0x7FFFFFFF || grid[1] > 65535 || grid[2] > 65535) return fail(CUDA_ERROR_INVALID_VALUE, "a grid that is too large");
    uint64_t threads = (uint64_t)block[0] * block[1] * block[2], warps = (threads + 31) / 32;
    if (threads > 1024 || block[2] > 64) return fail(CUDA_ERROR_INVALID_VALUE, "a block of more than 1024 threads");
    if (threads > (uint64_t)kernel->mostThreads) return fail(CUDA_ERROR_INVALID_VALUE, "a block of more threads than its launch bounds allow");
    if (warps * 32 * ((kernel->registers + 7) / 8 * 8) > (uint64_t)chip().registers) return fail(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "a block of more registers than there are");
    if (shared > (unsigned)kernel->dynamicShared) {
        return fail(CUDA_ERROR_INVALID_VALUE, kernel->asked ? "more dynamic shared memory than was asked for" : "more than 48 KiB of shared memory, which were not asked for");
    }
    if (kernel->argumentBytes > 4096) return fail(CUDA_ERROR_INVALID_VALUE, "more than 4 KiB of arguments");
    if (grid[2] != 1 || block[1] != 1 || block[2] != 1) return fail(CUDA_ERROR_NOT_SUPPORTED, "a shape that the stand-in can't emulate");
    if (!parameters || !parameters[0]) return fail(CUDA_ERROR_INVALID_VALUE, "no arguments");
    uint64_t together = std::min<uint64_t>({2048 / (warps * 32), (uint64_t)(chip().sharedMemory + 1024) / (shared + kernel->staticShared + 1024),
        (uint64_t)chip().registers / (warps * 32 * ((kernel->registers + 7) / 8 * 8))});
    if (cooperative && (uint64_t)grid[0] * grid[1] > together * chip().processors) {
        return fail(CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE, "more blocks than run at once");
    }
    // Copies as many bytes as the kernel takes, at once, as the driver does.
    std::vector<char> arguments;
    if (!chip().compileOnly) arguments.assign((char *)parameters[0], (char *)parameters[0] + kernel->argumentBytes);
    Operation operation;
    char name[256];
    snprintf(name, sizeof name, "launch%s %s grid %u %u block %u shared %u", cooperative ? " cooperative" : "", kernel->name.c_str(), grid[0], grid[1], block[0], shared);
    operation.name = name;
    operation.kind = "kernel";
    operation.addresses = addressesIn(arguments.data(), arguments.size());
    for (uintptr_t address : operation.addresses) {
        if (blockOf(address)->freed) return fail(CUDA_ERROR_ILLEGAL_ADDRESS, "an argument points to memory that has been freed");
    }
    operation.obstacle = [kernel] { return kernels.live.count(kernel) ? nullptr : "its module has been unloaded"; };
    unsigned width = grid[0], height = grid[1], size = block[0];
    operation.run = [=] {
        unsigned shape[2] = {width, height};
        run(kernel, arguments, shape, size, shared, cooperative);
    };
    return enqueue(function, stream, std::move(operation));
}

}  // namespace

}  // namespace standin

using namespace standin;

API CUresult CUDAAPI cuLaunchKernel(
    CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ,
    unsigned shared, CUstream stream, void **parameters, void **extra
) {
    ONE_AT_A_TIME;
    if (extra) return WRONG(CUDA_ERROR_INVALID_VALUE, "the stand-in takes arguments one by one only");
    const unsigned grid[] = {gridX, gridY, gridZ}, block[] = {blockX, blockY, blockZ};
    return launch(__func__, function, grid, block, shared, stream, parameters, false);
}

API CUresult CUDAAPI cuLaunchCooperativeKernel(
    CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ,
    unsigned shared, CUstream stream, void **parameters
) {
    ONE_AT_A_TIME;
    const unsigned grid[] = {gridX, gridY, gridZ}, block[] = {blockX, blockY, blockZ};
    return launch(__func__, function, grid, block, shared, stream, parameters, true);
}
