#include "internal.h"

// The first 224 bits of 2/π behind the point.
static const uint32_t two_over_pi[7] = {
    0xA2F9836E, 0x4E441529, 0xFC2757D1, 0xF534DDC0, 0xDB629599, 0x3C439041, 0xFE5163AB,
};

// Payne & Hanek (1983): |x| = m 2^e with a whole m < 2^24. Those bits of 2/π by which m 2^e / (π/2) changes by
// multiples of 4 are left out, and the 96 bits behind them give the number of quarters modulo 4 with 62 bits behind
// the point.
ck_angle ck_reduce_angle(float x) {
    union {
        float number;
        uint32_t bits;
    } u = {x};
    const int32_t exponent = (int32_t)((u.bits >> 23) & 255) - 150;
    if (exponent > 104) return (ck_angle){__builtin_nanf(""), 0};
    const uint64_t m = (u.bits & 0x7FFFFF) | 0x800000;
    const int32_t first = exponent - 2, word = first >> 5, shift = first & 31;
    uint32_t w[3];
    for (int32_t i = 0; i < 3; i++) {
        const uint64_t pair = (uint64_t)two_over_pi[word + i] << 32 | two_over_pi[word + i + 1];
        w[i] = (uint32_t)(pair << shift >> 32);
    }
    const uint64_t product = (m * w[0] << 32) + m * w[1] + (m * w[2] >> 32);
    const uint64_t quarters = (product + ((uint64_t)1 << 61)) >> 62;
    const double rest = (double)(int64_t)(product - (quarters << 62)) * 0x1.921fb54442d18p-62;
    const int is_negative = (int32_t)u.bits < 0;
    return (ck_angle){(float)(is_negative ? -rest : rest), (int32_t)(is_negative ? -quarters & 3 : quarters & 3)};
}
