// Modules and their kernels.
#pragma once
#include "standin.h"

namespace standin {

struct Module {
    Context *context;
    void *library = nullptr;
};

using Launch = int (*)(const void *, uint32_t, uint32_t, uint32_t, uint32_t);
struct Kernel {
    Module *module;
    std::string name;
    size_t argumentBytes = 8, staticShared = 0;
    // Static and dynamic shared memory have at most 48 KiB together, unless a launch may have more.
    int registers = 32, mostThreads = 1024, dynamicShared = 48 << 10;
    bool asked = false;
    // The launch, and the launch with all blocks at once.
    Launch launch = nullptr, launchTogether = nullptr;
    char **ownStacks = nullptr, **ownShared = nullptr;
    void (*place)(uint32_t *, uint32_t *, uint32_t *) = nullptr;
};

extern Handles<Kernel> &kernels;
// Returns the kernel of a handle if it may be used now, otherwise NULL and an error.
Kernel *kernelOf(const char *function, CUfunction handle, CUresult &error);

}  // namespace standin
