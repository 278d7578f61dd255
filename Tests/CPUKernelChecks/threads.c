#include "checks.h"
#include <stdatomic.h>
#include <time.h>

void check_dispatch(void) {
    check(ck_is_supported(CK_BASELINE), "the baseline isn't supported");
#if defined(__aarch64__)
    check(ck_is_supported(CK_NEON), "NEON isn't supported on arm64");
    check(!ck_is_supported(CK_AVX2) && !ck_is_supported(CK_AVX512), "AVX is supported on arm64");
#else
    check(!ck_is_supported(CK_NEON), "NEON is supported");
#endif
    for (int s = 0; s < set_count; s++) {
        const struct ck_kernels *kernels = sets[s].kernels;
        const bool is_complete = (kernels->multiply != NULL) == (s > 0) && (kernels->pack != NULL) == (s > 0);
        check(is_complete, "%s: own products", sets[s].name);
        for (int other = 0; other < s; other++) {
            check(kernels != sets[other].kernels, "%s has the kernels of %s", sets[s].name, sets[other].name);
        }
    }
}

typedef struct {
    ck_team *team;
    _Atomic int taken[1000];
    _Atomic int inner;
} visits;

static void visit(void *context, int piece) { atomic_fetch_add(&((visits *)context)->taken[piece], 1); }
static void visit_inner(void *context, int piece) { atomic_fetch_add((_Atomic int *)context, piece); }
static void call_again(void *context, int piece) {
    visits *v = context;
    visit(context, piece);
    ck_parallel(v->team, 10, visit_inner, &v->inner);
}

static void pause_for(long microseconds) { nanosleep(&(struct timespec){0, microseconds * 1000}, NULL); }

// Arrives, and waits up to ten seconds for the other pieces.
static void meet(void *context, int piece) {
    visits *v = context;
    atomic_fetch_add(&v->inner, 1);
    for (int i = 0; i < 100000 && atomic_load(&v->inner) < 3; i++) pause_for(100);
    if (atomic_load(&v->inner) == 3) atomic_fetch_add(&v->taken[piece], 1);
}

// Threads that went to sleep after the last job take part in the next one.
static void check_sleepers(ck_team *team, const char *name) {
    for (int i = 0; i < 20; i++) {
        pause_for(2000);
        visits v = {.team = team};
        ck_parallel(team, 3, meet, &v);
        check(v.taken[0] + v.taken[1] + v.taken[2] == 3, "%s: threads that slept", name);
    }
}

// Each piece is done once, also where a piece calls for the team again.
void check_threads(void) {
    for (int s = 0; s < set_count; s++) {
        for (int t = 0; t < 2; t++) {
            ck_team *team = sets[s].teams[t];
            check(ck_team_size(team) == 1 + 2 * t, "%s: a team's size", sets[s].name);
            check(ck_team_kernels(team) == sets[s].kernels, "%s: a team's kernels", sets[s].name);
            if (ck_team_size(team) == 3) check_sleepers(team, sets[s].name);
            for (int pieces = 0; pieces <= 1000; pieces = pieces * 2 + 1) {
                const bool nested = pieces % 4 == 3;
                visits v = {.team = team};
                ck_parallel(team, pieces, nested ? call_again : visit, &v);
                bool once = true;
                for (int i = 0; i < 1000; i++) once = once && v.taken[i] == (i < pieces ? 1 : 0);
                check(once, "%s: %d pieces on %d threads", sets[s].name, pieces, ck_team_size(team));
                check(v.inner == (nested ? 45 * pieces : 0), "%s: %d pieces in pieces", sets[s].name, pieces);
            }
        }
    }
}
