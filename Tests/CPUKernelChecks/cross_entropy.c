#include "checks.h"
#include <stdio.h>

typedef struct {
    double loss, magnitude;
    int64_t correct;
    expected inputs, weight, bias;  // gradients
} results;

static results expect_results(const ck_cross_entropy *j) {
    const int64_t n = j->classes, w = j->width;
    const int64_t terms = j->rows + w + 300;
    results e = {0, 0, 0, expect(j->rows, w, n + w + 300), expect(n, w, terms), expect(1, n, terms)};
    // What the gradients of the weight and of the bias are added to.
    for (int64_t i = 0; i < n * w; i++) e.weight.value[i] = 0.5, e.weight.magnitude[i] = 0.5;
    for (int64_t i = 0; i < n; i++) e.bias.value[i] = -0.25, e.bias.magnitude[i] = 0.25;
    double *logits = zeros(n), *factors = zeros(n);
    for (int64_t r = 0; r < j->rows; r++) {
        const float *x = j->inputs + r * j->input_ld;
        int64_t best = 0;
        for (int64_t v = 0; v < n; v++) {
            logits[v] = j->bias[v];
            for (int64_t i = 0; i < w; i++) logits[v] += (double)x[i] * j->weight[v * w + i];
            factors[v] = 1;
            if (j->uses_dropout) {
                const bool is_dropped = plain_uniform(r * n + v, &j->key) < j->dropout_rate;
                factors[v] = is_dropped ? 0 : 1 / (1 - (double)j->dropout_rate);
                logits[v] *= factors[v];
            }
            if (logits[v] > logits[best]) best = v;
        }
        const int32_t target = j->targets[r];
        if (target < 0) continue;
        double sum = 0;
        for (int64_t v = 0; v < n; v++) sum += exp(logits[v] - logits[best]);
        e.loss += logits[best] - logits[target] + log(sum);
        e.magnitude += fabs(logits[best]) + fabs(logits[target]) + log(sum) + 1;
        e.correct += best == target && target != j->excluded_class;
        for (int64_t v = 0; v < n; v++) {
            const double p = exp(logits[v] - logits[best]) / sum, one = v == target;
            const double g = j->scale * (p - one) * factors[v], magnitude = j->scale * (p + one) * factors[v];
            e.bias.value[v] += g, e.bias.magnitude[v] += magnitude;
            for (int64_t i = 0; i < w; i++) {
                e.inputs.value[r * w + i] += g * j->weight[v * w + i];
                e.inputs.magnitude[r * w + i] += magnitude * fabs(j->weight[v * w + i]);
                e.weight.value[v * w + i] += g * x[i];
                e.weight.magnitude[v * w + i] += magnitude * fabs(x[i]);
            }
        }
    }
    return e;
}

static void check_job(int rows, int width, int classes, bool dropout, bool gradients) {
    int32_t *targets = (int32_t *)filled(rows, 0);
    for (int r = 0; r < rows; r++) targets[r] = (int32_t)draw(classes + 1) - 1;  // -1 doesn't count
    const int64_t input_ld = width + 3, gradient_ld = width + 2;
    ck_cross_entropy job = {
        .rows = rows, .width = width, .classes = classes,
        .inputs = matrix(rows, width, input_ld), .input_ld = input_ld,
        .weight = matrix(classes, width, width), .bias = matrix(1, classes, classes),
        .targets = targets, .excluded_class = rows % 2 ? 1 : -1,
        .uses_dropout = dropout, .dropout_rate = dropout ? 0.3f : 0, .key = {5, 6, 7, 8},
        .input_gradient_ld = gradient_ld, .scale = 1 / (float)rows,
    };
    // Many targets are the likeliest class.
    for (int r = 0; r < rows; r += 2) {
        for (int i = 0; i < width && targets[r] >= 0; i++) {
            ((float *)job.inputs)[r * input_ld + i] = 3 * job.weight[(int64_t)targets[r] * width + i];
        }
    }
    const results e = expect_results(&job);
    char name[80];
    snprintf(name, sizeof name, "%d rows of %d, %d classes%s", rows, width, classes, dropout ? ", dropout" : "");
    for (int s = 0; s < set_count; s++) {
        ck_cross_entropy done[2];
        for (int t = 0; t < 2; t++) {
            ck_team *team = sets[s].teams[t];
            const int64_t room = ck_cross_entropy_workspace(team, rows, width, classes);
            float *work = scratch(room);
            done[t] = job;
            if (gradients) {
                done[t].input_gradient = output(rows, width, gradient_ld, NAN);
                done[t].weight_gradient = output(classes, width, width, 0.5f);
                done[t].bias_gradient = output(1, classes, classes, -0.25f);
            }
            ck_softmax_cross_entropy(team, &done[t], work);
            check(
                fabs(done[t].loss - e.loss) <= 1e-6 * e.magnitude && done[t].correct == e.correct
                    && is_scratch_kept(work, room),
                "%s: ck_softmax_cross_entropy, %s: loss %g, %d correct, not %g, %d", sets[s].name, name, done[t].loss,
                (int)done[t].correct, e.loss, (int)e.correct);
            if (!gradients) continue;
            const char *wrong = !agrees(done[t].input_gradient, gradient_ld, &e.inputs) ? "inputs"
                : !agrees(done[t].weight_gradient, width, &e.weight)                    ? "weight"
                : !agrees(done[t].bias_gradient, classes, &e.bias)                      ? "bias"
                                                                                        : NULL;
            check(
                !wrong, "%s: ck_softmax_cross_entropy, %s: gradient of the %s", sets[s].name, name, wrong ? wrong : "");
        }
        bool same = done[0].loss == done[1].loss;
        if (gradients) {
            same = same && is_same(done[0].input_gradient, done[1].input_gradient, rows * gradient_ld)
                && is_same(done[0].weight_gradient, done[1].weight_gradient, (int64_t)classes * width)
                && is_same(done[0].bias_gradient, done[1].bias_gradient, classes);
        }
        check(same, "%s: ck_softmax_cross_entropy, %s: differs with 3 threads", sets[s].name, name);
    }
    release();
}

void check_cross_entropy(void) {
    static const int shapes[][3] = {
        {1, 1, 2}, {2, 3, 10}, {7, 5, 11}, {16, 16, 16}, {33, 20, 257}, {5, 17, 641}, {300, 9, 50}, {257, 12, 1300},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int kind = 0; kind < 4; kind++) check_job(shapes[i][0], shapes[i][1], shapes[i][2], kind & 1, kind & 2);
    }
}
