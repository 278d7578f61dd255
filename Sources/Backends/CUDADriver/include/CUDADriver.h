#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// libcuda, NVRTC, cuBLAS and cuSOLVER, opened at run time: nothing of CUDA is
/// needed to build this. Functions return 0, or an error that cud_error_text
/// explains. Declarations follow NVIDIA's public headers (CUDA 12 and 13 share
/// them as far as they are used here), which scripts/check-cuda-declarations confirms.

/// Opens the libraries for a device, counted from 0. `folders` (ended by NULL) are searched
/// before the system's own places. All are of one release of CUDA, the newest that is
/// complete, that the driver can run and that compiles for the device. If it is not
/// CUD_OPEN, `message` says what is missing, or why there is no such device.
int cud_open(const char *const *folders, int device, char *message, size_t capacity);
enum { CUD_OPEN = 0, CUD_NOT_INSTALLED = 1, CUD_NO_DEVICE = 2 };
/// NVRTC alone, which needs no driver; false if it isn't found.
bool cud_open_compiler(const char *const *folders, char *message, size_t capacity);
/// How many devices the driver sees; 0 if there is no driver.
int cud_device_count(void);

/// Compiles CUDA C to a binary, or to PTX (which then ends with a 0). The image is to be
/// freed with free(); on failure it holds the compiler's log.
int cud_compile(
    const char *source, const char *name, const char *const *options, int option_count, bool assembly, char **image, size_t *size);
/// major · 1000 + minor · 10 of the compiler.
int cud_compiler_version(void);
/// The capabilities (major · 10 + minor) that it compiles for, ascending; how many.
int cud_compiler_capabilities(int *capabilities, int most);

/// Of the calling thread, until its next call.
const char *cud_error_text(int error);

typedef struct cud_device cud_device;

/// After cud_open of the same index. NULL if it can't be used; `message` then says why.
cud_device *cud_device_open(int index, char *message, size_t capacity);
void cud_device_close(cud_device *device);
const char *cud_device_name(const cud_device *device);
/// major · 10 + minor.
int cud_device_capability(const cud_device *device);
int cud_device_processors(const cud_device *device);
/// The most shared memory of a block, in bytes.
int cud_device_shared_memory(const cud_device *device);
/// Of a block, 32 bits each.
int cud_device_registers(const cud_device *device);
/// Whether it can have all blocks of a kernel at once.
bool cud_device_starts_cooperatively(const cud_device *device);
int cud_driver_version(void);

int cud_memory_info(cud_device *device, size_t *free, size_t *total);
int cud_allocate(cud_device *device, size_t bytes, uint64_t *address, bool *is_out_of_memory);
int cud_release(cud_device *device, uint64_t address);
/// `source` may be overwritten when it returns, which the copy doesn't wait for.
int cud_upload(cud_device *device, uint64_t address, const void *source, size_t bytes);
/// Waits for everything that was asked for before it.
int cud_download(cud_device *device, void *destination, uint64_t address, size_t bytes);
/// A copy to the host that is under way, into pinned memory.
typedef struct cud_transfer cud_transfer;
/// Returns at once; the copy is made after everything before it.
int cud_start_download(cud_device *device, uint64_t address, size_t bytes, cud_transfer **transfer);
/// Waits for this copy and no other work, and ends the transfer. Without a destination
/// nothing is waited for.
int cud_finish_download(cud_device *device, cud_transfer *transfer, void *destination, size_t bytes);
int cud_clear(cud_device *device, uint64_t address, size_t bytes);
int cud_synchronize(cud_device *device);

/// Loads a kernel that may be started with as much dynamic shared memory. `image` is a
/// binary, or PTX, which the driver then compiles.
int cud_load_kernel(cud_device *device, const void *image, const char *name, int shared_memory, void **module, void **function);
/// Waits for the work that may use it.
int cud_unload_kernel(cud_device *device, void *module);
/// One struct, passed by value, is the kernel's only argument. A cooperative
/// launch has all blocks on the device at once, or fails.
int cud_launch(
    cud_device *device, void *function, const uint32_t grid[3], const uint32_t block[3], uint32_t shared_memory,
    void *arguments, bool cooperative);

/// How products are computed.
enum { CUD_FLOAT32 = 0, CUD_TF32 = 1, CUD_BFLOAT16 = 2 };
/// Column-major, as cublasSgemm: C [m, n] ← alpha · op(A) · op(B) + beta · C.
int cud_gemm(
    cud_device *device, int precision, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha, uint64_t a, int lda,
    uint64_t b, int ldb, float beta, uint64_t c, int ldc);
/// A · X = B for column-major A [n, n] (destroyed) and B [n, columns]; with
/// `transpose`, Aᵀ · X = B. `info` > 0: singular.
int cud_solve(cud_device *device, bool transpose, int n, int columns, uint64_t a, uint64_t b, int *info);
/// Eigenvalues, ascending, and eigenvectors (in place, as columns) of a column-major
/// Hermitian matrix [n, n] of interleaved complex numbers. `info` > 0: no convergence.
int cud_hermitian_eigen(cud_device *device, int n, uint64_t matrix, uint64_t eigenvalues, int *info);

/// What one thread launches between begin and end isn't run but recorded, while others
/// wait. Whatever can't be recorded is refused, and then end fails.
int cud_begin_capture(cud_device *device);
int cud_end_capture(cud_device *device, void **graph);
int cud_run_graph(cud_device *device, void *graph);
int cud_free_graph(cud_device *device, void *graph);
