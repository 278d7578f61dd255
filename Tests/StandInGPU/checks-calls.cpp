// Wrong calls of memory, streams, events, graphs and contexts.
#include "checks.h"

#include <thread>

void addWrongCalls() {
    wrong("a call before cuInit", "cuInit hasn't been called", [] {
        CUdeviceptr address;
        cuMemAlloc(&address, 100);
    });
    wrong("a thread without a current context", "no current context", [] {
        Session s;
        std::thread([] {
            CUdeviceptr address;
            cuMemAlloc(&address, 100);
        }).join();
    });
    wrong("a context that has been released", "current context has been destroyed", [] {
        Session s;
        OK(cuStreamDestroy(s.stream));
        OK(cuDevicePrimaryCtxRelease(0));
        CUdeviceptr address;
        cuMemAlloc(&address, 100);
    });
    wrong("a stream of another device's context", "belongs to another context", [] {
        Session s;
        Session t(1);
        cuStreamSynchronize(s.stream);
    }, "DEVICES=2");
    wrong("memory of another device's context", "memory of another context", [] {
        Session s;
        CUdeviceptr address = s.memory(100);
        Session t(1);
        cuMemsetD8Async(address, 0, 100, t.stream);
    }, "DEVICES=2");
    wrong("a device that isn't there", "there is no device 1", [] {
        CUdevice device;
        OK(cuInit(0));
        cuDeviceGet(&device, 1);
    });

    wrong("memory freed twice", "has been freed before", [] {
        Session s;
        CUdeviceptr address = s.memory(100);
        OK(cuMemFree(address));
        cuMemFree(address);
    });
    wrong("a free of an address inside a block", "doesn't begin a block", [] {
        Session s;
        cuMemFree(s.memory(100) + 4);
    });
    wrong("an allocation of 0 bytes", "0 bytes", [] {
        Session s;
        CUdeviceptr address;
        cuMemAlloc(&address, 0);
    });
    wrong("a copy that reaches past its block", "reaches 4 bytes past its block", [] {
        Session s;
        float values[26] = {0};
        cuMemcpyHtoDAsync(s.memory(100), values, 104, s.stream);
    });
    wrong("a copy to memory that has been freed", "freed", [] {
        Session s;
        CUdeviceptr address = s.memory(100);
        OK(cuMemFree(address));
        cuMemcpyHtoDAsync(address, "host", 4, s.stream);
    });
    wrong("a download into memory of the device", "is memory of the device", [] {
        Session s;
        CUdeviceptr address = s.memory(100);
        cuMemcpyDtoHAsync((void *)address, s.memory(100), 4, s.stream);
    });
    wrong("a copy from nowhere", "host's address is NULL", [] {
        Session s;
        cuMemcpyHtoDAsync(s.memory(100), nullptr, 4, s.stream);
    });
    wrong("memory set past its block", "past its block", [] {
        Session s;
        cuMemsetD8Async(s.memory(100), 0, 101, s.stream);
    });
    wrong("pinned memory written over before the device has read it", "changed before the device had read its 64 bytes", [] {
        Session s;
        char *source = s.pinned(64);
        memset(source, 1, 64);
        OK(cuMemcpyHtoDAsync(s.memory(64), source, 64, s.stream));
        source[63] = 2;
        s.wait();
    });
    wrong("pageable memory written over where the device reads it by itself", "changed before the device had read", [] {
        Session s;
        char source[64] = {0};
        OK(cuMemcpyHtoDAsync(s.memory(64), source, 64, s.stream));
        source[0] = 1;
        s.wait();
    }, "HOST_PAGES=1");
    wrong("a download into pinned memory that an upload still reads", "changed before the device had read", [] {
        Session s;
        char *memory = s.pinned(64);
        memset(memory, 1, 64);
        CUdeviceptr address = s.memory(64);
        OK(cuMemcpyHtoDAsync(address, memory, 64, s.stream));
        OK(cuMemcpyDtoHAsync(memory, address, 64, s.stream));
        s.wait();
    });
    wrong("pinned memory freed while a copy waits", "while a copy from or to it is still to be made", [] {
        Session s;
        char *memory = s.pinned(64);
        OK(cuMemcpyDtoHAsync(memory, s.memory(64), 64, s.stream));
        cuMemFreeHost(memory);
    });
    wrong("a copy past pinned memory", "reach past a pinned block", [] {
        Session s;
        cuMemcpyDtoHAsync(s.pinned(60), s.memory(64), 64, s.stream);
    });
    wrong("pinned memory freed as the device's", "doesn't begin a block of the device", [] {
        Session s;
        cuMemFree((CUdeviceptr)s.pinned(64));
    });

    wrong("a stream that has been destroyed", "the stream has been destroyed", [] {
        Session s;
        OK(cuStreamDestroy(s.stream));
        cuStreamSynchronize(s.stream);
    });
    wrong("a stream that was never created", "the stream was never created", [] {
        Session s;
        cuStreamSynchronize((CUstream)s.context);
    });
    wrong("the legacy stream", "the legacy stream", [] {
        Session s;
        cuMemsetD8Async(s.memory(4), 0, 4, nullptr);
    });
    wrong("an event that has been destroyed", "the event has been destroyed", [] {
        Session s;
        CUevent event = s.event();
        OK(cuEventDestroy(event));
        cuEventRecord(event, s.stream);
    });
    wrong("a graph that has been destroyed", "the executable graph has been destroyed", [] {
        Session s;
        s.beginCapture();
        CUgraphExec graph = s.endCapture();
        OK(cuGraphExecDestroy(graph));
        cuGraphLaunch(graph, s.stream);
    });
    wrong("a graph whose memory has been freed", "uses memory that has been freed", [] {
        Session s;
        CUdeviceptr address = s.memory(64);
        s.beginCapture();
        OK(cuMemsetD8Async(address, 0, 64, s.stream));
        CUgraphExec graph = s.endCapture();
        OK(cuMemFree(address));
        cuGraphLaunch(graph, s.stream);
    });
    wrong("the end of a capture that never began", "isn't being captured", [] {
        Session s;
        CUgraph graph;
        cuStreamEndCapture(s.stream, &graph);
    });
    wrong("the end of a capture on another thread", "began on another thread", [] {
        Session s;
        s.beginCapture();
        std::thread([&] {
            CUgraph graph;
            OK(cuCtxSetCurrent(s.context));
            cuStreamEndCapture(s.stream, &graph);
        }).join();
    });

    wrong("memory that is left", "leak: 2 blocks of memory (300 bytes) weren't freed", [] {
        Session s;
        s.memory(100);
        s.memory(200);
        OK(cuStreamDestroy(s.stream));
        cuDevicePrimaryCtxRelease(0);
    });
    wrong("a stream and an event that are left", "leak: 1 streams and 1 events weren't destroyed", [] {
        Session s;
        s.event();
        cuDevicePrimaryCtxRelease(0);
    });
    wrong("a module that is left", "leak: 1 modules weren't unloaded", [] {
        Session s;
        Kernel kernel(filling);
        OK(cuStreamDestroy(s.stream));
        cuDevicePrimaryCtxRelease(0);
    });
    wrong("a graph that is left", "leak: 1 graphs weren't destroyed", [] {
        Session s;
        s.beginCapture();
        s.endCapture();
        OK(cuStreamDestroy(s.stream));
        cuDevicePrimaryCtxRelease(0);
    });
}
