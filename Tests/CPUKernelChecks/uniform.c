#include "checks.h"

// Philox4x32-10 (Salmon et al. 2011), as the paper writes it.
static void philox(const uint32_t counter[4], uint32_t k0, uint32_t k1, uint32_t word[4]) {
    uint32_t c[4];
    memcpy(c, counter, sizeof c);
    for (int round = 0; round < 10; round++) {
        const uint64_t left = (uint64_t)c[0] * 0xD2511F53u, right = (uint64_t)c[2] * 0xCD9E8D57u;
        const uint32_t next[4] = {
            (uint32_t)(right >> 32) ^ c[1] ^ k0, (uint32_t)right, (uint32_t)(left >> 32) ^ c[3] ^ k1, (uint32_t)left,
        };
        memcpy(c, next, sizeof c);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    memcpy(word, c, sizeof c);
}

float plain_uniform(int64_t element, const ck_key *key) {
    const uint64_t block = (uint64_t)element / 4;
    uint32_t word[4];
    philox((uint32_t[]){(uint32_t)block, (uint32_t)(block >> 32), key->high0, key->high1}, key->key0, key->key1, word);
    return (float)(word[element % 4] >> 8) / 16777216;
}

void check_uniform(void) {
    // The numbers that the authors' Random123 gives for zeros and for ones.
    uint32_t word[4];
    philox((uint32_t[4]){0}, 0, 0, word);
    check(
        word[0] == 0x6627E8D5 && word[1] == 0xE169C58D && word[2] == 0xBC57AC4C && word[3] == 0x9B00DBD8,
        "Philox of zeros, in these checks");
    philox((uint32_t[]){~0u, ~0u, ~0u, ~0u}, ~0u, ~0u, word);
    check(
        word[0] == 0x408F276D && word[1] == 0x41C83B0E && word[2] == 0xA20BC7C6 && word[3] == 0x6D5451FD,
        "Philox of ones, in these checks");

    static const int64_t firsts[] = {0, 1, 2, 3, 63, 1000001, ((int64_t)1 << 34) - 9, ((int64_t)1 << 40) + 5};
    static const int64_t lengths[] = {1, 2, 3, 4, 5, 7, 16, 61, 64, 65, 127, 512};
    static const ck_key keys[] = {{0, 0, 0, 0}, {1, 2, 3, 4}, {~0u, ~0u, ~0u, ~0u}, {0x12345678, 0, 0x9ABCDEF0, 17}};
    for (size_t f = 0; f < sizeof firsts / sizeof *firsts; f++) {
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            const ck_key *key = &keys[(f + l) % 4];
            const int64_t n = lengths[l];
            float *values = filled(n, 0);
            for (int64_t i = 0; i < n; i++) values[i] = plain_uniform(firsts[f] + i, key);
            for (int s = 0; s < set_count; s++) {
                float *to = output(1, n, n, NAN);
                sets[s].kernels->uniform(to, firsts[f], n, key);
                check(
                    is_same(to, values, n) && is_scratch_kept(to, n), "%s: %d uniform numbers from element %lld",
                    sets[s].name, (int)n, (long long)firsts[f]);
            }
        }
    }
}
