#include "internal.h"
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define WIDTH 8
#define PANEL 2
#define BLOCK 6
#define NAME(x) ck_avx2_##x
#include "vector_body.h"
#include "product_body.h"
#pragma clang attribute pop

const struct ck_kernels NAME(kernels) = {
    NAME(execute), NAME(load), NAME(store), NAME(add), NAME(sum_columns), NAME(uniform), NAME(exponentials), NAME(pack), NAME(multiply),
};
#endif
