#include "checks.h"
#include <stdio.h>

// Programs of several instructions over matrices in memory of all kinds.

typedef struct {
    int64_t rows, columns;
    int64_t row, column;  // strides of the first input and of the results
} layout;

static double at(const ck_view *view, int64_t r, int64_t c) { return view->base[r * view->row + c * view->column]; }

// The results are 0: a·tanh(x) + y, 1: x, 2: x + column, 3: the scalar · z, where y is a row and z a column; the
// results 0 and 1 replace x and another matrix.
static void check_layout(const layout *l) {
    builder b = {.program.input_count = 3};
    const int32_t a = emit_constant(&b, 1.5f), scalar = emit_constant(&b, 0);
    b.code[1].opcode = CK_SCALAR;
    b.code[1].scalar = 1;
    emit_output(&b, emit(&b, CK_ADD, emit(&b, CK_MULTIPLY, a, emit(&b, CK_TANH, 0, 0, 0), 0), 1, 0));
    emit_output(&b, emit(&b, CK_COPY, 0, 0, 0));  // as inputs are read in place
    emit_output(&b, emit(&b, CK_ADD, 0, emit(&b, CK_COLUMN_INDEX, 0, 0, 0), 0));
    emit_output(&b, emit(&b, CK_MULTIPLY, scalar, 2, 0));
    const ck_program *program = finish(&b);
    const float scalars[] = {NAN, -2.25f};

    const int64_t size = l->rows * (l->row > 0 ? l->row : 1) + l->columns * l->column;
    float *x = matrix(1, size, size);
    const ck_view first = {x, l->row, l->column, 0}, y = {matrix(1, l->columns, l->columns), 0, 1, 0};
    const ck_view z = {matrix(l->rows, 1, 3), 3, 0, 0};
    expected e[4];
    for (int o = 0; o < 4; o++) {
        e[o] = expect(l->rows, l->columns, 1);
        for (int64_t r = 0; r < l->rows; r++) {
            for (int64_t c = 0; c < l->columns; c++) {
                const double v = at(&first, r, c);
                const double results[] = {1.5 * tanh(v) + at(&y, r, c), v, v + (double)c, -2.25 * at(&z, r, c)};
                e[o].value[r * l->columns + c] = results[o];
                e[o].magnitude[r * l->columns + c] = fabs(results[o]) + (o == 0 ? 1 : o == 1 ? 0 : 0.1);
            }
        }
    }
    for (int s = 0; s < set_count; s++) {
        float *in_place = filled(size, 0), *work = scratch(ck_workspace(program));
        memcpy(in_place, x, sizeof(float) * (size_t)(size + PAD));
        float *copies[4];
        for (int o = 1; o < 4; o++) copies[o] = filled(size, untouched);
        copies[0] = in_place;
        const ck_view inputs[] = {{in_place, l->row, l->column, 0}, y, z};
        ck_view outputs[4];
        for (int o = 0; o < 4; o++) outputs[o] = (ck_view){copies[o], l->row, l->column, 0};
        // In two parts of rows.
        const int64_t half = l->rows / 2;
        ck_run(sets[s].teams[0], program, inputs, outputs, scalars, NULL, 0, half, l->columns, 0, l->columns, work);
        ck_run(
            sets[s].teams[0], program, inputs, outputs, scalars, NULL, half, l->rows - half, l->columns, 0, l->columns,
            work);
        check(is_scratch_kept(work, ck_workspace(program)), "%s: a program writes behind its memory", sets[s].name);
        char name[80];
        snprintf(
            name, sizeof name, "a program on [%d, %d] with strides %d, %d", (int)l->rows, (int)l->columns, (int)l->row,
            (int)l->column);
        for (int o = 0; o < 4; o++) {
            float *packed = output(l->rows, l->columns, l->columns, 0);
            for (int64_t r = 0; r < l->rows; r++) {
                for (int64_t c = 0; c < l->columns; c++) packed[r * l->columns + c] = (float)at(&outputs[o], r, c);
            }
            check(agrees(packed, l->columns, &e[o]), "%s: result %d of %s", sets[s].name, o, name);
            // What isn't a result stays as it is.
            int64_t kept = 0;
            for (int64_t i = 0; i < size; i++) kept += o == 0 ? copies[o][i] == x[i] : copies[o][i] == untouched;
            check(kept >= size - l->rows * l->columns, "%s: %s writes between rows", sets[s].name, name);
        }
    }
    release();
}

// A row in parts has the bits of the whole row.
static void check_parts(void) {
    enum { COLUMNS = 3 * CK_TILE + 77 };
    builder b = {.program.input_count = 1};
    const int32_t drawn = emit(&b, CK_UNIFORM, 0, 0, 0);
    emit_output(&b, emit(&b, CK_MULTIPLY, emit(&b, CK_SIGMOID, 0, 0, 0), drawn, 0));
    const ck_program *program = finish(&b);
    const ck_key key = {1, 2, 3, 4};
    const ck_view inputs[] = {{matrix(1, COLUMNS, COLUMNS), COLUMNS, 1, 0}};
    for (int s = 0; s < set_count; s++) {
        float *whole = output(1, COLUMNS, COLUMNS, NAN), *parts = output(1, COLUMNS, COLUMNS, NAN);
        float *work = scratch(ck_workspace(program));
        const ck_view to[] = {{whole, COLUMNS, 1, 0}}, to_parts[] = {{parts, COLUMNS, 1, 0}};
        ck_run(sets[s].teams[0], program, inputs, to, NULL, &key, 0, 1, COLUMNS, 0, COLUMNS, work);
        for (int64_t c = 0; c < COLUMNS; c += CK_TILE) {
            const int64_t width = COLUMNS - c < CK_TILE ? COLUMNS - c : CK_TILE;
            ck_run(sets[s].teams[0], program, inputs, to_parts, NULL, &key, 0, 1, width, c, COLUMNS, work);
        }
        check(is_same(whole, parts, COLUMNS + PAD), "%s: parts of a row", sets[s].name);
    }
    release();
}

void check_programs(void) {
    static const int64_t widths[] = {1, 2, 3, 5, 8, 15, 16, 17, 50, 200, 511, 512, 513, 1300};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        for (int64_t rows = 1; rows <= 23; rows += rows < 3 ? 1 : 10) {
            check_layout(&(layout){rows, widths[i], widths[i], 1});
            check_layout(&(layout){rows, widths[i], widths[i] + 3, 1});
            check_layout(&(layout){rows, widths[i], 2 * widths[i] + 1, 2});
            check_layout(&(layout){rows, widths[i], 1, rows});
        }
    }
    check_parts();
}
