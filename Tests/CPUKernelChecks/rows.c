#include "checks.h"
#include <stdio.h>

static void check_load_and_store(const struct ck_kernels *kernels, const char *set) {
    for (int64_t columns = 1; columns <= 35; columns++) {
        for (int kind = 0; kind < 5; kind++) {
            char name[80];
            const int64_t rows = 1 + kind * 2, column = kind == 3 ? 0 : kind == 4 ? 3 : 1;
            const int64_t row = kind == 0 ? columns : kind == 1 ? columns + 5 : kind == 2 ? 0 : 3 * columns + 1;
            const int64_t size = rows * row + columns * column + 1;
            snprintf(
                name, sizeof name, "[%d, %d] with strides %d, %d", (int)rows, (int)columns, (int)row, (int)column);
            const float *from = matrix(1, size, size);
            float *tile = output(rows, columns, columns, NAN);
            kernels->load(tile, from, row, column, rows, columns);
            bool right = is_scratch_kept(tile, rows * columns);
            for (int64_t i = 0; i < rows * columns; i++) {
                right = right && tile[i] == from[i / columns * row + i % columns * column];
            }
            check(right, "%s: load %s", set, name);
            if (row == 0 || column == 0) continue;
            float *to = filled(size, untouched);
            kernels->store(to, row, column, tile, rows, columns);
            for (int64_t i = 0; i < rows * columns; i++) {
                float *element = to + i / columns * row + i % columns * column;
                right = right && *element == tile[i];
                *element = untouched;
            }
            for (int64_t i = 0; i < size + PAD; i++) right = right && to[i] == untouched;
            check(right, "%s: store %s", set, name);
        }
        float *sum = output(1, columns, columns, 0.25f);
        const float *terms = matrix(1, columns, columns);
        kernels->add(sum, terms, columns);
        bool right = is_scratch_kept(sum, columns);
        for (int64_t i = 0; i < columns; i++) right = right && sum[i] == 0.25f + terms[i];
        check(right, "%s: add %d numbers", set, (int)columns);
    }
}

static void check_sums(int64_t rows, int64_t columns, int64_t ld, float beta) {
    const float *x = matrix(rows, columns, ld);
    expected e = expect(1, columns, rows);
    for (int64_t c = 0; c < columns; c++) {
        for (int64_t r = 0; r < rows; r++) e.value[c] += x[r * ld + c], e.magnitude[c] += fabs(x[r * ld + c]);
        if (beta != 0) e.value[c] += beta * 3.0, e.magnitude[c] += fabs(beta) * 3.0;
    }
    for (int s = 0; s < set_count; s++) {
        float *to[2];
        for (int t = 0; t < 2; t++) {
            to[t] = output(1, columns, columns, beta == 0 ? NAN : 3);
            ck_sum_columns(sets[s].teams[t], x, rows, columns, ld, beta, to[t]);
            check(
                agrees(to[t], columns, &e), "%s: ck_sum_columns [%d, %d], beta %g", sets[s].name, (int)rows,
                (int)columns, beta);
        }
        check(
            is_same(to[0], to[1], columns), "%s: ck_sum_columns [%d, %d] differs with 3 threads", sets[s].name,
            (int)rows, (int)columns);
    }
    release();
}

