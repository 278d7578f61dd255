// Memory of the device and pinned memory of the host. Each block is between two pages
// that can't be accessed; a freed block can't be accessed either, and its addresses
// aren't reused. New memory holds 0xFF, which is NaN.
#include "standin.h"

#include <algorithm>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace standin {

namespace {

enum : size_t { ALIGNMENT = 256, PAGE = 4096, GAP = 64 << 10 };
enum : unsigned char { POISON = 0xFF, GUARD = 0xA5 };

// Never destroyed, because other threads may still be working when the program ends.
auto &blocks = *new std::map<uintptr_t, Block>();
size_t used = 0;

size_t roundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

struct Guards {
    unsigned char *before, *begin, *end, *after;
};
// The parts of the block's pages that don't belong to the block.
Guards guardsOf(const Block &block) {
    auto begin = (unsigned char *)block.address, end = begin + block.bytes;
    return {(unsigned char *)(block.address / PAGE * PAGE), begin, end, (unsigned char *)roundUp((size_t)end, PAGE)};
}

bool isIntact(const unsigned char *begin, const unsigned char *end) {
    return std::all_of(begin, end, [](unsigned char byte) { return byte == GUARD; });
}

uintptr_t take(size_t bytes, bool onHost) {
    size_t pages = roundUp(roundUp(bytes, ALIGNMENT), PAGE), whole = pages + 2 * GAP;
    void *mapping = mmap(nullptr, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) return 0;
    auto first = (unsigned char *)mapping + GAP;
    if (mprotect(first, pages, PROT_READ | PROT_WRITE) != 0) {
        munmap(mapping, whole);
        return 0;
    }
    Block block = {(uintptr_t)first + pages - roundUp(bytes, ALIGNMENT), bytes, current(), onHost};
    blocks[block.address] = block;
    if (!chip().compileOnly) {
        Guards guards = guardsOf(block);
        memset(guards.before, GUARD, guards.begin - guards.before);
        memset(guards.begin, POISON, bytes);
        memset(guards.end, GUARD, guards.after - guards.end);
    }
    return block.address;
}

void requireGuards(const char *function, const Block &block) {
    if (chip().compileOnly) return;
    Guards guards = guardsOf(block);
    if (!isIntact(guards.before, guards.begin)) {
        wrong(function, CUDA_ERROR_ILLEGAL_ADDRESS, "something was written before the block of %zu bytes at %#zx", block.bytes, (size_t)block.address);
    }
    if (!isIntact(guards.end, guards.after)) {
        wrong(function, CUDA_ERROR_ILLEGAL_ADDRESS, "something was written past the block of %zu bytes at %#zx", block.bytes, (size_t)block.address);
    }
}

void release(const char *function, Block &block) {
    requireGuards(function, block);
    block.freed = true;
    if (!block.onHost) used -= block.bytes;
    Guards guards = guardsOf(block);
    size_t pages = (size_t)(guards.after - guards.before);
    mprotect(guards.before, pages, PROT_NONE);
    madvise(guards.before, pages, MADV_DONTNEED);
}

}  // namespace

Block *blockOf(uintptr_t address) {
    auto next = blocks.upper_bound(address);
    if (next == blocks.begin()) return nullptr;
    Block &block = std::prev(next)->second;
    return address - block.address < std::max<size_t>(block.bytes, 1) ? &block : nullptr;
}

int requireRange(const char *function, int code, const char *what, const void *address, size_t bytes, size_t alignment) {
    Block *block = blockOf((uintptr_t)address);
    if (!address) return wrong(function, code, "%s is NULL", what);
    if (!block) return wrong(function, code, "%s (%p) is no memory of the device", what, address);
    if (block->freed) return wrong(function, code, "%s (%p) lies in memory that has been freed", what, address);
    if (block->context != current()) return wrong(function, code, "%s (%p) is memory of another context", what, address);
    size_t left = block->bytes - ((uintptr_t)address - block->address);
    if (bytes > left) return wrong(function, code, "%s reaches %zu bytes past its block of %zu bytes", what, bytes - left, block->bytes);
    if ((uintptr_t)address % alignment) return wrong(function, code, "%s (%p) isn't aligned to %zu bytes", what, address, alignment);
    return 0;
}

std::vector<uintptr_t> addressesIn(const void *bytes, size_t count) {
    std::vector<uintptr_t> found;
    for (size_t i = 0; i + sizeof(uintptr_t) <= count; i += sizeof(uintptr_t)) {
        uintptr_t word;
        memcpy(&word, (const char *)bytes + i, sizeof word);
        if (blockOf(word)) found.push_back(word);
    }
    return found;
}

