#pragma once
#include "constants.h"
#include "libraries.h"
#include <pthread.h>

// A copy from the ring that may be under way: the position of its end, and the event of its completion.
struct cud_ring_copy { uint64_t end; void *made; };
enum { CUD_RING_COPIES = 64 };

// A ring of pinned memory that uploads go through. Positions grow without bound.
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
    // cuSOLVER's workspace, which grows as needed; and one integer for its verdict, followed by pivots.
    uint64_t workspace, integers;
    size_t workspace_size, integers_size;
    // Held during each call, and by a recording thread until the recording ends: other
    // threads' calls must not become part of it.
    pthread_mutex_t lock;
    bool is_capturing;
    // The error of the first call that couldn't be recorded.
    int capture_error;
    struct cud_ring ring;
    cud_transfer *transfers;
};

// Begins a call: takes the lock and sets the context, since the current context belongs
// to a thread and callers may change threads. A call that has begun ends with cud_leave.
int cud_enter(cud_device *d);
// Like cud_enter, for calls that can't be recorded.
int cud_enter_unrecorded(cud_device *d);
// Ends a call; returns the error that it is given.
int cud_leave(cud_device *d, int error);

// In transfers.c. No copies may be under way when they are freed.
int cud_set_up_transfers(cud_device *d);
void cud_free_transfers(cud_device *d);
// In products.c.
int cud_set_up_products(cud_device *d);
void cud_free_products(cud_device *d);
