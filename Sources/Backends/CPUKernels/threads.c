#define _GNU_SOURCE
#include "CPUKernels.h"
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

// How often a waiting thread looks before it sleeps: some tens of microseconds,
// longer than the gap between two jobs of one training step.
enum { SPINS = 20000 };

struct ck_team {
    int size;
    pthread_t *threads;
    _Atomic uint32_t generation;  // counts jobs; workers wait for it to change
    _Atomic int32_t running;      // workers still busy with the job
    _Atomic int32_t sleepers;
    void (*body)(void *, int);
    void *context;
    int pieces;
    bool stop;
};

typedef struct {
    ck_team *team;
    int index;
} worker_argument;

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static void run_share(ck_team *team, int index) {
    const int64_t pieces = team->pieces;
    const int first = (int)(pieces * index / team->size), last = (int)(pieces * (index + 1) / team->size);
    for (int piece = first; piece < last; piece++) team->body(team->context, piece);
}

static void *worker(void *argument) {
    const worker_argument own = *(worker_argument *)argument;
    free(argument);
    ck_team *team = own.team;
    uint32_t seen = 0;
    for (;;) {
        int spins = 0;
        while (atomic_load_explicit(&team->generation, memory_order_acquire) == seen) {
            if (++spins < SPINS) {
                relax();
                continue;
            }
            atomic_fetch_add(&team->sleepers, 1);
            syscall(SYS_futex, &team->generation, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
            atomic_fetch_sub(&team->sleepers, 1);
        }
        seen = atomic_load_explicit(&team->generation, memory_order_acquire);
        if (team->stop) return NULL;
        run_share(team, own.index);
        atomic_fetch_sub_explicit(&team->running, 1, memory_order_release);
    }
}

static void publish(ck_team *team) {
    atomic_fetch_add(&team->generation, 1);
    if (atomic_load(&team->sleepers) > 0) {
        syscall(SYS_futex, &team->generation, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    }
}

ck_team *ck_team_create(int threads) {
    ck_team *team = calloc(1, sizeof *team);
    if (!team) return NULL;
    team->threads = calloc((size_t)threads, sizeof *team->threads);
    team->size = 1;
    for (int i = 1; i < threads; i++) {
        worker_argument *argument = malloc(sizeof *argument);
        if (argument) *argument = (worker_argument){team, i};
        if (!argument || pthread_create(&team->threads[i], NULL, worker, argument) != 0) {
            free(argument);
            ck_team_destroy(team);
            return NULL;
        }
        team->size = i + 1;
    }
    return team;
}

void ck_team_destroy(ck_team *team) {
    team->stop = true;
    publish(team);
    for (int i = 1; i < team->size; i++) pthread_join(team->threads[i], NULL);
    free(team->threads);
    free(team);
}

int ck_team_size(const ck_team *team) { return team->size; }

void ck_parallel(ck_team *team, int pieces, void (*body)(void *, int), void *context) {
    if (team->size == 1 || pieces < 2) {
        for (int piece = 0; piece < pieces; piece++) body(context, piece);
        return;
    }
    team->body = body;
    team->context = context;
    team->pieces = pieces;
    atomic_store_explicit(&team->running, team->size - 1, memory_order_relaxed);
    publish(team);
    run_share(team, 0);
    // The others have as much to do as this thread; if one was descheduled, let
    // it have this core.
    int spins = 0;
    while (atomic_load_explicit(&team->running, memory_order_acquire) > 0) {
        if (++spins < SPINS) relax();
        else usleep(20);
    }
}
