#pragma once
#include "constants.h"
#include "libraries.h"
#include <pthread.h>

// A copy from the ring that may be under way: where it ends, and what says that it has been made.
struct cud_ring_copy { uint64_t end; void *made; };
enum { CUD_RING_COPIES = 64 };

// Pinned memory that uploads go through, used in turn; positions count on for ever.
struct cud_ring {
    char *memory;
    uint64_t head, tail;
    struct cud_ring_copy copies[CUD_RING_COPIES];
    unsigned first, count;
};

struct cud_device {
    int ordinal, capability, processors, shared_memory, registers, starts_cooperatively;
    char name[256];
    void *context, *stream, *cublas, *cusolver;
    uint64_t cublas_workspace;
    // Of cuSOLVER: grows when needed; and one integer for its verdict, with pivots behind.
    uint64_t workspace, integers;
    size_t workspace_size, integers_size;
    // Held through each call, and by the thread that records until it has done so: calls
    // of other threads must not end up in its recording.
    pthread_mutex_t lock;
    bool is_capturing;
    // The first call that couldn't be recorded.
    int capture_error;
    struct cud_ring ring;
    cud_transfer *transfers;
};

// Begins a call: the context belongs to a thread, and callers may change theirs. A call
// that has begun ends with cud_leave.
int cud_enter(cud_device *d);
// As cud_enter, for what can't be recorded.
int cud_enter_unrecorded(cud_device *d);
// Returns the error that it is given.
int cud_leave(cud_device *d, int error);

// In transfers.c. Nothing may be under way any more when they are freed.
int cud_set_up_transfers(cud_device *d);
void cud_free_transfers(cud_device *d);
// In products.c.
int cud_set_up_products(cud_device *d);
void cud_free_products(cud_device *d);
