#include "internal.h"
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)
#define WIDTH 16
#define NAME(x) ck_avx512_##x
#include "vector_body.h"
#pragma clang attribute pop
#endif
