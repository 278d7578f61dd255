#include "gru.h"

gru_parameters make_gru(const gru_shape *s) {
    const int64_t h = s->hidden;
    return (gru_parameters){zeros(s->tokens * 3 * h), zeros(3 * h), zeros(3 * h * h), zeros(s->batch * h)};
}

static double sigma(double x) { return 1 / (1 + exp(-x)); }

double run_gru(
    const gru_shape *s, const gru_parameters *p, const int32_t *tokens, const double *g, double *states,
    const gru_parameters *d) {
    const int64_t H = s->hidden, B = s->batch, T = s->steps;
    double *h = zeros((T + 1) * H), *z = zeros(T * H), *r = zeros(T * H), *n = zeros(T * H), *u = zeros(T * 3 * H);
    double *dh = zeros(H), *before = zeros(H), *du = zeros(3 * H), loss = 0;
    for (int64_t b = 0; b < B; b++) {
        for (int64_t i = 0; i < H; i++) h[i] = p->start[b * H + i], dh[i] = 0;
        for (int64_t t = 0; t < T; t++) {
            const double *a = p->table + tokens[t * B + b] * 3 * H;
            for (int64_t j = 0; j < 3 * H; j++) {
                u[t * 3 * H + j] = 0;
                for (int64_t i = 0; i < H; i++) u[t * 3 * H + j] += p->weight[j * H + i] * h[t * H + i];
            }
            for (int64_t i = 0; i < H; i++) {
                const double *product = u + t * 3 * H + i;
                z[t * H + i] = sigma(a[i] + p->bias[i] + product[0]);
                r[t * H + i] = sigma(a[H + i] + p->bias[H + i] + product[H]);
                n[t * H + i] = tanh(a[2 * H + i] + p->bias[2 * H + i] + r[t * H + i] * product[2 * H]);
                const double next = (1 - z[t * H + i]) * n[t * H + i] + z[t * H + i] * h[t * H + i];
                h[(t + 1) * H + i] = next;
                loss += g[(t * B + b) * H + i] * next;
                if (states) states[(t * B + b) * H + i] = next;
            }
        }
        for (int64_t t = T - 1; d && t >= 0; t--) {
            double *da = d->table + tokens[t * B + b] * 3 * H;
            for (int64_t i = 0; i < H; i++) {
                const double y = z[t * H + i], q = r[t * H + i], m = n[t * H + i];
                const double whole = dh[i] + g[(t * B + b) * H + i];
                const double dn = whole * (1 - y) * (1 - m * m);
                const double deltas[] = {
                    whole * (h[t * H + i] - m) * y * (1 - y), dn * u[t * 3 * H + 2 * H + i] * q * (1 - q), dn,
                };
                for (int64_t k = 0; k < 3; k++) {
                    da[k * H + i] += deltas[k];
                    d->bias[k * H + i] += deltas[k];
                    du[k * H + i] = deltas[k] * (k == 2 ? q : 1);
                }
                before[i] = whole * y;
            }
            for (int64_t j = 0; j < 3 * H; j++) {
                for (int64_t i = 0; i < H; i++) {
                    d->weight[j * H + i] += du[j] * h[t * H + i];
                    before[i] += du[j] * p->weight[j * H + i];
                }
            }
            memcpy(dh, before, sizeof(double) * (size_t)H);
        }
        for (int64_t i = 0; d && i < H; i++) d->start[b * H + i] = dh[i];
    }
    return loss;
}

void check_gru(
    const gru_shape *s, const gru_parameters *p, const int32_t *tokens, const double *g, const gru_parameters *d) {
    const int64_t h = s->hidden, sizes[] = {s->tokens * 3 * h, 3 * h, 3 * h * h, s->batch * h};
    double *const values[] = {p->table, p->bias, p->weight, p->start};
    const double *const gradients[] = {d->table, d->bias, d->weight, d->start};
    for (int i = 0; i < 4; i++) {
        for (int repeat = 0; repeat < 5; repeat++) {
            const int64_t at = draw(sizes[i]);
            const double kept = values[i][at], step = 1e-5;
            values[i][at] = kept + step;
            const double above = run_gru(s, p, tokens, g, NULL, NULL);
            values[i][at] = kept - step;
            const double below = run_gru(s, p, tokens, g, NULL, NULL);
            values[i][at] = kept;
            const double slope = (above - below) / (2 * step);
            check(fabs(slope - gradients[i][at]) < 1e-7, "these checks: the GRU's gradient %d in plain loops", i);
        }
    }
}
