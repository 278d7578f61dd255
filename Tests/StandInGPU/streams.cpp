// Streams and events. Work that is put into a stream stays there until something requires
// it: a synchronisation, an event, a free, or too much pending work. So a host that relies
// on work without waiting for it finds poison.
#include "standin.h"

#include <cstring>

namespace standin {

namespace {

auto &streams = *new Handles<Stream>();

// A recorded point in a stream.
struct Point {
    Stream *stream;
    size_t position;
    bool reached = false;
};
struct Event {
    Context *context;
    std::shared_ptr<Point> point;
    // For an event that was recorded in a capture.
    Graph *capture = nullptr;
    Stream *captured = nullptr;
    size_t position = 0;
};
auto &events = *new Handles<Event>();

uint64_t hash(const void *bytes, size_t count) {
    uint64_t sum = 0xCBF29CE484222325;
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        uint64_t word;
        memcpy(&word, (const char *)bytes + i, 8);
        sum = (sum ^ word) * 0x100000001B3;
        sum ^= sum >> 29;
    }
    for (; i < count; i++) sum = (sum ^ ((const unsigned char *)bytes)[i]) * 0x100000001B3;
    return sum;
}

void runOne(Stream *stream) {
    Operation operation = std::move(stream->queue.front());
    stream->queue.pop_front();
    if (operation.hostSource && hash(operation.hostSource, operation.hostBytes) != operation.check) {
        wrong(operation.name.c_str(), CUDA_ERROR_UNKNOWN,
            "host memory at %p changed before the device had read its %zu bytes: wait for an event before it is used again",
            operation.hostSource, operation.hostBytes);
    }
    if (!chip().compileOnly) operation.run();
}

void reach(Point &point) {
    while (!point.reached && !point.stream->queue.empty()) runOne(point.stream);
}

Event *eventOf(const char *function, CUevent handle, CUresult &error) {
    if ((error = ready(function))) return nullptr;
    Event *event = events.find(handle);
    if (!event) {
        error = (CUresult)wrong(function, CUDA_ERROR_INVALID_HANDLE, "the event %s", events.fault(handle));
    } else if (event->context != current()) {
        error = (CUresult)wrong(function, CUDA_ERROR_INVALID_HANDLE, "the event belongs to another context");
        event = nullptr;
    }
    return event;
}

}  // namespace

Stream *streamOf(const char *function, CUstream handle, CUresult &error) {
    if ((error = ready(function))) return nullptr;
    if (!handle) {
        for (auto other : streams.live) {
            Stream *stream = (Stream *)other;
            if (stream->capture) error = invalidate(function, stream->capture, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, "the legacy stream");
        }
        if (!error) error = (CUresult)wrong(function, CUDA_ERROR_INVALID_HANDLE, "the stream is NULL: the legacy stream, which all others wait for");
        return nullptr;
    }
    Stream *stream = streams.find(handle);
    if (!stream) {
        error = (CUresult)wrong(function, CUDA_ERROR_INVALID_HANDLE, "the stream %s", streams.fault(handle));
    } else if (stream->context != current()) {
        error = (CUresult)wrong(function, CUDA_ERROR_INVALID_HANDLE, "the stream belongs to another context");
        stream = nullptr;
    }
    return stream;
}

void submit(Stream *stream, Operation operation) {
    if (operation.hostSource) operation.check = hash(operation.hostSource, operation.hostBytes);
    if (operation.hostDestination && !chip().compileOnly) memset(operation.hostDestination, 0xFF, operation.hostBytes);
    stream->queue.push_back(std::move(operation));
    stream->submitted++;
    while (stream->queue.size() > chip().lag) runOne(stream);
}

CUresult enqueue(const char *function, CUstream handle, Operation operation) {
    CUresult error = CUDA_SUCCESS;
    Stream *stream = streamOf(function, handle, error);
    if (!stream) return error;
    if (stream->capture) return addNode(function, stream, std::move(operation));
    trace("%s", operation.name.c_str());
    submit(stream, std::move(operation));
    return CUDA_SUCCESS;
}

void runAll(Stream *stream) {
    while (!stream->queue.empty()) runOne(stream);
}

void drain() {
    for (auto handle : streams.live) runAll((Stream *)handle);
}

bool isPending(const void *address, size_t bytes) {
    auto begin = (uintptr_t)address, end = begin + bytes;
    for (auto handle : streams.live) {
        for (auto &operation : ((Stream *)handle)->queue) {
            auto source = (uintptr_t)operation.hostSource, destination = (uintptr_t)operation.hostDestination;
            if ((source >= begin && source < end) || (destination >= begin && destination < end)) return true;
        }
    }
    return false;
}

bool isCapturing(CUstream handle) {
    Stream *stream = streams.find(handle);
    return stream && stream->capture;
}

