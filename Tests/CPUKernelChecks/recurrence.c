#include "gru.h"

// gru.h's equations as operations of ck_run_loop, forward and backward.

// Buffers of the kernels: everything that depends on the step is [T, B, …] with lines that are longer than their use.
typedef struct {
    ck_view inputs, products, z, r, n, states, next, deltas, input_deltas, gradient, next_gradient;
    float *table, *bias, *weight;
} buffers;

static ck_view over_steps(const gru_shape *s, int steps, int64_t columns) {
    const int64_t ld = columns + 3;
    return (ck_view){output(steps * s->batch, columns, ld, NAN), ld, 1, s->batch * ld};
}

static ck_view columns_of(ck_view view, int64_t first) {
    view.base += first;
    return view;
}

static ck_view at_step(ck_view view, int64_t t) {
    view.base += t * view.step;
    return view;
}

static float *as_floats(const double *values, int64_t n) {
    float *floats = filled(n, NAN);
    for (int64_t i = 0; i < n; i++) floats[i] = (float)values[i];
    return floats;
}

static void fill(const ck_view *view, int64_t rows, int64_t columns, const double *values) {
    for (int64_t r = 0; r < rows; r++) {
        float *to = view->base + r * view->row;
        for (int64_t c = 0; c < columns; c++) to[c] = values ? (float)values[r * columns + c] : 0;
    }
}

static buffers make_buffers(const gru_shape *s, const gru_parameters *p, const double *g) {
    const int64_t H = s->hidden, B = s->batch, T = s->steps;
    buffers m = {
        .inputs = over_steps(s, s->steps, 3 * H), .products = over_steps(s, s->steps, 3 * H),
        .z = over_steps(s, s->steps, H), .r = over_steps(s, s->steps, H), .n = over_steps(s, s->steps, H),
        .states = over_steps(s, s->steps + 1, H), .deltas = over_steps(s, s->steps, 3 * H),
        .input_deltas = over_steps(s, s->steps, 3 * H), .gradient = over_steps(s, s->steps + 1, H),
        .table = as_floats(p->table, s->tokens * 3 * H), .bias = as_floats(p->bias, 3 * H),
        .weight = as_floats(p->weight, 3 * H * H),
    };
    m.next = at_step(m.states, 1);
    m.next_gradient = at_step(m.gradient, 1);
    fill(&m.states, B, H, p->start);
    fill(&m.gradient, B, H, NULL);
    fill(&m.next_gradient, T * B, H, g);
    return m;
}

static void emit_forward(builder *b) {
    enum { A, P = 3, BIAS = 6, STATE = 9 };
    *b = (builder){.program.input_count = 10};
    const int32_t one = emit_constant(b, 1);
    int32_t a[3];
    for (int i = 0; i < 3; i++) a[i] = emit(b, CK_ADD, A + i, BIAS + i, 0);
    const int32_t z = emit(b, CK_SIGMOID, emit(b, CK_ADD, a[0], P, 0), 0, 0);
    const int32_t r = emit(b, CK_SIGMOID, emit(b, CK_ADD, a[1], P + 1, 0), 0, 0);
    const int32_t n = emit(b, CK_TANH, emit(b, CK_ADD, a[2], emit(b, CK_MULTIPLY, r, P + 2, 0), 0), 0, 0);
    const int32_t new = emit(b, CK_MULTIPLY, emit(b, CK_SUBTRACT, one, z, 0), n, 0);
    emit_output(b, z);
    emit_output(b, r);
    emit_output(b, n);
    emit_output(b, emit(b, CK_ADD, new, emit(b, CK_MULTIPLY, z, STATE, 0), 0));
}

static void emit_backward(builder *b) {
    enum { D, Z, R, N, P, STATE, BEFORE };
    *b = (builder){.program.input_count = 7};
    const int32_t one = emit_constant(b, 1);
    const int32_t not_z = emit(b, CK_SUBTRACT, one, Z, 0), not_r = emit(b, CK_SUBTRACT, one, R, 0);
    const int32_t slope = emit(b, CK_SUBTRACT, one, emit(b, CK_MULTIPLY, N, N, 0), 0);
    const int32_t dn = emit(b, CK_MULTIPLY, emit(b, CK_MULTIPLY, D, not_z, 0), slope, 0);
    const int32_t change = emit(b, CK_MULTIPLY, D, emit(b, CK_SUBTRACT, STATE, N, 0), 0);
    const int32_t dz = emit(b, CK_MULTIPLY, change, emit(b, CK_MULTIPLY, Z, not_z, 0), 0);
    const int32_t dr = emit(b, CK_MULTIPLY, emit(b, CK_MULTIPLY, dn, P, 0), emit(b, CK_MULTIPLY, R, not_r, 0), 0);
    emit_output(b, dz);
    emit_output(b, dr);
    emit_output(b, emit(b, CK_MULTIPLY, dn, R, 0));
    emit_output(b, dz);
    emit_output(b, dr);
    emit_output(b, dn);
    emit_output(b, emit(b, CK_ADD, BEFORE, emit(b, CK_MULTIPLY, D, Z, 0), 0));
}

