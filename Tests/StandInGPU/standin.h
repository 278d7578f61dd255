// What the stand-in's libraries have in common. It is compiled against NVIDIA's own
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

// Seen from outside: NVIDIA's functions, and what the stand-in's other libraries use.
#define API extern "C" __attribute__((visibility("default")))
#define SHARED_API __attribute__((visibility("default")))

namespace standin {

// MARK: What is wrong (report.cpp)

// A wrong call: says so and ends the program, unless STANDIN_VIOLATIONS=return; then
// `code` is what the caller gets.
SHARED_API int wrong(const char *function, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
// An error that a right program may get: counted and returned.
SHARED_API int refused(const char *function, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
// What a released context took with it.
void leak(const char *format, ...) __attribute__((format(printf, 1, 2)));
// One line in STANDIN_TRACE's file.
SHARED_API void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define WRONG(code, ...) static_cast<decltype(code)>(standin::wrong(__func__, code, __VA_ARGS__))
#define REFUSED(code, ...) static_cast<decltype(code)>(standin::refused(__func__, code, __VA_ARGS__))

// MARK: The machine (device.cpp)

struct Chip {
    int devices, capability, processors, sharedMemory, registers, driver, readsHostPages;
    size_t memory;
    // How much may wait in a stream before the device works on it by itself.
    size_t lag;
    // Nothing is run: kernels are only compiled and loaded.
    bool compileOnly;
};
SHARED_API const Chip &chip();

struct Context {
    int device;
    int uses = 0;
    bool destroyed = false;
};
// Of the calling thread.
SHARED_API Context *current();
// One call at a time.
SHARED_API std::recursive_mutex &lock();
#define ONE_AT_A_TIME std::lock_guard<std::recursive_mutex> guard(standin::lock())

// 0 if the calling thread has a context.
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
// The block that holds an address, living or dead; NULL if none does.
SHARED_API Block *blockOf(uintptr_t address);
// 0 if `bytes` from `address` on lie in one living block of the device, aligned.
SHARED_API int requireRange(const char *function, int code, const char *what, const void *address, size_t bytes, size_t alignment);
// Addresses of blocks among the words of some bytes.
std::vector<uintptr_t> addressesIn(const void *bytes, size_t count);
// Says whose guards have been written over.
void checkGuards(const char *after);
// Of a fault inside a kernel.
std::string describe(uintptr_t address);
void releaseMemory(Context *context);

// MARK: Streams (streams.cpp)

struct Graph;

struct Operation {
    // As the trace has it, and as "kernel", "copy".
    std::string name, kind;
    std::function<void()> run;
    // Device memory that has to live when it runs.
    std::vector<uintptr_t> addresses;
    // Host memory that the device reads or writes by itself, later.
    const void *hostSource = nullptr;
    void *hostDestination = nullptr;
    size_t hostBytes = 0;
    uint64_t check = 0;
    // Of a kernel: why it can't be run any more, or nothing.
    std::function<const char *()> obstacle;
};

struct Stream {
    Context *context;
    std::deque<Operation> queue;
    // How much has been put into it.
    size_t submitted = 0;
    // While it is captured; and how much had been captured when it was last joined to
    // the stream where the capture began.
    Graph *capture = nullptr;
    size_t joined = 0, captured = 0;
};

// The stream behind a handle, if it may be used now; NULL and an error otherwise.
SHARED_API Stream *streamOf(const char *function, CUstream handle, CUresult &error);
// Puts an operation into the stream, or into the graph that it is captured in.
SHARED_API CUresult enqueue(const char *function, CUstream stream, Operation operation);
// Runs all that waits in all streams.
SHARED_API void drain();
void runAll(Stream *stream);
void submit(Stream *stream, Operation operation);
// Whether something that waits will touch this host memory.
bool isPending(const void *address, size_t bytes);
void releaseStreams(Context *context);

// MARK: Capture (graphs.cpp)

// Fails, and invalidates captures, if this thread may not make an unsafe call now.
SHARED_API CUresult requireNoCapture(const char *function);
SHARED_API bool isCapturing(CUstream stream);
// The capture goes on only to be ended, with an error.
CUresult invalidate(const char *function, Graph *graph, CUresult code, const char *why);
CUresult addNode(const char *function, Stream *stream, Operation operation);
// Another stream goes into the capture, or comes back to the stream where it began.
CUresult joinCapture(const char *function, Stream *stream, Stream *recorded, Graph *graph, size_t position);
void releaseGraphs(Context *context);

// MARK: Modules (modules.cpp)

void releaseModules(Context *context);

// MARK: The compiler (compile.cpp)

struct Compilation {
    bool succeeded = false;
    std::string log, image;
};
// `architecture` in digits, as 90.
Compilation compileKernel(const std::string &text, int architecture, bool contracts);

std::string environment(const char *name, const char *otherwise);

// Handles that live, and those that did.
template <class Object> struct Handles {
    std::set<const void *> live, dead;
    Object *make() {
        Object *object = new Object();
        live.insert(object);
        return object;
    }
    Object *find(const void *handle) const { return live.count(handle) ? (Object *)handle : nullptr; }
    // Its memory stays, so that no other handle is ever equal to it.
    void destroy(const void *handle) {
        live.erase(handle);
        dead.insert(handle);
    }
    const char *fault(const void *handle) const {
        return !handle ? "is NULL" : dead.count(handle) ? "has been destroyed" : "was never created";
    }
};

}  // namespace standin
