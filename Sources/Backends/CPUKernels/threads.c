#define _GNU_SOURCE
#include "internal.h"
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
// Threads sleep by the system call of Linux; elsewhere, and where CK_PORTABLE says so, by a condition variable.
#if defined(__linux__) && !defined(CK_PORTABLE)
#define USES_FUTEX 1
#include <linux/futex.h>
#include <sys/syscall.h>
#else
#define USES_FUTEX 0
#endif

// How long a waiting thread stays awake, in nanoseconds. The longest time is more than the gap between two jobs of
// one training step, so that nobody has to be woken within a step. A thread that finds that it has lost its processor
// while it waited gives it up at once, and the team stays awake for a shorter time: others need the processors. Each job
// then adds a little again.
enum { LONGEST_WAIT = 300000, SHORTEST_WAIT = 5000, ADDED_BY_JOB = 1000 };
// Between two readings of the clock there are so many pauses, of at most some 150 cycles each. If they seem to have
// taken as long as this, another thread ran in between.
enum { PAUSES = 16, INTERRUPTION = 50000 };

struct ck_team {
    int size;
    const struct ck_kernels *kernels;
    pthread_t *threads;
    // The job's number, the number of its pieces and the next piece to take, in one word,
    // so that a thread that wakes late can't take a piece of another job.
    _Atomic uint64_t ticket;
    _Atomic uint32_t generation;  // the job's number again, for futex
    _Atomic int32_t finished;     // completed pieces
    _Atomic int32_t sleepers;
    void (*body)(void *, int);
    void *context;
    _Atomic int32_t patience;  // how long threads stay awake at present
    _Atomic bool stop;
    _Atomic bool busy;  // at work for one caller
#if !USES_FUTEX
    pthread_mutex_t mutex;
    pthread_cond_t wake;
#endif
};

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

// The time that a thread has been waiting.
typedef struct {
    int64_t start, last;
} waiting;

// Pauses for a moment; returns false once the thread should sleep.
static bool stay_awake(ck_team *team, waiting *w) {
    for (int i = 0; i < PAUSES; i++) relax();
    const int64_t time = now(), gap = time - w->last;
    if (w->start == 0) w->start = time;
    else if (gap > INTERRUPTION) {
        atomic_store_explicit(&team->patience, SHORTEST_WAIT, memory_order_relaxed);
        return false;
    }
    w->last = time;
    return time - w->start < atomic_load_explicit(&team->patience, memory_order_relaxed);
}

enum { PIECE_BITS = 16, PIECE_MASK = (1 << PIECE_BITS) - 1 };

static uint64_t make_ticket(uint32_t generation, int pieces) {
    return (uint64_t)generation << 32 | (uint64_t)pieces << PIECE_BITS;
}

// Takes pieces of job `generation` until none is left. Any thread that is awake takes the
// next one, so a thread that has lost its processor delays only its current piece.
static void work(ck_team *team, uint32_t generation) {
    uint64_t ticket = atomic_load_explicit(&team->ticket, memory_order_acquire);
    for (;;) {
        const int piece = (int)(ticket & PIECE_MASK), pieces = (int)(ticket >> PIECE_BITS & PIECE_MASK);
        if ((uint32_t)(ticket >> 32) != generation || piece >= pieces) return;
        if (!atomic_compare_exchange_weak_explicit(
                &team->ticket, &ticket, ticket + 1, memory_order_acq_rel, memory_order_acquire)) {
            continue;
        }
        team->body(team->context, piece);
        atomic_fetch_add_explicit(&team->finished, 1, memory_order_release);
        ticket = atomic_load_explicit(&team->ticket, memory_order_acquire);
    }
}

// Sleeps while `generation` is the team's; it may return early.
static void sleep_during(ck_team *team, uint32_t generation) {
#if USES_FUTEX
    syscall(SYS_futex, &team->generation, FUTEX_WAIT_PRIVATE, generation, NULL, NULL, 0);
#else
    pthread_mutex_lock(&team->mutex);
    if (atomic_load(&team->generation) == generation) pthread_cond_wait(&team->wake, &team->mutex);
    pthread_mutex_unlock(&team->mutex);
#endif
}

