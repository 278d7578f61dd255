#include "internal.h"
#define WIDTH 4
#define NAME(x) ck_baseline_##x
#include "vector_body.h"

const struct ck_kernels NAME(kernels) = {
    NAME(execute), NAME(load), NAME(store), NAME(add), NAME(sum_columns), NAME(uniform), NAME(exponentials), NULL, NULL,
};
