// Declarations that the stand-in's libraries share. They are compiled against NVIDIA's
// headers, so that each function has the signature that programs call it with.
#pragma once
#include <cuda.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

// Exported symbols: NVIDIA's functions, and those that the stand-in's other libraries use.
#define API extern "C" __attribute__((visibility("default")))
#define SHARED_API __attribute__((visibility("default")))

namespace standin {

// MARK: Reports (report.cpp)

// Reports a wrong call and ends the program; with STANDIN_VIOLATIONS=return, it returns
// `code` for the caller instead.
SHARED_API int wrong(const char *function, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
// Counts and returns an error that a correct program may get.
SHARED_API int refused(const char *function, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
// Reports an object that a released context took with it.
void leak(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Writes a line into STANDIN_TRACE's file.
SHARED_API void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define WRONG(code, ...) static_cast<decltype(code)>(standin::wrong(__func__, code, __VA_ARGS__))
#define REFUSED(code, ...) static_cast<decltype(code)>(standin::refused(__func__, code, __VA_ARGS__))

// MARK: The machine (device.cpp)

struct Chip {
    int devices, capability, processors, sharedMemory, registers, driver, readsHostPages;
    size_t memory;
    // How many calls may wait in a stream before the device works on them by itself.
    size_t lag;
    // Whether kernels are only compiled and loaded, but not run.
    bool compileOnly;
};
SHARED_API const Chip &chip();

struct Context {
    int device;
    int uses = 0;
    bool destroyed = false;
};
// Returns the calling thread's context.
SHARED_API Context *current();
// Returns the lock that lets only one call run at a time.
SHARED_API std::recursive_mutex &lock();
#define ONE_AT_A_TIME std::lock_guard<std::recursive_mutex> guard(standin::lock())

// Returns 0 if the calling thread has a context.
SHARED_API CUresult ready(const char *function);
#define REQUIRE_CONTEXT \
    ONE_AT_A_TIME; \
    if (CUresult error = standin::ready(__func__)) return error

// MARK: Memory (memory.cpp)

struct Block {
    uintptr_t address;
    size_t bytes;
    Context *context;
    bool onHost, freed = false;
};
// Returns the block that contains an address, even if it has been freed, or NULL.
SHARED_API Block *blockOf(uintptr_t address);
// Returns 0 if `address` is aligned and `bytes` from there are in one block of the device that
// hasn't been freed.
SHARED_API int requireRange(const char *function, int code, const char *what, const void *address, size_t bytes, size_t alignment);
// Returns the addresses of blocks among the words of some bytes.
std::vector<uintptr_t> addressesIn(const void *bytes, size_t count);
// Reports blocks whose guards have been overwritten.
void checkGuards(const char *after);
// Describes the address of a fault inside a kernel.
std::string describe(uintptr_t address);
void releaseMemory(Context *context);

// MARK: Streams (streams.cpp)

struct Graph;

struct Operation {
    // The name in the trace, and the kind, such as "kernel" or "copy".
    std::string name, kind;
    std::function<void()> run;
    // Device memory that must not have been freed when the operation runs.
    std::vector<uintptr_t> addresses;
    // Host memory that the device reads or writes by itself later.
    const void *hostSource = nullptr;
    void *hostDestination = nullptr;
    size_t hostBytes = 0;
    uint64_t check = 0;
    // For a kernel, why it can no longer be run, or NULL.
    std::function<const char *()> obstacle;
};

struct Stream {
    Context *context;
    std::deque<Operation> queue;
    // The number of operations that have been put into the stream.
    size_t submitted = 0;
    // The current capture; how much had been captured when the stream was last joined to the
    // stream where the capture began; and how much has been captured.
    Graph *capture = nullptr;
    size_t joined = 0, captured = 0;
};

// Returns the stream of a handle if it may be used now, otherwise NULL and an error.
SHARED_API Stream *streamOf(const char *function, CUstream handle, CUresult &error);
// Puts an operation into the stream, or into the graph that it is captured in.
SHARED_API CUresult enqueue(const char *function, CUstream stream, Operation operation);
// Runs all pending work of all streams.
SHARED_API void drain();
void runAll(Stream *stream);
void submit(Stream *stream, Operation operation);
// Whether pending work will access this host memory.
bool isPending(const void *address, size_t bytes);
void releaseStreams(Context *context);

// MARK: Capture (graphs.cpp)

// Fails, and invalidates captures, if this thread may not make an unsafe call now.
SHARED_API CUresult requireNoCapture(const char *function);
SHARED_API bool isCapturing(CUstream stream);
// Invalidates a capture, which can then only be ended, with an error.
CUresult invalidate(const char *function, Graph *graph, CUresult code, const char *why);
CUresult addNode(const char *function, Stream *stream, Operation operation);
// Adds another stream to the capture, or joins it to the stream where the capture began.
CUresult joinCapture(const char *function, Stream *stream, Stream *recorded, Graph *graph, size_t position);
void releaseGraphs(Context *context);

// MARK: Modules (modules.cpp)

void releaseModules(Context *context);

// MARK: The compiler (compile.cpp)

struct Compilation {
    bool succeeded = false;
    std::string log, image;
};
// Compiles a kernel; `architecture` is a number such as 90.
Compilation compileKernel(const std::string &text, int architecture, bool contracts);

std::string environment(const char *name, const char *otherwise);

// Live handles, and handles that have been destroyed.
template <class Object> struct Handles {
    std::set<const void *> live, dead;
    Object *make() {
        Object *object = new Object();
        live.insert(object);
        return object;
    }
    Object *find(const void *handle) const { return live.count(handle) ? (Object *)handle : nullptr; }
    // The memory isn't freed, so that no other handle is ever equal to it.
    void destroy(const void *handle) {
        live.erase(handle);
        dead.insert(handle);
    }
    const char *fault(const void *handle) const {
        return !handle ? "is NULL" : dead.count(handle) ? "has been destroyed" : "was never created";
    }
};

}  // namespace standin
