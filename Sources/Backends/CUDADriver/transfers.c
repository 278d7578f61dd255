#include "device.h"
#include <stdlib.h>
#include <string.h>

// The device reads and writes the host's memory on its own while the host goes on. It
// accesses only our pinned memory, each piece with an event that says when the copy is
// complete; all of the memory is reused, so that a step allocates none.

enum {
    // Large copies are divided into pieces, so that the host copies one while the device copies another.
    PIECE = 2 << 20,
    RING = 4 * PIECE,
    ALIGNMENT = 256,
    SMALLEST_TRANSFER = 4096,
};

int cud_set_up_transfers(cud_device *d) {
    int error = cud_cuMemHostAlloc((void **)&d->ring.memory, RING, 0);
    for (int i = 0; i < CUD_RING_COPIES && !error; i++) error = cud_cuEventCreate(&d->ring.copies[i].made, EVENT_DISABLE_TIMING);
    return error;
}

// Finds a place for `bytes` (at most a piece); waits for the oldest copies if the ring is full.
static int make_room(struct cud_ring *ring, size_t bytes, uint64_t *position) {
    uint64_t start = (ring->head + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    // A copy that doesn't fit before the end of the ring starts at its beginning.
    if (start % RING + bytes > RING) start = (start / RING + 1) * RING;
    while (ring->count == CUD_RING_COPIES || start + bytes - ring->tail > RING) {
        // With nothing under way the whole ring is free.
        if (ring->count == 0) {
            ring->tail = start;
            break;
        }
        struct cud_ring_copy *oldest = &ring->copies[ring->first];
        int error = cud_cuEventSynchronize(oldest->made);
        if (error) return error;
        ring->tail = oldest->end;
        ring->first = (ring->first + 1) % CUD_RING_COPIES;
        ring->count--;
    }
    *position = start;
    return 0;
}

static int upload_piece(cud_device *d, uint64_t address, const char *source, size_t bytes) {
    struct cud_ring *ring = &d->ring;
    uint64_t position;
    int error = make_room(ring, bytes, &position);
    if (error) return error;
    char *staged = ring->memory + position % RING;
    memcpy(staged, source, bytes);
    if ((error = cud_cuMemcpyHtoDAsync_v2(address, staged, bytes, d->stream))) return error;
    struct cud_ring_copy *copy = &ring->copies[(ring->first + ring->count) % CUD_RING_COPIES];
    if ((error = cud_cuEventRecord(copy->made, d->stream))) {
        // No event says when the memory has been read.
        cud_cuStreamSynchronize(d->stream);
        return error;
    }
    ring->head = copy->end = position + bytes;
    ring->count++;
    return 0;
}

int cud_upload(cud_device *d, uint64_t address, const void *source, size_t bytes) {
    int error = cud_enter_unrecorded(d);
    if (error) return error;
    for (size_t done = 0; done < bytes && !error; done += PIECE) {
        size_t piece = bytes - done < PIECE ? bytes - done : PIECE;
        error = upload_piece(d, address + done, (const char *)source + done, piece);
    }
    return cud_leave(d, error);
}

struct cud_transfer {
    cud_transfer *next;
    void *memory, *made;
    size_t capacity;
};

static void destroy(cud_transfer *t) {
    if (t->made) cud_cuEventDestroy_v2(t->made);
    if (t->memory) cud_cuMemFreeHost(t->memory);
    free(t);
}

static int create(size_t bytes, cud_transfer **transfer) {
    cud_transfer *t = calloc(1, sizeof *t);
    for (t->capacity = SMALLEST_TRANSFER; t->capacity < bytes;) t->capacity *= 2;
    int error = cud_cuMemHostAlloc(&t->memory, t->capacity, 0);
    if (!error) error = cud_cuEventCreate(&t->made, EVENT_DISABLE_TIMING);
    if (error) {
        destroy(t);
        t = NULL;
    }
    *transfer = t;
    return error;
}

// Takes a free transfer that is large enough, but not much larger, or else creates one.
static int take(cud_device *d, size_t bytes, cud_transfer **transfer) {
    for (cud_transfer **t = &d->transfers; *t; t = &(*t)->next) {
        size_t capacity = (*t)->capacity;
        if (capacity < bytes || (capacity > SMALLEST_TRANSFER && capacity / 2 >= bytes)) continue;
        *transfer = *t;
        *t = (*t)->next;
        return 0;
    }
    return create(bytes, transfer);
}

static void give_back(cud_device *d, cud_transfer *t) {
    t->next = d->transfers;
    d->transfers = t;
}

static int start(cud_device *d, uint64_t address, size_t bytes, cud_transfer **transfer) {
    int error = take(d, bytes, transfer);
    if (error) return error;
    error = cud_cuMemcpyDtoHAsync_v2((*transfer)->memory, address, bytes, d->stream);
    if (!error) error = cud_cuEventRecord((*transfer)->made, d->stream);
    if (error) {
        // The device may have begun to write.
        cud_cuStreamSynchronize(d->stream);
        give_back(d, *transfer);
        *transfer = NULL;
    }
    return error;
}

int cud_start_download(cud_device *d, uint64_t address, size_t bytes, cud_transfer **transfer) {
    *transfer = NULL;
    int error = cud_enter_unrecorded(d);
    return error ? error : cud_leave(d, start(d, address, bytes, transfer));
}

int cud_finish_download(cud_device *d, cud_transfer *t, void *destination, size_t bytes) {
    int error = 0;
    // Other threads may use the device in the meantime: the transfer belongs to the caller alone.
    if (destination && !(error = cud_enter_unrecorded(d))) {
        cud_leave(d, 0);
        error = cud_cuEventSynchronize(t->made);
        if (!error) memcpy(destination, t->memory, bytes);
    }
    pthread_mutex_lock(&d->lock);
    // The next copy into its memory waits its turn in the stream.
    give_back(d, t);
    pthread_mutex_unlock(&d->lock);
    return error;
}

int cud_download(cud_device *d, void *destination, uint64_t address, size_t bytes) {
    // The device copies the next piece while the host copies one.
    cud_transfer *next = NULL;
    size_t piece = bytes < PIECE ? bytes : PIECE;
    int error = cud_start_download(d, address, piece, &next);
    for (size_t done = 0; done < bytes && !error;) {
        cud_transfer *now = next;
        size_t size = piece;
        next = NULL;
        size_t after = done + size;
        piece = bytes - after < PIECE ? bytes - after : PIECE;
        if (after < bytes) error = cud_start_download(d, address + after, piece, &next);
        int failed = cud_finish_download(d, now, (char *)destination + done, size);
        if (!error) error = failed;
        done = after;
    }
    if (next) cud_finish_download(d, next, NULL, 0);
    return error;
}

void cud_free_transfers(cud_device *d) {
    for (int i = 0; i < CUD_RING_COPIES; i++) {
        if (d->ring.copies[i].made) cud_cuEventDestroy_v2(d->ring.copies[i].made);
    }
    if (d->ring.memory) cud_cuMemFreeHost(d->ring.memory);
    while (d->transfers) {
        cud_transfer *t = d->transfers;
        d->transfers = t->next;
        destroy(t);
    }
}
