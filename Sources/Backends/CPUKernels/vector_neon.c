#include "internal.h"
#if defined(__aarch64__)
// Of 32 registers, 24 hold the sums of a block, 4 a line of its panel, and the others elements of A.
#define WIDTH 4
#define PANEL 4
#define BLOCK 6
#define NAME(x) ck_neon_##x
#include "vector_body.h"
#include "product_body.h"

const struct ck_kernels NAME(kernels) = {
    NAME(execute), NAME(load), NAME(store), NAME(add), NAME(sum_columns), NAME(uniform), NAME(exponentials), NAME(pack), NAME(multiply),
};
#endif
