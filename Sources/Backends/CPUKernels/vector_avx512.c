#include "internal.h"
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)
#define WIDTH 16
#define PANEL 4
#define BLOCK 6
#define NAME(x) ck_avx512_##x
#include "vector_body.h"
#include "product_body.h"
#pragma clang attribute pop

const struct ck_kernels NAME(kernels) = {
    NAME(execute), NAME(load), NAME(store), NAME(add), NAME(sum_columns), NAME(uniform), NAME(exponentials), NAME(pack), NAME(multiply),
};
#endif
