// Capture, and the graphs that result from it. Operations are kept in the order of the
// calls, with copies of their arguments.
#include "standin.h"

#include <algorithm>
#include <thread>

namespace standin {

struct Graph {
    Context *context;
    std::vector<Operation> nodes;
    // Used during capture.
    Stream *origin = nullptr;
    std::vector<Stream *> streams;
    CUstreamCaptureMode mode;
    std::thread::id thread;
    bool valid = true;
};

namespace {

struct Executable {
    Context *context;
    std::vector<Operation> nodes;
};
auto &graphs = *new Handles<Graph>();
auto &executables = *new Handles<Executable>();
auto &captures = *new std::set<Graph *>();

// Fails if a graph has nodes that can no longer be run.
CUresult requireRunnable(const char *function, const Executable &executable) {
    for (const Operation &node : executable.nodes) {
        for (uintptr_t address : node.addresses) {
            Block *block = blockOf(address);
            if (!block || block->freed) {
                return (CUresult)wrong(function, CUDA_ERROR_ILLEGAL_ADDRESS, "the graph's \"%s\" uses memory that has been freed", node.name.c_str());
            }
        }
        if (const char *obstacle = node.obstacle ? node.obstacle() : nullptr) {
            return (CUresult)wrong(function, CUDA_ERROR_INVALID_HANDLE, "the graph's \"%s\": %s", node.name.c_str(), obstacle);
        }
    }
    return CUDA_SUCCESS;
}

Executable *executableOf(const char *function, CUgraphExec handle, CUresult &error) {
    if ((error = ready(function))) return nullptr;
    Executable *executable = executables.find(handle);
    if (!executable) error = (CUresult)wrong(function, CUDA_ERROR_INVALID_HANDLE, "the executable graph %s", executables.fault(handle));
    return executable;
}

Graph *graphOf(const char *function, CUgraph handle, CUresult &error) {
    if ((error = ready(function))) return nullptr;
    Graph *graph = graphs.find(handle);
    if (!graph) error = (CUresult)wrong(function, CUDA_ERROR_INVALID_HANDLE, "the graph %s", graphs.fault(handle));
    return graph;
}

}  // namespace

CUresult invalidate(const char *function, Graph *graph, CUresult code, const char *why) {
    graph->valid = false;
    return (CUresult)refused(function, code, "%s", why);
}

CUresult requireNoCapture(const char *function) {
    for (Graph *graph : captures) {
        bool mine = graph->thread == std::this_thread::get_id();
        if (graph->mode == CU_STREAM_CAPTURE_MODE_GLOBAL || (graph->mode == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL && mine)) {
            return invalidate(function, graph, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "not while a stream is being captured");
        }
    }
    return CUDA_SUCCESS;
}

CUresult addNode(const char *function, Stream *stream, Operation operation) {
    Graph *graph = stream->capture;
    if (!graph->valid) return (CUresult)refused(function, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "the capture is invalid");
    trace("captured %s", operation.name.c_str());
    graph->nodes.push_back(std::move(operation));
    stream->captured++;
    return CUDA_SUCCESS;
}

CUresult joinCapture(const char *function, Stream *stream, Stream *recorded, Graph *graph, size_t position) {
    if (!captures.count(graph)) return (CUresult)refused(function, CUDA_ERROR_CAPTURED_EVENT, "the event's capture has ended");
    if (stream->capture && stream->capture != graph) {
        return invalidate(function, graph, CUDA_ERROR_STREAM_CAPTURE_MERGE, "the event belongs to another capture");
    }
    if (!stream->capture) {
        stream->capture = graph;
        stream->captured = stream->joined = 0;
        // The stream has to be joined again even if nothing is put into it.
        stream->captured++;
        graph->streams.push_back(stream);
    }
    if (stream == graph->origin) recorded->joined = std::max(recorded->joined, position);
    return CUDA_SUCCESS;
}

void releaseGraphs(Context *context) {
    size_t left = 0;
    for (auto handle : graphs.live) left += ((Graph *)handle)->context == context;
    for (auto handle : executables.live) left += ((Executable *)handle)->context == context;
    if (left) leak("%zu graphs weren't destroyed", left);
}

}  // namespace standin

using namespace standin;

