#include "internal.h"
#define WIDTH 4
#define NAME(x) ck_baseline_##x
#include "vector_body.h"
