#include "checks.h"
#include <stdarg.h>
#include <stdio.h>

checked_set sets[4];
int set_count;
const float untouched = 12345.5f;

static long count;

void check(bool holds, const char *name, ...) {
    count++;
    if (holds) return;
    va_list arguments;
    va_start(arguments, name);
    fputs("wrong: ", stderr);
    vfprintf(stderr, name, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    exit(1);
}

// MARK: Memory

static void **blocks;
static size_t block_count;

static void *keep(size_t size) {
    blocks = realloc(blocks, (block_count + 1) * sizeof *blocks);
    void *block = malloc(size);
    if (!blocks || !block) abort();
    return blocks[block_count++] = block;
}

void release(void) {
    while (block_count > 0) free(blocks[--block_count]);
}

float *filled(int64_t n, float value) {
    float *memory = keep(sizeof(float) * (size_t)(n + PAD));
    for (int64_t i = 0; i < n + PAD; i++) memory[i] = value;
    return memory;
}

double *zeros(int64_t n) {
    double *memory = keep(sizeof(double) * (size_t)(n + 1));
    for (int64_t i = 0; i <= n; i++) memory[i] = 0;
    return memory;
}

static uint64_t state = 0x9E3779B97F4A7C15;

// Knuth's linear congruential generator, of which the high bits are used.
int64_t draw(int64_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((state >> 33) % (uint64_t)bound);
}

float *matrix(int64_t rows, int64_t columns, int64_t ld) {
    float *memory = filled(rows * ld, NAN);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < columns; c++) memory[r * ld + c] = (float)(draw(1 << 24) - (1 << 23)) * 0x1p-23f;
    }
    return memory;
}

float *output(int64_t rows, int64_t columns, int64_t ld, float value) {
    float *memory = filled(rows * ld, untouched);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < columns; c++) memory[r * ld + c] = value;
    }
    return memory;
}

float *scratch(int64_t n) {
    float *memory = filled(n, untouched);
    for (int64_t i = 0; i < n; i++) memory[i] = NAN;
    return memory;
}

bool is_scratch_kept(const float *memory, int64_t n) {
    for (int64_t i = n; i < n + PAD; i++) {
        if (memory[i] != untouched) return false;
    }
    return true;
}

// MARK: Expected results

expected expect(int64_t rows, int64_t columns, int64_t terms) {
    return (expected){rows, columns, terms, zeros(rows * columns), zeros(rows * columns)};
}

expected expect_product(const ck_product *p) {
    const expected e = expect(p->m, p->n, p->k);
    for (int64_t i = 0; i < p->m; i++) {
        for (int64_t j = 0; j < p->n; j++) {
            double sum = 0, magnitude = 0;
            for (int64_t l = 0; l < p->k; l++) {
                const double x = p->a[p->transpose_a ? l * p->lda + i : i * p->lda + l];
                const double term = x * p->b[p->transpose_b ? j * p->ldb + l : l * p->ldb + j];
                sum += term;
                magnitude += fabs(term);
            }
            const double before = p->beta == 0 ? 0 : (double)p->beta * p->c[i * p->ldc + j];
            const double bias = p->bias ? p->bias[j] : 0;
            e.value[i * p->n + j] = p->alpha * sum + before + bias;
            e.magnitude[i * p->n + j] = fabs(p->alpha) * magnitude + fabs(before) + fabs(bias);
        }
    }
    return e;
}

bool agrees(const float *c, int64_t ld, const expected *e) {
    // Errors of random signs grow with the root of their number.
    const double unit = (8 + 2 * sqrt((double)e->terms)) * 0x1p-24;
    for (int64_t i = 0; i < e->rows; i++) {
        for (int64_t j = 0; j < e->columns; j++) {
            const int64_t at = i * e->columns + j;
            if (!(fabs(c[i * ld + j] - e->value[at]) <= unit * e->magnitude[at])) return false;
        }
        for (int64_t j = e->columns; j < ld; j++) {
            if (c[i * ld + j] != untouched) return false;
        }
    }
    return is_scratch_kept(c, e->rows * ld);
}

bool is_same(const float *a, const float *b, int64_t n) { return memcmp(a, b, sizeof(float) * (size_t)n) == 0; }

// MARK: Programs

int32_t emit(builder *b, ck_opcode opcode, int32_t x, int32_t y, int32_t z) {
    ck_program *p = &b->program;
    const int32_t result = p->input_count + p->register_count++;
    b->code[p->instruction_count++] = (ck_instruction){.opcode = opcode, .result = result, .a = x, .b = y, .c = z};
    return result;
}

int32_t emit_constant(builder *b, float value) {
    const int32_t result = emit(b, CK_CONSTANT, 0, 0, 0);
    b->code[b->program.prologue_count++].constant = value;
    return result;
}

void emit_output(builder *b, int32_t value) { b->outputs[b->program.output_count++] = value; }

const ck_program *finish(builder *b) {
    b->program.instructions = b->code;
    b->program.outputs = b->outputs;
    return &b->program;
}

// MARK: All topics

int main(void) {
    static const struct {
        const char *name;
        ck_instruction_set set;
    } known[] = {{"baseline", CK_BASELINE}, {"avx2", CK_AVX2}, {"avx512", CK_AVX512}, {"NEON", CK_NEON}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!ck_is_supported(known[i].set)) continue;
        checked_set *set = &sets[set_count++];
        *set = (checked_set){known[i].name, ck_kernels_for(known[i].set), {NULL, NULL}};
        for (int t = 0; t < 2; t++) {
            set->teams[t] = ck_team_create(1 + 2 * t, known[i].set);
            if (!set->teams[t]) abort();
        }
    }
    static void (*const topics[])(void) = {
        check_dispatch, check_threads, check_products, check_prepared, check_opcodes, check_programs, check_uniform,
        check_rows, check_cross_entropy, check_recurrence,
    };
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        topics[i]();
        release();
    }
    for (int s = 0; s < set_count; s++) {
        for (int t = 0; t < 2; t++) ck_team_destroy(sets[s].teams[t]);
    }
    printf("%ld checks", count);
    for (int s = 0; s < set_count; s++) printf("%s %s", s == 0 ? " of" : ",", sets[s].name);
    printf("\n");
    return 0;
}
