// A GRU on tokens in plain loops, which the loops of ck_run_loop are compared with.
#ifndef CHECKS_GRU_H
#define CHECKS_GRU_H

#include "checks.h"

//     a = table[token] + b,  p = U h,  z = σ(a_z + p_z),  r = σ(a_r + p_r),  n = tanh(a_n + r p_n),
//     h' = (1 - z) n + z h;  the loss is Σ g · h' over all steps.
//
// Its parameters are the table, the bias b, the recurrent weight U and the first state.

typedef struct {
    int steps, batch, hidden, tokens, chunks;
} gru_shape;

typedef struct {
    double *table, *bias, *weight, *start;  // [tokens, 3H], [3H], [3H, H], [B, H]
} gru_parameters;

gru_parameters make_gru(const gru_shape *s);
/// Returns the loss, and writes the states h' of all steps if `states` isn't NULL, and the gradients if `d` isn't.
double run_gru(
    const gru_shape *s, const gru_parameters *p, const int32_t *tokens, const double *g, double *states,
    const gru_parameters *d);
/// Checks the gradients d of the plain loops against differences of their loss.
void check_gru(
    const gru_shape *s, const gru_parameters *p, const int32_t *tokens, const double *g, const gru_parameters *d);

#endif
