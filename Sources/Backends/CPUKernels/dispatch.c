#include "internal.h"

extern const struct ck_kernels ck_baseline_kernels;
#if defined(__x86_64__)
extern const struct ck_kernels ck_avx2_kernels, ck_avx512_kernels;
#elif defined(__aarch64__)
extern const struct ck_kernels ck_neon_kernels;
#endif

bool ck_is_supported(ck_instruction_set set) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    switch (set) {
    case CK_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
    case CK_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case CK_BASELINE: return true;
    case CK_NEON: return false;
    }
#elif defined(__aarch64__)
    // Every processor that runs 64-bit Linux has it.
    if (set == CK_NEON) return true;
#endif
    return set == CK_BASELINE;
}

const struct ck_kernels *ck_kernels_for(ck_instruction_set set) {
#if defined(__x86_64__)
    switch (set) {
    case CK_AVX512: return &ck_avx512_kernels;
    case CK_AVX2: return &ck_avx2_kernels;
    case CK_BASELINE:
    case CK_NEON: break;
    }
#elif defined(__aarch64__)
    if (set == CK_NEON) return &ck_neon_kernels;
#endif
    return &ck_baseline_kernels;
}
