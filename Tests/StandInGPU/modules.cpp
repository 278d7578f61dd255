// Modules, their kernels, and starting them. A module's image is a shared object for
// the host, which NVRTC's stand-in has made, or the text that it makes one of ("PTX").
#include "standin.h"

#include <algorithm>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

namespace standin {

namespace {

struct Module {
    Context *context;
    void *library = nullptr;
};
auto &modules = *new Handles<Module>();

using Launch = int (*)(const void *, uint32_t, uint32_t, uint32_t, uint32_t);
struct Kernel {
    Module *module;
    std::string name;
    size_t argumentBytes = 8, staticShared = 0;
    // Static and dynamic shared memory are 48 KiB together, unless a launch may have more.
    int registers = 32, mostThreads = 1024, dynamicShared = 48 << 10;
    bool asked = false;
    Launch launch = nullptr;
    char **ownStacks = nullptr, **ownShared = nullptr;
    void (*place)(uint32_t *, uint32_t *, uint32_t *) = nullptr;
};
auto &kernels = *new Handles<Kernel>();

// MARK: Running

enum : size_t { STACK = 1 << 16, PAGE = 4096, MOST_SHARED = 256 << 10 };
const Kernel *running = nullptr;
struct sigaction previousActions[3];
const int faults[3] = {SIGSEGV, SIGBUS, SIGILL};

// Pages for 1024 stacks; and shared memory that ends where its block can't be touched.
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

void run(const Kernel *kernel, const std::vector<char> &arguments, const unsigned grid[2], unsigned threads, unsigned shared) {
    // A fiber's stack may be the one that is broken.
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
    int failed = kernel->launch(arguments.data(), grid[0], grid[1], threads, shared);
    running = nullptr;
    for (int i = 0; i < 3; i++) sigaction(faults[i], &previousActions[i], nullptr);
    if (failed) wrong(kernel->name.c_str(), CUDA_ERROR_LAUNCH_FAILED, "a barrier that some threads of a block don't reach");
    checkGuards(kernel->name.c_str());
}

// MARK: Loading

size_t sizeOfELF(const void *image) {
    Elf64_Ehdr header;
    memcpy(&header, image, sizeof header);
    return header.e_shoff + (size_t)header.e_shentsize * header.e_shnum;
}

void *openLibrary(const std::string &image) {
    std::string path = environment("TMPDIR", "/tmp") + "/stand-in-XXXXXX";
    int file = mkstemp(&path[0]);
    if (file < 0) return nullptr;
    bool written = write(file, image.data(), image.size()) == (ssize_t)image.size();
    close(file);
    void *library = written ? dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
    unlink(path.c_str());
    return library;
}

// The release of the driver that can first translate a PTX version, as 8.8.
int releaseOfPTX(int major, int minor) { return major >= 9 ? 13000 + 10 * minor : 12000 + 10 * minor; }

CUresult load(const char *function, const void *image, Module *module) {
    const char *text = (const char *)image;
    if (memcmp(image, ELFMAG, SELFMAG) == 0) {
        if (((const Elf64_Ehdr *)image)->e_machine == EM_CUDA) {
            return chip().compileOnly ? CUDA_SUCCESS : (CUresult)wrong(function, CUDA_ERROR_INVALID_IMAGE, "machine code of a real GPU");
        }
        module->library = openLibrary(std::string(text, sizeOfELF(image)));
        if (!module->library) return (CUresult)wrong(function, CUDA_ERROR_INVALID_IMAGE, "an image that can't be opened");
        auto architecture = (const int *)dlsym(module->library, "standin_architecture");
        if (!architecture) return (CUresult)wrong(function, CUDA_ERROR_INVALID_IMAGE, "an image that isn't the stand-in's");
        // Code for one generation runs on its later members only.
        if (*architecture / 10 != chip().capability / 10 || *architecture > chip().capability) {
            return (CUresult)refused(function, CUDA_ERROR_NO_BINARY_FOR_GPU, "sm_%d on sm_%d", *architecture, chip().capability);
        }
        return CUDA_SUCCESS;
    }
    int major, minor, target;
    if (sscanf(text, " .version %d.%d\n.target sm_%d", &major, &minor, &target) != 3) {
        return (CUresult)wrong(function, CUDA_ERROR_INVALID_IMAGE, "an image that is neither machine code nor PTX");
    }
    trace("compile PTX for sm_%d", target);
    if (releaseOfPTX(major, minor) > chip().driver) return (CUresult)refused(function, CUDA_ERROR_UNSUPPORTED_PTX_VERSION, "PTX %d.%d", major, minor);
    if (target > chip().capability) return (CUresult)refused(function, CUDA_ERROR_INVALID_PTX, "PTX for sm_%d", target);
    if (chip().compileOnly) return CUDA_SUCCESS;
    const char *source = strstr(text, "\n//source\n");
    if (!source) return (CUresult)wrong(function, CUDA_ERROR_INVALID_PTX, "PTX that isn't the stand-in's");
    Compilation compilation = compileKernel(source + 10, chip().capability, false);
    if (!compilation.succeeded) return (CUresult)wrong(function, CUDA_ERROR_INVALID_PTX, "%s", compilation.log.c_str());
    module->library = openLibrary(compilation.image);
    return module->library ? CUDA_SUCCESS : (CUresult)wrong(function, CUDA_ERROR_INVALID_IMAGE, "an image that can't be opened");
}

template <class Type> bool find(void *library, const char *name, Type &symbol) { return (*(void **)&symbol = dlsym(library, name)); }

Kernel *kernelOf(const char *function, CUfunction handle, CUresult &error) {
    if ((error = ready(function))) return nullptr;
    Kernel *kernel = kernels.find(handle);
    if (!kernel) {
        error = (CUresult)wrong(function, CUDA_ERROR_INVALID_HANDLE, "the function %s", kernels.dead.count(handle) ? "belongs to a module that has been unloaded" : kernels.fault(handle));
    } else if (kernel->module->context != current()) {
        error = (CUresult)wrong(function, CUDA_ERROR_INVALID_HANDLE, "the function belongs to another context");
        kernel = nullptr;
    }
    return kernel;
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
    if (grid[2] != 1 || block[1] != 1 || block[2] != 1) return fail(CUDA_ERROR_NOT_SUPPORTED, "a shape that the stand-in can't emulate");
    if (!parameters || !parameters[0]) return fail(CUDA_ERROR_INVALID_VALUE, "no arguments");
    uint64_t together = std::min<uint64_t>({2048 / (warps * 32), (uint64_t)(chip().sharedMemory + 1024) / (shared + kernel->staticShared + 1024),
        (uint64_t)chip().registers / (warps * 32 * ((kernel->registers + 7) / 8 * 8))});
    if (cooperative && (uint64_t)grid[0] * grid[1] > together * chip().processors) {
        return fail(CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE, "more blocks than run at once");
    }
    // As the driver does, so many bytes as the kernel takes, now.
    std::vector<char> arguments;
    if (!chip().compileOnly) arguments.assign((char *)parameters[0], (char *)parameters[0] + kernel->argumentBytes);
    Operation operation;
    char name[256];
    snprintf(name, sizeof name, "launch %s grid %u %u block %u shared %u", kernel->name.c_str(), grid[0], grid[1], block[0], shared);
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
        run(kernel, arguments, shape, size, shared);
    };
    return enqueue(function, stream, std::move(operation));
}

}  // namespace

