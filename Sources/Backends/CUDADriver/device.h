#pragma once
#include "libraries.h"
#include <pthread.h>

struct cud_device {
    int ordinal, capability, processors, shared_memory, registers, reads_host_pages;
    char name[256];
    void *context, *stream, *cublas, *cusolver;
    uint64_t cublas_workspace;
    // Of cuSOLVER: grows when needed; and one integer for its verdict, with pivots behind.
    uint64_t workspace, integers;
    size_t workspace_size, integers_size;
    // Guards what follows.
    pthread_mutex_t lock;
    cud_transfer *transfers;
};

// The context belongs to a thread, and callers may change theirs.
static inline int cud_enter(cud_device *d) { return cud_cuCtxSetCurrent(d->context); }

// In transfers.c; nothing may be under way any more.
void cud_free_transfers(cud_device *d);