static bool run_loop(ck_team *team, const ck_loop *parts) {
    ck_loop loop = *parts;
    const int64_t room = ck_loop_workspace(team, &loop);
    loop.workspace = scratch(room);
    ck_run_loop(team, &loop);
    return is_scratch_kept(loop.workspace, room);
}

static bool run_forward(ck_team *team, const gru_shape *s, const buffers *m, const int32_t *tokens) {
    const int32_t H = s->hidden;
    builder b;
    emit_forward(&b);
    ck_view inputs[10];
    for (int i = 0; i < 3; i++) {
        inputs[i] = columns_of(m->inputs, i * H);
        inputs[3 + i] = columns_of(m->products, i * H);
        inputs[6 + i] = (ck_view){m->bias + i * H, 0, 1, 0};
    }
    inputs[9] = m->states;
    const ck_view outputs[] = {m->z, m->r, m->n, m->next};
    const ck_operation operations[] = {
        {.kind = CK_LOOKUP, .a = {m->table, 3 * H, 1, 0}, .result = m->inputs, .n = 3 * H},
        {.kind = CK_GEMM, .a = m->states, .result = m->products, .b = m->weight, .ldb = H, .n = 3 * H, .k = H,
         .transpose_b = true},
        {.kind = CK_KERNEL, .program = finish(&b), .inputs = inputs, .outputs = outputs, .columns = H},
    };
    return run_loop(team, &(ck_loop){operations, 3, s->steps, s->batch, s->chunks, false, NULL, tokens});
}

// What the backward loop leaves: gradients of the table, of the bias (twice) and of the weight.
typedef struct {
    float *table, *bias[2], *weight;
} sums;

static bool run_backward(ck_team *team, const gru_shape *s, const buffers *m, const int32_t *tokens, const sums *d) {
    const int32_t H = s->hidden;
    builder b;
    emit_backward(&b);
    const ck_view inputs[] = {
        m->next_gradient, m->z, m->r, m->n, columns_of(m->products, 2 * H), m->states, m->gradient,
    };
    const ck_view outputs[] = {
        m->deltas, columns_of(m->deltas, H), columns_of(m->deltas, 2 * H), m->input_deltas,
        columns_of(m->input_deltas, H), columns_of(m->input_deltas, 2 * H), m->gradient,
    };
    const ck_view biases[] = {{d->bias[0], 0, 1, 0}, {d->bias[1], 0, 1, 0}};
    const ck_operation operations[] = {
        {.kind = CK_KERNEL, .program = finish(&b), .inputs = inputs, .outputs = outputs, .columns = H},
        {.kind = CK_GEMM, .a = m->deltas, .result = m->gradient, .b = m->weight, .ldb = H, .n = H, .k = 3 * H,
         .accumulate = true},
        {.kind = CK_WEIGHT_GRADIENT, .a = m->states, .delta = m->deltas, .result = {d->weight, H, 1, 0}, .n = H,
         .k = 3 * H},
        {.kind = CK_ROW_SUM, .a = m->input_deltas, .outputs = biases, .output_count = 1, .n = 3 * H},
        {.kind = CK_ROW_SUM, .a = m->input_deltas, .outputs = biases + 1, .output_count = 1, .n = 3 * H,
         .accumulate = true},
        {.kind = CK_TOKEN_SUM, .a = m->input_deltas, .result = {d->table, 3 * H, 1, 0}, .table_rows = s->tokens,
         .n = 3 * H},
    };
    return run_loop(team, &(ck_loop){operations, 6, s->steps, s->batch, s->chunks, true, NULL, tokens});
}