void releaseStreams(Context *context) {
    size_t left[2] = {0, 0};
    for (auto handle : streams.live) left[0] += ((Stream *)handle)->context == context;
    for (auto handle : events.live) left[1] += ((Event *)handle)->context == context;
    if (left[0] + left[1]) {
        leak("%zu streams and %zu events weren't destroyed", left[0], left[1]);
    }
}

}  // namespace standin

using namespace standin;

API CUresult CUDAAPI cuStreamCreate(CUstream *stream, unsigned flags) {
    REQUIRE_CONTEXT;
    if (!stream || flags > CU_STREAM_NON_BLOCKING) return WRONG(CUDA_ERROR_INVALID_VALUE, "flags %u", flags);
    Stream *made = streams.make();
    made->context = current();
    *stream = (CUstream)made;
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuStreamDestroy(CUstream handle) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    Stream *stream = streamOf(__func__, handle, error);
    if (!stream) return error;
    if (stream->capture) return WRONG(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the stream is being captured");
    runAll(stream);
    streams.destroy(handle);
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuStreamSynchronize(CUstream handle) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    Stream *stream = streamOf(__func__, handle, error);
    if (!stream) return error;
    if (stream->capture) return invalidate(__func__, stream->capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the stream is being captured");
    if ((error = requireNoCapture(__func__))) return error;
    trace("wait stream, %zu pending", stream->queue.size());
    runAll(stream);
    checkGuards(__func__);
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuStreamQuery(CUstream handle) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    Stream *stream = streamOf(__func__, handle, error);
    if (!stream) return error;
    if (stream->capture) return invalidate(__func__, stream->capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the stream is being captured");
    if ((error = requireNoCapture(__func__))) return error;
    trace("query stream, %zu pending", stream->queue.size());
    // Each query runs one operation, so that repeated queries come to an end.
    if (!stream->queue.empty()) runOne(stream);
    return stream->queue.empty() ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

API CUresult CUDAAPI cuEventCreate(CUevent *event, unsigned flags) {
    REQUIRE_CONTEXT;
    if (!event || flags & ~(CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING)) return WRONG(CUDA_ERROR_INVALID_VALUE, "flags %#x", flags);
    Event *made = events.make();
    made->context = current();
    *event = (CUevent)made;
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuEventDestroy(CUevent handle) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    if (!eventOf(__func__, handle, error)) return error;
    events.destroy(handle);
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuEventRecord(CUevent handle, CUstream streamHandle) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    Event *event = eventOf(__func__, handle, error);
    Stream *stream = event ? streamOf(__func__, streamHandle, error) : nullptr;
    if (!stream) return error;
    event->point = nullptr;
    event->capture = stream->capture;
    if (stream->capture) {
        event->captured = stream;
        event->position = stream->captured;
        return CUDA_SUCCESS;
    }
    auto point = std::make_shared<Point>(Point{stream, stream->submitted + 1});
    event->point = point;
    Operation operation;
    operation.name = operation.kind = "record event";
    operation.run = [point] { point->reached = true; };
    trace("record event");
    submit(stream, std::move(operation));
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuEventSynchronize(CUevent handle) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    Event *event = eventOf(__func__, handle, error);
    if (!event) return error;
    if (event->capture) return invalidate(__func__, event->capture, CUDA_ERROR_CAPTURED_EVENT, "the event was recorded in a capture");
    if ((error = requireNoCapture(__func__))) return error;
    if (!event->point || event->point->reached) {
        trace("wait event, reached");
    } else {
        // Records how much work the device has in the meantime.
        trace("wait event, %zu calls behind it", event->point->stream->submitted - event->point->position);
        reach(*event->point);
    }
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuEventQuery(CUevent handle) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    Event *event = eventOf(__func__, handle, error);
    if (!event) return error;
    if (event->capture) return invalidate(__func__, event->capture, CUDA_ERROR_CAPTURED_EVENT, "the event was recorded in a capture");
    if ((error = requireNoCapture(__func__))) return error;
    trace("query event");
    if (!event->point || event->point->reached) return CUDA_SUCCESS;
    if (!event->point->stream->queue.empty()) runOne(event->point->stream);
    return event->point->reached || chip().compileOnly ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

API CUresult CUDAAPI cuStreamWaitEvent(CUstream streamHandle, CUevent handle, unsigned flags) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    Event *event = eventOf(__func__, handle, error);
    Stream *stream = event ? streamOf(__func__, streamHandle, error) : nullptr;
    if (!stream) return error;
    if (flags) return WRONG(CUDA_ERROR_INVALID_VALUE, "flags %u", flags);
    if (event->capture) return joinCapture(__func__, stream, event->captured, event->capture, event->position);
    if (stream->capture) {
        return invalidate(__func__, stream->capture, CUDA_ERROR_STREAM_CAPTURE_ISOLATION, "the event was recorded outside of the capture");
    }
    if (!event->point) return CUDA_SUCCESS;
    Operation operation;
    operation.name = operation.kind = "stream waits for event";
    operation.run = [point = event->point] { reach(*point); };
    trace("stream waits for event");
    submit(stream, std::move(operation));
    return CUDA_SUCCESS;
}
