#include "device.h"
#include <stdlib.h>
#include <string.h>

// From cuda.h.
enum { EVENT_DISABLE_TIMING = 2, SMALLEST_TRANSFER = 4096 };

// Pinned memory of the host, which the device writes by itself, and an event that says
// when it has. Both are used again: a step allocates none.
struct cud_transfer {
    cud_transfer *next;
    void *memory, *done;
    size_t capacity;
};

static void destroy(cud_transfer *t) {
    if (t->done) cud_cuEventDestroy_v2(t->done);
    if (t->memory) cud_cuMemFreeHost(t->memory);
    free(t);
}

static int create(size_t bytes, cud_transfer **transfer) {
    cud_transfer *t = calloc(1, sizeof *t);
    for (t->capacity = SMALLEST_TRANSFER; t->capacity < bytes;) t->capacity *= 2;
    int error = cud_cuMemHostAlloc(&t->memory, t->capacity, 0);
    if (!error) error = cud_cuEventCreate(&t->done, EVENT_DISABLE_TIMING);
    if (error) {
        destroy(t);
        t = NULL;
    }
    *transfer = t;
    return error;
}

// A free one that is large enough, but not much larger.
static cud_transfer *take(cud_device *d, size_t bytes) {
    cud_transfer *found = NULL;
    pthread_mutex_lock(&d->lock);
    for (cud_transfer **t = &d->transfers; *t && !found; t = found ? t : &(*t)->next) {
        if ((*t)->capacity < bytes || ((*t)->capacity > SMALLEST_TRANSFER && (*t)->capacity / 2 >= bytes)) continue;
        found = *t;
        *t = found->next;
    }
    pthread_mutex_unlock(&d->lock);
    return found;
}

static void give_back(cud_device *d, cud_transfer *t) {
    pthread_mutex_lock(&d->lock);
    t->next = d->transfers;
    d->transfers = t;
    pthread_mutex_unlock(&d->lock);
}

void cud_free_transfers(cud_device *d) {
    while (d->transfers) {
        cud_transfer *next = d->transfers->next;
        destroy(d->transfers);
        d->transfers = next;
    }
}

int cud_start_download(cud_device *d, uint64_t address, size_t bytes, cud_transfer **transfer) {
    *transfer = NULL;
    int error = cud_enter(d);
    if (error) return error;
    cud_transfer *t = take(d, bytes);
    if (!t && (error = create(bytes, &t))) return error;
    error = cud_cuMemcpyDtoHAsync_v2(t->memory, address, bytes, d->stream);
    if (!error) error = cud_cuEventRecord(t->done, d->stream);
    if (error) {
        // The device may have begun to write.
        cud_cuStreamSynchronize(d->stream);
        give_back(d, t);
        return error;
    }
    *transfer = t;
    return 0;
}

int cud_finish_download(cud_device *d, cud_transfer *t, void *destination, size_t bytes) {
    int error = destination ? cud_enter(d) : 0;
    if (!error && destination) error = cud_cuEventSynchronize(t->done);
    if (!error && destination) memcpy(destination, t->memory, bytes);
    // Another copy into it waits its turn in the stream.
    give_back(d, t);
    return error;
}
