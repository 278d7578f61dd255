#include "checks.h"

// Every opcode by itself, over ordinary and special values.

typedef struct {
    ck_opcode opcode;
    const char *name;
    int operands;
    double units;  // the largest error, in units in the last place
} operation;

static const operation operations[] = {
    {CK_COPY, "copy", 1, 0}, {CK_NEGATE, "negate", 1, 0}, {CK_ABSOLUTE, "absolute", 1, 0}, {CK_SIGN, "sign", 1, 0},
    {CK_EXP, "exp", 1, 2}, {CK_LOG, "log", 1, 2}, {CK_SQRT, "sqrt", 1, 0}, {CK_TANH, "tanh", 1, 4},
    {CK_SIGMOID, "sigmoid", 1, 4}, {CK_SIN, "sin", 1, 2}, {CK_COS, "cos", 1, 2}, {CK_ERF, "erf", 1, 2},
    {CK_ADD, "add", 2, 0}, {CK_SUBTRACT, "subtract", 2, 0}, {CK_MULTIPLY, "multiply", 2, 0},
    {CK_DIVIDE, "divide", 2, 0}, {CK_MAXIMUM, "maximum", 2, 0}, {CK_MINIMUM, "minimum", 2, 0},
    {CK_GREATER, "greater", 2, 0}, {CK_EQUAL, "equal", 2, 0}, {CK_SELECT, "select", 3, 0},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

static double exact(ck_opcode opcode, double x, double y, double z) {
    switch (opcode) {
    case CK_COPY: return x;
    case CK_NEGATE: return -x;
    case CK_ABSOLUTE: return fabs(x);
    case CK_SIGN: return x > 0 ? 1 : x < 0 ? -1 : 0;
    case CK_EXP: return exp(x);
    case CK_LOG: return log(x);
    case CK_SQRT: return sqrt(x);
    case CK_TANH: return tanh(x);
    case CK_SIGMOID: return 1 / (1 + exp(-x));
    case CK_SIN: return sin(x);
    case CK_COS: return cos(x);
    case CK_ERF: return erf(x);
    case CK_ADD: return x + y;
    case CK_SUBTRACT: return x - y;
    case CK_MULTIPLY: return x * y;
    case CK_DIVIDE: return x / y;
    case CK_MAXIMUM: return x != x || x > y ? x : y;
    case CK_MINIMUM: return x != x || x < y ? x : y;
    case CK_GREATER: return x > y;
    case CK_EQUAL: return x == y;
    case CK_SELECT: return x != 0 ? y : z;
    default: abort();
    }
}

static bool is_within(float result, double value, double units) {
    const float rounded = (float)value;
    if (isnan(value)) return isnan(result);
    if (result == rounded) return true;
    if (!isfinite(rounded) || !isfinite(result)) return false;
    const double spacing = fmax(ldexp(1, ilogbf(rounded) - 23), 0x1p-149);
    return fabs(result - value) <= units * spacing;
}

static const float special[] = {
    0, 1, 2, 0.5f, INFINITY, NAN, 0x1p-126f, 0x1p-149f, 1e-40f, 0x1.fffffep127f, 3, 44, 87.3f, 88, 88.7f, 88.72f,
    88.73f, 100, 103.9f, 104, 1e4f, 0.624999f, 0.625f, 0.92f, 4, 3.92f, 0.78539816f, 1.5707963f, 3.1415927f, 268435456,
    268435488, 3e9f, 1e10f, 1e20f, 1e30f, 3e38f, 0.70710678f, 1e-5f, 16777216, 8388609,
};
enum { SPECIALS = sizeof special / sizeof *special };

static float bits(uint32_t x) {
    float y;
    memcpy(&y, &x, sizeof y);
    return y;
}

// Numbers of every exponent and both signs, and many of the magnitude that occurs in cells.
static int64_t one_operand(float *x) {
    int64_t n = 0;
    for (uint32_t at = 0; at < 0x7F800000; at += 49979) x[n++] = bits(at), x[n++] = -bits(at);
    for (int i = -20 * 512; i <= 20 * 512; i++) x[n++] = (float)i / 512;
    for (int i = 0; i < SPECIALS; i++) x[n++] = special[i], x[n++] = -special[i];
    return n;
}

static int64_t more_operands(float *x, float *y, float *z) {
    int64_t n = 0;
    for (int i = 0; i < 2 * SPECIALS; i++) {
        for (int j = 0; j < 2 * SPECIALS; j++) {
            x[n] = i % 2 ? -special[i / 2] : special[i / 2];
            y[n] = j % 2 ? -special[j / 2] : special[j / 2];
            z[n++] = special[(i + j) % SPECIALS];
        }
    }
    for (int i = 0; i < 5000; i++, n++) {
        x[n] = bits((uint32_t)draw(1 << 30) << 2), y[n] = bits((uint32_t)draw(1 << 30) << 2), z[n] = (float)draw(100);
    }
    return n;
}

static void run(const checked_set *set, const operation *op, float *const operands[3], float *to, int64_t n) {
    builder b = {.program.input_count = op->operands};
    emit_output(&b, emit(&b, op->opcode, 0, op->operands > 1 ? 1 : 0, op->operands > 2 ? 2 : 0));
    const ck_program *program = finish(&b);
    ck_view inputs[3];
    for (int i = 0; i < op->operands; i++) inputs[i] = (ck_view){operands[i], n, 1, 0};
    const ck_view outputs[] = {{to, n, 1, 0}};
    float *work = scratch(ck_workspace(program));
    ck_run(set->teams[0], program, inputs, outputs, NULL, NULL, 0, 1, n, 0, n, work);
    check(is_scratch_kept(work, ck_workspace(program)), "%s: %s writes behind its memory", set->name, op->name);
}

void check_opcodes(void) {
    enum { MOST = 150000 };
    float *single[3] = {filled(MOST, NAN), NULL, NULL};
    const int64_t singles = one_operand(single[0]);
    float *several[3] = {filled(MOST, NAN), filled(MOST, NAN), filled(MOST, NAN)};
    const int64_t count = more_operands(several[0], several[1], several[2]);
    double *values = zeros(MOST);
    for (int o = 0; o < OPERATIONS; o++) {
        const operation *op = &operations[o];
        float *const *operands = op->operands == 1 ? single : several;
        const int64_t n = op->operands == 1 ? singles : count;
        for (int64_t i = 0; i < n; i++) {
            const double y = op->operands > 1 ? operands[1][i] : 0, z = op->operands > 2 ? operands[2][i] : 0;
            values[i] = exact(op->opcode, operands[0][i], y, z);
        }
        for (int s = 0; s < set_count; s++) {
            float *to = output(1, n, n, NAN);
            run(&sets[s], op, operands, to, n);
            for (int64_t i = 0; i < n; i++) {
                if (is_within(to[i], values[i], op->units)) continue;
                check(
                    false, "%s: %s of %.9g, %.9g, %.9g is %.9g, not %.9g", sets[s].name, op->name, operands[0][i],
                    op->operands > 1 ? operands[1][i] : 0, op->operands > 2 ? operands[2][i] : 0, to[i], values[i]);
            }
            check(is_scratch_kept(to, n), "%s: %s writes behind its result", sets[s].name, op->name);
            // An element's bits don't depend on its place.
            for (int64_t length = 1; length < 40; length++) {
                const int64_t first = draw(n - length);
                float *shifted[3], *part = output(1, length, length, NAN);
                for (int i = 0; i < op->operands; i++) {
                    shifted[i] = filled(length, NAN);
                    memcpy(shifted[i], operands[i] + first, sizeof(float) * (size_t)length);
                }
                run(&sets[s], op, shifted, part, length);
                check(
                    is_same(part, to + first, length) && is_scratch_kept(part, length),
                    "%s: %s of %d elements alone", sets[s].name, op->name, (int)length);
            }
        }
    }
}
