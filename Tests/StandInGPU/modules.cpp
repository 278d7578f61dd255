// Modules. A module's image is a shared object for the host, made by NVRTC's stand-in, or
// the text that such an object is made from ("PTX").
#include "kernels.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <unistd.h>

namespace standin {

Handles<Kernel> &kernels = *new Handles<Kernel>();

namespace {

auto &modules = *new Handles<Module>();

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

// The first release of the driver that can translate a PTX version, such as 8.8.
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
        // Code for one generation runs only on that generation's later members.
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

}  // namespace

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
        bool complete = find(module->library, "emu_launch", found.launch) && find(module->library, "emu_launch_cooperative", found.launchTogether)
            && find(module->library, "emu_own_stacks", found.ownStacks)
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
