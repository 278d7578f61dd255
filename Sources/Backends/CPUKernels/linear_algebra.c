#include "CPUKernels.h"
#include <lapacke.h>

int ck_solve(int n, int columns, float *a, float *b, int *pivots) {
    return LAPACKE_sgesv(LAPACK_ROW_MAJOR, n, columns, a, n, pivots, b, columns);
}

int ck_hermitian_eigen(int n, float *matrix, float *eigenvalues) {
    return LAPACKE_cheevd(LAPACK_COL_MAJOR, 'V', 'L', n, (lapack_complex_float *)matrix, n, eigenvalues);
}