void checkGuards(const char *after) {
    for (auto &entry : blocks) {
        // All other blocks end at the end of a page, and accesses before a block are rare.
        if (!entry.second.freed && entry.second.bytes % ALIGNMENT) requireGuards(after, entry.second);
    }
}

std::string describe(uintptr_t address) {
    char words[256];
    auto next = blocks.upper_bound(address);
    snprintf(words, sizeof words, "address %#zx", (size_t)address);
    if (next != blocks.begin()) {
        const Block &block = std::prev(next)->second;
        size_t offset = address - block.address;
        if (block.freed && offset < block.bytes) {
            snprintf(words, sizeof words, "byte %zu of a block of %zu bytes that has been freed", offset, block.bytes);
        } else if (offset < block.bytes + GAP) {
            snprintf(words, sizeof words, "byte %zu of a block of %zu bytes", offset, block.bytes);
        }
    }
    return words;
}

void releaseMemory(Context *context) {
    size_t left = 0, bytes = 0;
    for (auto &entry : blocks) {
        if (entry.second.context != context || entry.second.freed) continue;
        left++;
        bytes += entry.second.bytes;
    }
    if (left) leak("%zu blocks of memory (%zu bytes) weren't freed", left, bytes);
}

}  // namespace standin

using namespace standin;

API CUresult CUDAAPI cuMemGetInfo(size_t *available, size_t *total) {
    REQUIRE_CONTEXT;
    if (!available || !total) return WRONG(CUDA_ERROR_INVALID_VALUE, "nowhere to write to");
    *total = chip().memory;
    *available = chip().memory - used;
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuMemAlloc(CUdeviceptr *address, size_t bytes) {
    REQUIRE_CONTEXT;
    if (CUresult error = requireNoCapture(__func__)) return error;
    if (!address || bytes == 0) return WRONG(CUDA_ERROR_INVALID_VALUE, "%s", address ? "0 bytes" : "nowhere to write to");
    trace("allocate %zu", bytes);
    if (bytes > chip().memory - used) return REFUSED(CUDA_ERROR_OUT_OF_MEMORY, "%zu bytes, %zu are free", bytes, chip().memory - used);
    uintptr_t taken = take(bytes, false);
    if (!taken) return REFUSED(CUDA_ERROR_OUT_OF_MEMORY, "the host has no %zu bytes", bytes);
    used += bytes;
    *address = taken;
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuMemFree(CUdeviceptr address) {
    REQUIRE_CONTEXT;
    if (CUresult error = requireNoCapture(__func__)) return error;
    auto found = blocks.find(address);
    if (found == blocks.end() || found->second.onHost) return WRONG(CUDA_ERROR_INVALID_VALUE, "%#llx doesn't begin a block of the device", address);
    if (found->second.freed) return WRONG(CUDA_ERROR_INVALID_VALUE, "%#llx has been freed before", address);
    if (found->second.context != current()) return WRONG(CUDA_ERROR_INVALID_VALUE, "%#llx is memory of another context", address);
    trace("free %zu", found->second.bytes);
    // Waits for all work, as the driver does.
    drain();
    release(__func__, found->second);
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuMemHostAlloc(void **memory, size_t bytes, unsigned flags) {
    REQUIRE_CONTEXT;
    if (CUresult error = requireNoCapture(__func__)) return error;
    if (!memory || bytes == 0) return WRONG(CUDA_ERROR_INVALID_VALUE, "%s", memory ? "0 bytes" : "nowhere to write to");
    if (flags & ~(CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP | CU_MEMHOSTALLOC_WRITECOMBINED)) {
        return WRONG(CUDA_ERROR_INVALID_VALUE, "flags %#x", flags);
    }
    trace("allocate pinned %zu", bytes);
    *memory = (void *)take(bytes, true);
    return *memory ? CUDA_SUCCESS : REFUSED(CUDA_ERROR_OUT_OF_MEMORY, "the host has no %zu bytes", bytes);
}

API CUresult CUDAAPI cuMemFreeHost(void *memory) {
    REQUIRE_CONTEXT;
    if (CUresult error = requireNoCapture(__func__)) return error;
    auto found = blocks.find((uintptr_t)memory);
    if (found == blocks.end() || !found->second.onHost) return WRONG(CUDA_ERROR_INVALID_VALUE, "%p doesn't begin a pinned block", memory);
    if (found->second.freed) return WRONG(CUDA_ERROR_INVALID_VALUE, "%p has been freed before", memory);
    if (isPending(memory, found->second.bytes)) {
        return WRONG(CUDA_ERROR_INVALID_VALUE, "%p is freed while a copy from or to it is still to be made", memory);
    }
    trace("free pinned %zu", found->second.bytes);
    release(__func__, found->second);
    return CUDA_SUCCESS;
}
