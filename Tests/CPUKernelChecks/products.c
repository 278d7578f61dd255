#include "checks.h"

// ck_gemm with each set and team, whose results must have the same bits.
static void check_gemm(bool ta, bool tb, int m, int n, int k, float alpha, float beta, int beyond) {
    const int lda = (ta ? m : k) + beyond, ldb = (tb ? k : n) + 2 * beyond, ldc = n + 3 * beyond;
    const float *a = matrix(ta ? k : m, ta ? m : k, lda), *b = matrix(tb ? n : k, tb ? k : n, ldb);
    float *before = output(m, n, ldc, NAN);
    if (beta != 0) {
        const float *values = matrix(m, n, n);
        for (int64_t i = 0; i < m; i++) memcpy(before + i * ldc, values + i * n, sizeof(float) * (size_t)n);
    }
    const ck_product product = {m, n, k, alpha, beta, a, lda, ta, tb, b, ldb, NULL, before, ldc, NULL};
    const expected e = expect_product(&product);
    const int64_t size = (int64_t)m * ldc + PAD;
    float *c[2] = {filled(size, 0), filled(size, 0)};
    for (int s = 0; s < set_count; s++) {
        for (int t = 0; t < 2; t++) {
            ck_team *team = sets[s].teams[t];
            const int64_t room = ck_gemm_scratch(team, tb, m, n, k);
            float *work = scratch(room);
            memcpy(c[t], before, sizeof(float) * (size_t)size);
            ck_gemm(team, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c[t], ldc, work);
            check(
                agrees(c[t], ldc, &e) && is_scratch_kept(work, room),
                "%s: ck_gemm %s %s [%d, %d] of %d terms, alpha %g, beta %g, lines %d longer, %d threads", sets[s].name,
                ta ? "Aᵀ" : "A", tb ? "Bᵀ" : "B", m, n, k, alpha, beta, beyond, ck_team_size(team));
        }
        check(
            is_same(c[0], c[1], size), "%s: ck_gemm [%d, %d] of %d terms differs with 3 threads", sets[s].name, m, n,
            k);
    }
    release();
}

// A kernel's own loops, with all that a product may have.
static void check_multiply(bool ta, bool tb, bool packed, bool bias, int m, int n, int k, float alpha, float beta) {
    const int lda = (ta ? m : k) + 3, ldb = (tb ? k : n) + 5, ldc = n + 2;
    const float *a = matrix(ta ? k : m, ta ? m : k, lda), *b = matrix(tb ? n : k, tb ? k : n, ldb);
    float *before = output(m, n, ldc, beta == 0 ? NAN : 0.75f);
    const float *row = bias ? matrix(1, n, n) : NULL;
    ck_product product = {m, n, k, alpha, beta, a, lda, ta, tb, b, ldb, NULL, before, ldc, row};
    const expected e = expect_product(&product);
    for (int s = 0; s < set_count; s++) {
        const struct ck_kernels *kernels = sets[s].kernels;
        if (!kernels->multiply) continue;
        float *c = filled((int64_t)m * ldc, 0), *to = scratch(ck_packed_size(n, k));
        memcpy(c, before, sizeof(float) * (size_t)(m * ldc + PAD));
        // In two parts, as threads share the work.
        if (packed) {
            kernels->pack(to, b, ldb, tb, k, n, 0, k / 3);
            kernels->pack(to, b, ldb, tb, k, n, k / 3, k);
        }
        product.packed = packed ? to : NULL;
        product.c = c;
        kernels->multiply(&product);
        check(
            agrees(c, ldc, &e) && is_scratch_kept(to, ck_packed_size(n, k)),
            "%s: multiply %s %s%s%s [%d, %d] of %d terms, alpha %g, beta %g", sets[s].name, ta ? "Aᵀ" : "A",
            tb ? "Bᵀ" : "B", packed ? ", packed" : "", bias ? ", bias" : "", m, n, k, alpha, beta);
    }
    release();
}

void check_products(void) {
    static const float alphas[] = {1, -0.5f, 1.7f, 0}, betas[] = {0, 1, -0.3f};
    // Every tail of rows and columns, all ways of reading B.
    for (int m = 1; m <= 13; m++) {
        for (int n = 1; n <= 35; n++) {
            const int kind = (m + n) % 4, k = 1 + (m * n) % 9;
            check_multiply(kind & 1, false, kind & 2, n % 2, m, n, k, alphas[n % 3], betas[(m + n) % 3]);
            check_multiply(kind & 2, true, true, n % 3 == 0, m, n, k, alphas[m % 3], betas[(m + 2 * n) % 3]);
            check_gemm(kind & 1, kind & 2, m, n, k, alphas[(m + n / 4) % 4], betas[(m / 4 + n) % 3], kind % 3);
        }
    }
    // Widths of more panels than one, and lengths beyond a stretch of k.
    static const int rows[] = {1, 2, 6, 7, 12, 20}, columns[] = {3, 16, 33, 64, 65, 70, 130, 145};
    static const int lengths[] = {1, 16, 255, 257, 600, 1025, 2100};
    for (int i = 0; i < 160; i++) {
        const int m = rows[draw(6)], n = columns[draw(8)], k = lengths[draw(7)];
        const bool ta = draw(2), tb = draw(2), packs = tb || draw(2);
        check_multiply(ta, tb, packs, draw(2), m, n, k, alphas[draw(3)], betas[draw(3)]);
        check_gemm(ta, tb, m, n, k, alphas[draw(4)], betas[draw(3)], (int)draw(4));
    }
    for (int kind = 0; kind < 4; kind++) {
        check_gemm(kind & 1, kind & 2, 5, 7, 0, 1, betas[kind % 3], 1);
        // Cut by rows, by columns, and along k.
        check_gemm(kind & 1, kind & 2, 301, 61, 59, 1, betas[kind % 3], kind);
        check_gemm(kind & 1, kind & 2, 59, 301, 61, -0.5f, betas[(kind + 1) % 3], kind);
        check_gemm(kind & 1, kind & 2, 33, 35, 1001, 1.7f, betas[(kind + 2) % 3], kind);
        check_gemm(kind & 1, kind & 2, 1, 130, 300, -0.5f, betas[kind % 3], kind);
    }
    // More than 2 MiB, which is left to BLAS, and partial sums that threads add up.
    check_gemm(false, true, 2, 730, 730, 1, 0, 1);
    check_gemm(true, false, 130, 260, 2090, 1, 1, 0);
}
