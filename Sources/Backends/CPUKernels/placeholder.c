#include "CPUKernels.h"
int cpu_kernels_placeholder(void) { return 0; }