static bool is_near(
    const float *values, int64_t ld, const double *exact, int64_t rows, int64_t columns, double offset) {
    expected e = expect(rows, columns, 100);
    double largest = 1;
    for (int64_t i = 0; i < rows * columns; i++) largest = fmax(largest, fabs(exact[i]));
    for (int64_t i = 0; i < rows * columns; i++) e.value[i] = exact[i] + offset, e.magnitude[i] = largest;
    return agrees(values, ld, &e);
}

static void check_shape(const gru_shape *s) {
    const int64_t H = s->hidden, B = s->batch, T = s->steps;
    const gru_parameters p = make_gru(s), d = make_gru(s);
    double *const values[] = {p.table, p.bias, p.weight, p.start};
    const int64_t sizes[] = {s->tokens * 3 * H, 3 * H, 3 * H * H, B * H};
    for (int i = 0; i < 4; i++) {
        const float *random = matrix(1, sizes[i], sizes[i]);
        for (int64_t j = 0; j < sizes[i]; j++) values[i][j] = random[j] / (i == 2 ? (float)sqrt((double)H) : 1);
        for (int64_t j = 0; j < sizes[i]; j++) values[i][j] = (float)values[i][j];
    }
    int32_t *tokens = (int32_t *)filled(T * B, 0);
    double *g = zeros(T * B * H), *states = zeros(T * B * H);
    for (int64_t i = 0; i < T * B; i++) tokens[i] = (int32_t)draw(s->tokens);
    for (int64_t i = 0; i < T * B * H; i++) g[i] = (float)(draw(2000) - 1000) / 1024;
    run_gru(s, &p, tokens, g, states, &d);
    check_gru(s, &p, tokens, g, &d);

    for (int set = 0; set < set_count; set++) {
        float *results[2][3];
        for (int t = 0; t < 2; t++) {
            ck_team *team = sets[set].teams[t];
            const buffers m = make_buffers(s, &p, g);
            const sums to = {
                output(s->tokens, 3 * H, 3 * H, NAN), {output(1, 3 * H, 3 * H, NAN), output(1, 3 * H, 3 * H, 2)},
                output(3 * H, H, H, 0.5f),
            };
            const char *wrong = NULL;
            if (!run_forward(team, s, &m, tokens)) wrong = "memory of the forward loop";
            else if (!is_near(m.next.base, m.next.row, states, T * B, H, 0)) wrong = "states";
            else if (!run_backward(team, s, &m, tokens, &to)) wrong = "memory of the backward loop";
            else if (!is_near(to.table, 3 * H, d.table, s->tokens, 3 * H, 0)) wrong = "gradient of the table";
            else if (!is_near(to.bias[0], 3 * H, d.bias, 1, 3 * H, 0)) wrong = "gradient of the bias";
            else if (!is_near(to.bias[1], 3 * H, d.bias, 1, 3 * H, 2)) wrong = "gradient that is added to the bias's";
            else if (!is_near(to.weight, H, d.weight, 3 * H, H, 0.5)) wrong = "gradient of the weight";
            for (int64_t b = 0; b < B; b++) {
                for (int64_t i = 0; !wrong && i < H; i++) {
                    const double error = m.gradient.base[b * m.gradient.row + i] - d.start[b * H + i];
                    if (!(fabs(error) < 1e-5)) wrong = "gradient of the first state";
                }
            }
            check(
                !wrong, "%s: a GRU of %d steps, batch %d, H %d, %d chunks, %d threads: %s", sets[set].name, s->steps,
                s->batch, s->hidden, s->chunks, ck_team_size(team), wrong ? wrong : "");
            results[t][0] = m.states.base, results[t][1] = to.weight, results[t][2] = to.table;
        }
        const bool same = is_same(results[0][0], results[1][0], (T + 1) * B * (H + 3))
            && is_same(results[0][1], results[1][1], 3 * H * H)
            && is_same(results[0][2], results[1][2], s->tokens * 3 * H);
        check(same, "%s: a GRU of batch %d, H %d differs with 3 threads", sets[set].name, s->batch, s->hidden);
    }
    release();
}

void check_recurrence(void) {
    static const gru_shape shapes[] = {
        {1, 1, 1, 1, 1}, {4, 1, 13, 3, 1}, {5, 7, 13, 4, 3}, {3, 8, 16, 5, 2}, {6, 20, 33, 11, 4}, {4, 25, 50, 9, 2},
        {9, 6, 5, 2, 6},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) check_shape(&shapes[i]);
}
