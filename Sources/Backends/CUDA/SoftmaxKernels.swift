/// Softmax cross-entropy of a chunk of logits: block r takes row r from logits to
/// gradient, in place, while the row lies in the caches. The bias is added here: that
/// saves the product from reading it from all rows.
enum SoftmaxKernels {
    /// Writes each row's loss and whether its first largest logit is the target;
    /// with `scale` above 0 the logits become `scale · (softmax − onehot)`, and 0
    /// where dropout had set a logit to 0.
    static let rows = KernelSource(
        name: "softmax_rows",
        body: """
            typedef struct {
                View logits;
                const float *bias;
                const int *targets;
                float *losses;
                uint32 first, columns, drops;
                float scale, rate, keep;
                RandomKey key;
            } Arguments;

            DEVICE float dropped(const Arguments *a, uint32 row, uint32 c, float x) {
                if (!a->drops) return x;
                return a->rate > op_uniform(a->key, (uint64)row * a->columns + c) ? 0.0f : x * a->keep;
            }

            // Once they have been dropped from, logits hold their bias.
            DEVICE float logit(const Arguments *a, uint32 c) {
                const float x = AT(a->logits, BLOCK, c);
                return a->drops ? x : x + a->bias[c];
            }

            KERNEL softmax_rows(const Arguments a) {
                SHARED float values[1024];
                SHARED uint32 places[1024];
                const uint32 row = a.first + BLOCK;
                const int target = a.targets[row];
                float best = -bits_to_float(0x7f800000u);
                uint32 place = ~0u;
                for (uint32 c = THREAD; c < a.columns; c += THREADS) {
                    const float x = dropped(&a, row, c, AT(a.logits, BLOCK, c) + a.bias[c]);
                    if (a.drops) AT(a.logits, BLOCK, c) = x;
                    if (x > best || place == ~0u || x != x) { best = x; place = c; }
                }
                values[THREAD] = best;
                places[THREAD] = place;
                BARRIER();
                for (uint32 half = THREADS / 2; half > 0; half /= 2) {
                    if (THREAD < half) {
                        const float x = values[THREAD + half];
                        const uint32 p = places[THREAD + half];
                        if (p != ~0u && (x > values[THREAD] || x != x || places[THREAD] == ~0u
                                         || (x == values[THREAD] && p < places[THREAD]))) {
                            values[THREAD] = x;
                            places[THREAD] = p;
                        }
                    }
                    BARRIER();
                }
                const float largest = values[0];
                const uint32 guess = places[0];
                BARRIER();
                float sum = 0.0f;
                for (uint32 c = THREAD; c < a.columns; c += THREADS) sum += expf(logit(&a, c) - largest);
                values[THREAD] = sum;
                BARRIER();
                for (uint32 half = THREADS / 2; half > 0; half /= 2) {
                    if (THREAD < half) values[THREAD] += values[THREAD + half];
                    BARRIER();
                }
                sum = values[0];
                if (THREAD == 0) {
                    a.losses[2 * row] = target < 0 ? 0.0f : largest - logit(&a, (uint32)target) + logf(sum);
                    a.losses[2 * row + 1] = target >= 0 && guess == (uint32)target ? 1.0f : 0.0f;
                }
                // The target's logit has been read before any is overwritten.
                BARRIER();
                if (a.scale > 0.0f) {
                    for (uint32 c = THREAD; c < a.columns; c += THREADS) {
                        const float share = expf(logit(&a, c) - largest) / sum;
                        const float g = target < 0 ? 0.0f : a.scale * (share - (c == (uint32)target ? 1.0f : 0.0f));
                        AT(a.logits, BLOCK, c) = dropped(&a, row, c, g);
                    }
                }
            }

            """)
}