static void wake_all(ck_team *team) {
#if USES_FUTEX
    syscall(SYS_futex, &team->generation, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
#else
    // With the lock, no thread is between its look at the generation and its sleep.
    pthread_mutex_lock(&team->mutex);
    pthread_cond_broadcast(&team->wake);
    pthread_mutex_unlock(&team->mutex);
#endif
}

static void *worker(void *argument) {
    ck_team *team = argument;
    uint32_t seen = 0;
    for (;;) {
        waiting w = {0, 0};
        while (atomic_load_explicit(&team->generation, memory_order_acquire) == seen) {
            if (stay_awake(team, &w)) continue;
            atomic_fetch_add(&team->sleepers, 1);
            sleep_during(team, seen);
            atomic_fetch_sub(&team->sleepers, 1);
        }
        seen = atomic_load_explicit(&team->generation, memory_order_acquire);
        if (atomic_load_explicit(&team->stop, memory_order_acquire)) return NULL;
        work(team, seen);
    }
}

static void publish(ck_team *team) {
    atomic_fetch_add(&team->generation, 1);
    if (atomic_load(&team->sleepers) > 0) wake_all(team);
}

ck_team *ck_team_create(int threads, ck_instruction_set set) {
    ck_team *team = calloc(1, sizeof *team);
    if (!team) return NULL;
    team->threads = calloc((size_t)threads, sizeof *team->threads);
    team->size = 1;
    team->patience = LONGEST_WAIT;
#if !USES_FUTEX
    pthread_mutex_init(&team->mutex, NULL);
    pthread_cond_init(&team->wake, NULL);
#endif
    team->kernels = ck_kernels_for(set);
    for (int i = 1; i < threads; i++) {
        if (pthread_create(&team->threads[i], NULL, worker, team) != 0) {
            ck_team_destroy(team);
            return NULL;
        }
        team->size = i + 1;
    }
    return team;
}

void ck_team_destroy(ck_team *team) {
    atomic_store_explicit(&team->stop, true, memory_order_release);
    publish(team);
    for (int i = 1; i < team->size; i++) pthread_join(team->threads[i], NULL);
#if !USES_FUTEX
    pthread_cond_destroy(&team->wake);
    pthread_mutex_destroy(&team->mutex);
#endif
    free(team->threads);
    free(team);
}

int ck_team_size(const ck_team *team) { return team->size; }
const struct ck_kernels *ck_team_kernels(const ck_team *team) { return team->kernels; }

void ck_parallel(ck_team *team, int pieces, void (*body)(void *, int), void *context) {
    if (team->size == 1 || pieces < 2 || pieces > PIECE_MASK
        || atomic_exchange_explicit(&team->busy, true, memory_order_acquire)) {
        for (int piece = 0; piece < pieces; piece++) body(context, piece);
        return;
    }
    team->body = body;
    team->context = context;
    atomic_store_explicit(&team->finished, 0, memory_order_relaxed);
    const uint32_t generation = atomic_load_explicit(&team->generation, memory_order_relaxed) + 1;
    atomic_store_explicit(&team->ticket, make_ticket(generation, pieces), memory_order_release);
    publish(team);
    work(team, generation);
    // All pieces have been taken; other threads may still be working on the last ones.
    waiting w = {0, 0};
    while (atomic_load_explicit(&team->finished, memory_order_acquire) < pieces) {
        if (stay_awake(team, &w)) continue;
        usleep(20);
        w.last = now();
    }
    const int32_t patience = atomic_load_explicit(&team->patience, memory_order_relaxed);
    if (patience < LONGEST_WAIT) {
        atomic_store_explicit(&team->patience, patience + ADDED_BY_JOB, memory_order_relaxed);
    }
    atomic_store_explicit(&team->busy, false, memory_order_release);
}
