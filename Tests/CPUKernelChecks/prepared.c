#include "checks.h"
#include <stdio.h>

static void check_shape(bool transpose, bool bias, int m, int n, int k) {
    const int lda = k + 3, ldb = (transpose ? k : n) + 1, ldc = n + 5;
    const float *a = matrix(m, k, lda), *b = matrix(transpose ? n : k, transpose ? k : n, ldb);
    float *before = output(m, n, ldc, NAN);
    const ck_product product = {
        m, n, k, 1, 0, a, lda, false, transpose, b, ldb, NULL, before, ldc, bias ? matrix(1, n, n) : NULL,
    };
    const expected e = expect_product(&product);
    char name[80];
    snprintf(
        name, sizeof name, "A %s [%d, %d] of %d terms%s", transpose ? "Bᵀ" : "B", m, n, k, bias ? " with a bias" : "");
    const int64_t size = (int64_t)m * ldc + PAD;
    for (int s = 0; s < set_count; s++) {
        float *c[2], *one = output(1, n, n, NAN);
        for (int t = 0; t < 2; t++) {
            ck_team *team = sets[s].teams[t];
            const int64_t room = ck_prepared_size(team, n, k);
            float *to = scratch(room);
            c[t] = filled(size, 0);
            memcpy(c[t], before, sizeof(float) * (size_t)size);
            ck_prepare_matrix(team, b, ldb, transpose, n, k, to);
            ck_multiply_prepared(team, m, n, k, a, lda, to, product.bias, c[t], ldc);
            check(
                agrees(c[t], ldc, &e) && is_scratch_kept(to, room),
                "%s: ck_multiply_prepared, %s, %d threads", sets[s].name, name, ck_team_size(team));
            if (!sets[s].kernels->multiply) continue;
            const int row = m / 2;
            ck_multiply_prepared(team, 1, n, k, a + (int64_t)row * lda, lda, to, product.bias, one, n);
            check(
                is_same(one, c[t] + (int64_t)row * ldc, n), "%s: ck_multiply_prepared, a row of %s alone", sets[s].name,
                name);
        }
        check(is_same(c[0], c[1], size), "%s: ck_multiply_prepared, %s, differs with 3 threads", sets[s].name, name);
    }
    release();
}

void check_prepared(void) {
    static const int rows[] = {1, 2, 5, 6, 7, 13, 128, 131}, columns[] = {1, 4, 5, 15, 16, 17, 63, 64, 65, 100, 193};
    static const int lengths[] = {0, 1, 3, 7, 64, 130, 300};
    for (int i = 0; i < 200; i++) {
        check_shape(draw(2), draw(2), rows[draw(8)], columns[draw(11)], lengths[draw(7)]);
    }
    // Several stretches of columns, and of k.
    check_shape(false, true, 7, 300, 1030);
    check_shape(true, false, 140, 150, 600);
    check_shape(true, true, 3, 70, 2100);
}