void releaseModules(Context *context) {
    size_t left = 0;
    for (auto handle : modules.live) left += ((Module *)handle)->context == context;
    if (left) leak("%zu modules weren't unloaded", left);
}

}  // namespace standin

using namespace standin;

API CUresult CUDAAPI cuModuleLoadData(CUmodule *result, const void *image) {
    REQUIRE_CONTEXT;
    if (CUresult error = requireNoCapture(__func__)) return error;
    if (!result || !image) return WRONG(CUDA_ERROR_INVALID_VALUE, "%s", result ? "no image" : "nowhere to write to");
    Module loaded = {current()};
    if (CUresult error = load(__func__, image, &loaded)) return error;
    Module *module = modules.make();
    *module = loaded;
    *result = (CUmodule)module;
    trace("load module");
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuModuleUnload(CUmodule handle) {
    REQUIRE_CONTEXT;
    if (CUresult error = requireNoCapture(__func__)) return error;
    Module *module = modules.find(handle);
    if (!module) return WRONG(CUDA_ERROR_INVALID_HANDLE, "the module %s", modules.fault(handle));
    drain();
    for (auto kernel : std::set<const void *>(kernels.live)) {
        if (((Kernel *)kernel)->module == module) kernels.destroy(kernel);
    }
    if (module->library) dlclose(module->library);
    modules.destroy(handle);
    trace("unload module");
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuModuleGetFunction(CUfunction *result, CUmodule handle, const char *name) {
    REQUIRE_CONTEXT;
    if (!result || !name) return WRONG(CUDA_ERROR_INVALID_VALUE, "%s", result ? "no name" : "nowhere to write to");
    Module *module = modules.find(handle);
    if (!module) return WRONG(CUDA_ERROR_INVALID_HANDLE, "the module %s", modules.fault(handle));
    for (auto known : kernels.live) {
        if (((Kernel *)known)->module == module && ((Kernel *)known)->name == name) {
            *result = (CUfunction)known;
            return CUDA_SUCCESS;
        }
    }
    Kernel found = {module, name};
    if (module->library) {
        const char *own = nullptr;
        if (!find(module->library, "standin_kernel", own) || found.name != own) {
            return WRONG(CUDA_ERROR_NOT_FOUND, "the module has no kernel %s", name);
        }
        size_t (*bytes)() = nullptr, (*staticShared)() = nullptr;
        const int *registers = nullptr, *mostThreads = nullptr;
        bool complete = find(module->library, "emu_launch", found.launch) && find(module->library, "emu_own_stacks", found.ownStacks)
            && find(module->library, "emu_own_shared", found.ownShared) && find(module->library, "emu_place", found.place)
            && find(module->library, "emu_argument_bytes", bytes) && find(module->library, "emu_static_shared_bytes", staticShared)
            && find(module->library, "standin_registers", registers) && find(module->library, "standin_most_threads", mostThreads);
        if (!complete) return WRONG(CUDA_ERROR_INVALID_IMAGE, "an image of another version of the stand-in");
        found.argumentBytes = bytes();
        found.staticShared = staticShared();
        found.dynamicShared -= (int)found.staticShared;
        found.registers = *registers;
        found.mostThreads = *mostThreads;
    }
    Kernel *kernel = kernels.make();
    *kernel = found;
    *result = (CUfunction)kernel;
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuFuncSetAttribute(CUfunction handle, CUfunction_attribute attribute, int value) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    Kernel *kernel = kernelOf(__func__, handle, error);
    if (!kernel) return error;
    if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) return WRONG(CUDA_ERROR_INVALID_VALUE, "the stand-in doesn't know attribute %d", (int)attribute);
    if (value < 0 || value + (int)kernel->staticShared > chip().sharedMemory) {
        return WRONG(CUDA_ERROR_INVALID_VALUE, "%s: %d bytes of shared memory, a block can have %d", kernel->name.c_str(), value, chip().sharedMemory);
    }
    kernel->dynamicShared = value;
    kernel->asked = true;
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuFuncGetAttribute(int *value, CUfunction_attribute attribute, CUfunction handle) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    Kernel *kernel = kernelOf(__func__, handle, error);
    if (!kernel) return error;
    if (!value) return WRONG(CUDA_ERROR_INVALID_VALUE, "nowhere to write to");
    switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK: *value = kernel->mostThreads; break;
    case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES: *value = (int)kernel->staticShared; break;
    case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES: *value = 0; break;
    case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES: *value = 0; break;
    case CU_FUNC_ATTRIBUTE_NUM_REGS: *value = kernel->registers; break;
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: *value = kernel->dynamicShared; break;
    default: return WRONG(CUDA_ERROR_INVALID_VALUE, "the stand-in doesn't know attribute %d", (int)attribute);
    }
    return CUDA_SUCCESS;
}

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