API CUresult CUDAAPI cuStreamBeginCapture(CUstream handle, CUstreamCaptureMode mode) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    Stream *stream = streamOf(__func__, handle, error);
    if (!stream) return error;
    if (mode < CU_STREAM_CAPTURE_MODE_GLOBAL || mode > CU_STREAM_CAPTURE_MODE_RELAXED) return WRONG(CUDA_ERROR_INVALID_VALUE, "mode %d", (int)mode);
    if (stream->capture) return WRONG(CUDA_ERROR_ILLEGAL_STATE, "the stream is being captured already");
    Graph *graph = graphs.make();
    graph->context = current();
    graph->origin = stream;
    graph->mode = mode;
    graph->thread = std::this_thread::get_id();
    stream->capture = graph;
    stream->captured = stream->joined = 0;
    captures.insert(graph);
    trace("begin capture");
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuStreamEndCapture(CUstream handle, CUgraph *result) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    Stream *stream = streamOf(__func__, handle, error);
    if (!stream) return error;
    if (!result) return WRONG(CUDA_ERROR_INVALID_VALUE, "nowhere to write to");
    *result = nullptr;
    Graph *graph = stream->capture;
    if (!graph) return WRONG(CUDA_ERROR_ILLEGAL_STATE, "the stream isn't being captured");
    if (graph->origin != stream) return WRONG(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "the capture began in another stream");
    if (graph->mode != CU_STREAM_CAPTURE_MODE_RELAXED && graph->thread != std::this_thread::get_id()) {
        return WRONG(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "the capture began on another thread");
    }
    bool joined = true;
    for (Stream *other : graph->streams) {
        joined = joined && other->joined == other->captured;
        other->capture = nullptr;
    }
    stream->capture = nullptr;
    captures.erase(graph);
    trace("end capture, %zu nodes", graph->nodes.size());
    if (graph->valid && joined) {
        *result = (CUgraph)graph;
        return CUDA_SUCCESS;
    }
    graphs.destroy(graph);
    return graph->valid ? REFUSED(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "a stream hasn't come back")
                        : REFUSED(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "the capture is invalid");
}

API CUresult CUDAAPI cuGraphInstantiate(CUgraphExec *result, CUgraph handle, unsigned long long flags) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    Graph *graph = graphOf(__func__, handle, error);
    if (!graph) return error;
    if (!result) return WRONG(CUDA_ERROR_INVALID_VALUE, "nowhere to write to");
    if (flags) return WRONG(CUDA_ERROR_INVALID_VALUE, "flags %llu", flags);
    Executable *executable = executables.make();
    executable->context = graph->context;
    executable->nodes = graph->nodes;
    *result = (CUgraphExec)executable;
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuGraphExecUpdate(CUgraphExec target, CUgraph handle, CUgraphExecUpdateResultInfo *result) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    Executable *executable = executableOf(__func__, target, error);
    Graph *graph = executable ? graphOf(__func__, handle, error) : nullptr;
    if (!graph) return error;
    if (!result) return WRONG(CUDA_ERROR_INVALID_VALUE, "nowhere to write to");
    *result = {};
    bool same = executable->nodes.size() == graph->nodes.size();
    for (size_t i = 0; same && i < graph->nodes.size(); i++) same = executable->nodes[i].kind == graph->nodes[i].kind;
    if (!same) {
        result->result = CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED;
        return REFUSED(CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE, "the graphs have other nodes");
    }
    executable->nodes = graph->nodes;
    trace("update graph, %zu nodes", graph->nodes.size());
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuGraphDestroy(CUgraph handle) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    Graph *graph = graphOf(__func__, handle, error);
    if (!graph) return error;
    if (captures.count(graph)) return WRONG(CUDA_ERROR_INVALID_VALUE, "the graph is being captured");
    graphs.destroy(handle);
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuGraphExecDestroy(CUgraphExec handle) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    if (!executableOf(__func__, handle, error)) return error;
    executables.destroy(handle);
    return CUDA_SUCCESS;
}

API CUresult CUDAAPI cuGraphLaunch(CUgraphExec handle, CUstream streamHandle) {
    ONE_AT_A_TIME;
    CUresult error = CUDA_SUCCESS;
    Executable *executable = executableOf(__func__, handle, error);
    Stream *stream = executable ? streamOf(__func__, streamHandle, error) : nullptr;
    if (!stream) return error;
    if (executable->context != current()) return WRONG(CUDA_ERROR_INVALID_HANDLE, "the executable graph belongs to another context");
    if ((error = requireRunnable(__func__, *executable))) return error;
    if (!stream->capture) trace("graph, %zu nodes", executable->nodes.size());
    for (const Operation &node : executable->nodes) {
        if (!stream->capture) {
            submit(stream, node);
        } else if ((error = addNode(__func__, stream, node))) {
            return error;
        }
    }
    return CUDA_SUCCESS;
}
