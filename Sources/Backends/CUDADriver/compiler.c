#include "libraries.h"
#include <stdlib.h>

int cud_compiler_version(void) {
    int major = 0, minor = 0;
    cud_nvrtcVersion(&major, &minor);
    return 1000 * major + 10 * minor;
}

int cud_compiler_capabilities(int *capabilities, int most) {
    int count = 0;
    if (cud_nvrtcGetNumSupportedArchs(&count) || count > most || cud_nvrtcGetSupportedArchs(capabilities)) return 0;
    return count;
}

// Reads the compiler's output, or its log after a failure.
static int read(void *program, int (*size_of)(void *, size_t *), int (*get)(void *, char *), char **text, size_t *size) {
    int error = size_of(program, size);
    if (error) return error;
    if (!(*text = malloc(*size + 1))) abort();
    error = get(program, *text);
    (*text)[*size] = 0;
    return error;
}

int cud_compile(
    const char *source, const char *name, const char *const *options, int option_count, bool assembly, char **image, size_t *size
) {
    void *program = NULL;
    *image = NULL;
    *size = 0;
    int error = cud_nvrtcCreateProgram(&program, source, name, 0, NULL, NULL);
    if (error) return CUD_NVRTC_ERROR + error;
    error = cud_nvrtcCompileProgram(program, option_count, options);
    if (error) {
        read(program, cud_nvrtcGetProgramLogSize, cud_nvrtcGetProgramLog, image, size);
    } else if (assembly) {
        error = read(program, cud_nvrtcGetPTXSize, cud_nvrtcGetPTX, image, size);
    } else {
        error = read(program, cud_nvrtcGetCUBINSize, cud_nvrtcGetCUBIN, image, size);
    }
    cud_nvrtcDestroyProgram(&program);
    return error ? CUD_NVRTC_ERROR + error : 0;
}