static void check_table(int64_t count, int64_t columns, int64_t table_rows) {
    const int64_t table_ld = columns + 3, rows_ld = columns + 1;
    float *table = output(table_rows, columns, table_ld, 0);
    for (int64_t r = 0; r < table_rows; r++) {
        for (int64_t c = 0; c < columns; c++) table[r * table_ld + c] = (float)draw(1000) / 7;
    }
    int32_t *indices = (int32_t *)filled(count, 0);
    for (int64_t i = 0; i < count; i++) indices[i] = (int32_t)draw(table_rows);
    const float *terms = matrix(count, columns, rows_ld);
    const int64_t size = table_rows * table_ld + PAD;
    float *sums = filled(size, 0);
    memcpy(sums, table, sizeof(float) * (size_t)size);
    for (int64_t r = 0; r < count; r++) {
        for (int64_t c = 0; c < columns; c++) sums[indices[r] * table_ld + c] += terms[r * rows_ld + c];
    }
    for (int s = 0; s < set_count; s++) {
        for (int t = 0; t < 2; t++) {
            float *rows = output(count, columns, rows_ld, NAN), *to = filled(size, 0);
            ck_gather_rows(sets[s].teams[t], table, table_ld, indices, count, columns, rows, rows_ld);
            bool right = is_scratch_kept(rows, count * rows_ld);
            for (int64_t r = 0; r < count; r++) {
                right = right && is_same(rows + r * rows_ld, table + indices[r] * table_ld, columns)
                    && rows[r * rows_ld + columns] == untouched;
            }
            check(right, "%s: ck_gather_rows [%d, %d]", sets[s].name, (int)count, (int)columns);
            memcpy(to, table, sizeof(float) * (size_t)size);
            ck_scatter_add_rows(sets[s].teams[t], terms, rows_ld, indices, count, columns, to, table_ld);
            check(is_same(to, sums, size), "%s: ck_scatter_add_rows [%d, %d]", sets[s].name, (int)count, (int)columns);
        }
    }
    release();
}

static void check_softmax(int64_t count, int64_t n) {
    const int64_t ld = (n + 15) / 16 * 16;
    float *logits = matrix(count, n, ld);
    for (int64_t i = 0; i < count * ld; i++) logits[i] *= i % 3 ? 5 : 90;
    expected e = expect(count, n, 2 * n + 1000);
    for (int64_t r = 0; r < count; r++) {
        double sum = 0, highest = -INFINITY;
        for (int64_t c = 0; c < n; c++) highest = fmax(highest, logits[r * ld + c]);
        for (int64_t c = 0; c < n; c++) sum += exp(logits[r * ld + c] - highest);
        for (int64_t c = 0; c < n; c++) {
            const double p = exp(logits[r * ld + c] - highest) / sum;
            e.value[r * n + c] = p, e.magnitude[r * n + c] = p + 1e-38;
        }
    }
    for (int s = 0; s < set_count; s++) {
        float *rows[2];
        for (int t = 0; t < 2; t++) {
            rows[t] = filled(count * ld, untouched);
            memcpy(rows[t], logits, sizeof(float) * (size_t)(count * ld));
            ck_softmax_rows(sets[s].teams[t], rows[t], count, n, ld, filled(ld, 0));
            // What lies between two rows may have been written, unlike what lies behind the last.
            for (int64_t r = 0; r < count; r++) {
                for (int64_t c = n; c < ld; c++) rows[t][r * ld + c] = untouched;
            }
            check(agrees(rows[t], ld, &e), "%s: ck_softmax_rows [%d, %d]", sets[s].name, (int)count, (int)n);
        }
        check(
            is_same(rows[0], rows[1], count * ld), "%s: ck_softmax_rows [%d, %d] differs with 3 threads", sets[s].name,
            (int)count, (int)n);
    }
    release();
}

void check_rows(void) {
    for (int s = 0; s < set_count; s++) {
        check_load_and_store(sets[s].kernels, sets[s].name);
        release();
    }
    static const float betas[] = {0, 1, -0.5f};
    for (int64_t columns = 1; columns <= 50; columns++) {
        check_sums(1 + columns % 11, columns, columns + columns % 4, betas[columns % 3]);
        check_table(1 + columns % 13, columns, 5);
        check_softmax(1 + columns % 3, columns);
    }
    check_sums(0, 20, 20, 0);
    check_sums(301, 130, 133, 0);
    check_sums(301, 130, 130, 1);
    check_table(400, 100, 37);
    check_softmax(41, 1000);
}
