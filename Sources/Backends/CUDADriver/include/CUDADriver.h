#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// libcuda, NVRTC, cuBLAS and cuSOLVER, opened at run time: no part of CUDA is
/// needed to build this. Functions return 0, or an error that cud_error_text
/// explains. The declarations follow NVIDIA's public headers (for what is used here,
/// CUDA 12 and 13 agree); scripts/check-cuda-declarations verifies that.

/// Opens the libraries for a device, counted from 0. `folders` (ended by NULL) are searched
/// before the system's folders. All libraries are from one release of CUDA: the newest that
/// is complete, that the driver can run and that compiles for the device. If the result isn't
/// CUD_OPEN, `message` says what is missing, or why there is no such device.
int cud_open(const char *const *folders, int device, char *message, size_t capacity);
enum { CUD_OPEN = 0, CUD_NOT_INSTALLED = 1, CUD_NO_DEVICE = 2 };
/// Opens NVRTC alone, which needs no driver; returns false if it isn't found.
bool cud_open_compiler(const char *const *folders, char *message, size_t capacity);
/// Returns the number of devices that the driver sees; 0 if there is no driver.
int cud_device_count(void);

/// Compiles CUDA C to a binary, or to PTX (which then ends with a 0). The caller frees the
/// image with free(); on failure it holds the compiler's log.
int cud_compile(
    const char *source, const char *name, const char *const *options, int option_count, bool assembly, char **image, size_t *size);
/// Returns the compiler's version, as major · 1000 + minor · 10.
int cud_compiler_version(void);
/// Writes the capabilities (major · 10 + minor) that it compiles for, in ascending order;
/// returns how many there are.
int cud_compiler_capabilities(int *capabilities, int most);

/// Returns a description of an error. It is the calling thread's own, and valid until its next call.
const char *cud_error_text(int error);

typedef struct cud_device cud_device;

/// Opens a device, after cud_open with the same index. Returns NULL if it can't be used;
/// `message` then says why.
cud_device *cud_device_open(int index, char *message, size_t capacity);
void cud_device_close(cud_device *device);
const char *cud_device_name(const cud_device *device);
/// Returns the compute capability, as major · 10 + minor.
int cud_device_capability(const cud_device *device);
int cud_device_processors(const cud_device *device);
/// Returns the most shared memory that a block may have, in bytes.
int cud_device_shared_memory(const cud_device *device);
/// Returns the number of 32-bit registers that a block may have.
int cud_device_registers(const cud_device *device);
/// Whether the device can run all blocks of a kernel at once.
bool cud_device_starts_cooperatively(const cud_device *device);
int cud_driver_version(void);

int cud_memory_info(cud_device *device, size_t *free, size_t *total);
int cud_allocate(cud_device *device, size_t bytes, uint64_t *address, bool *is_out_of_memory);
int cud_release(cud_device *device, uint64_t address);
/// May return before the copy has been made; `source` may be overwritten even so.
int cud_upload(cud_device *device, uint64_t address, const void *source, size_t bytes);
/// Waits for all earlier work.
int cud_download(cud_device *device, void *destination, uint64_t address, size_t bytes);
/// A copy to the host's pinned memory that is under way.
typedef struct cud_transfer cud_transfer;
/// Returns at once; the copy is made after all earlier work.
int cud_start_download(cud_device *device, uint64_t address, size_t bytes, cud_transfer **transfer);
/// Waits for this copy and no other work, and ends the transfer. If `destination` is NULL,
/// it doesn't wait.
int cud_finish_download(cud_device *device, cud_transfer *transfer, void *destination, size_t bytes);
int cud_clear(cud_device *device, uint64_t address, size_t bytes);
int cud_synchronize(cud_device *device);

/// Loads a kernel that may be started with `shared_memory` bytes of dynamic shared memory.
/// `image` is a binary, or PTX, which the driver then compiles.
int cud_load_kernel(cud_device *device, const void *image, const char *name, int shared_memory, void **module, void **function);
/// Waits for the work that may use the kernel, and unloads it.
int cud_unload_kernel(cud_device *device, void *module);
/// Starts a kernel, whose only argument is one struct, passed by value. A cooperative
/// launch has all blocks on the device at once, or fails.
int cud_launch(
    cud_device *device, void *function, const uint32_t grid[3], const uint32_t block[3], uint32_t shared_memory,
    void *arguments, bool cooperative);

/// The precision in which products are computed.
enum { CUD_FLOAT32 = 0, CUD_TF32 = 1, CUD_BFLOAT16 = 2 };
/// Computes C [m, n] ← alpha · op(A) · op(B) + beta · C, column-major as in cublasSgemm.
int cud_gemm(
    cud_device *device, int precision, bool transpose_a, bool transpose_b, int m, int n, int k, float alpha, uint64_t a, int lda,
    uint64_t b, int ldb, float beta, uint64_t c, int ldc);
/// Solves A · X = B, or with `transpose` Aᵀ · X = B, for column-major A [n, n] (destroyed)
/// and B [n, columns], which X replaces. `info` > 0 means that A is singular.
int cud_solve(cud_device *device, bool transpose, int n, int columns, uint64_t a, uint64_t b, int *info);
/// Finds the eigenvalues, ascending, and the eigenvectors (in place, as columns) of a
/// column-major Hermitian matrix [n, n] of interleaved complex numbers. `info` > 0 means
/// that it didn't converge.
int cud_hermitian_eigen(cud_device *device, int n, uint64_t matrix, uint64_t eigenvalues, int *info);

/// Launches of one thread between begin and end are recorded rather than run, while other
/// threads wait. Calls that can't be recorded are refused, and then end fails.
int cud_begin_capture(cud_device *device);
int cud_end_capture(cud_device *device, void **graph);
int cud_run_graph(cud_device *device, void *graph);
int cud_free_graph(cud_device *device, void *graph);
