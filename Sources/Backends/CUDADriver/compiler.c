#include "libraries.h"
#include <stdlib.h>

int cud_compiler_version(void) {
    int major = 0, minor = 0;
    cud_nvrtcVersion(&major, &minor);
    return 1000 * major + 10 * minor;
}

int cud_compile(const char *source, const char *name, const char *architecture, char **image, size_t *size) {
    char option[64] = "--gpu-architecture=";
    size_t length = 19;
    for (const char *c = architecture; *c && length < sizeof option - 1; c++) option[length++] = *c;
    option[length] = 0;
    // Without contraction a value is the same in every kernel that computes it.
    const char *options[] = {option, "--fmad=false", "--std=c++17"};
    void *program = NULL;
    *image = NULL;
    *size = 0;
    int error = cud_nvrtcCreateProgram(&program, source, name, 0, NULL, NULL);
    if (error) return CUD_NVRTC_ERROR + error;
    error = cud_nvrtcCompileProgram(program, 3, options);
    int result = error ? cud_nvrtcGetProgramLogSize(program, size) : cud_nvrtcGetCUBINSize(program, size);
    if (!result && (*image = malloc(*size + 1))) {
        result = error ? cud_nvrtcGetProgramLog(program, *image) : cud_nvrtcGetCUBIN(program, *image);
        (*image)[*size] = 0;
    }
    cud_nvrtcDestroyProgram(&program);
    if (!error) error = result;
    return error ? CUD_NVRTC_ERROR + error : 0;
}
