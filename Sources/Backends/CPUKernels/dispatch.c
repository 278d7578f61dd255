#include "internal.h"

extern const struct ck_kernels ck_baseline_kernels;
#if defined(__x86_64__)
extern const struct ck_kernels ck_avx2_kernels, ck_avx512_kernels;
#endif

const struct ck_kernels *ck_best_kernels(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl")) {
        return &ck_avx512_kernels;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &ck_avx2_kernels;
#endif
    return &ck_baseline_kernels;
}

const char *ck_instruction_set(void) {
    switch (ck_best_kernels()->width) {
    case 16: return "avx512";
    case 8: return "avx2";
    default: return "baseline";
    }
}
