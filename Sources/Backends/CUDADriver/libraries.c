#define _GNU_SOURCE
#include "libraries.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define DEFINE(library, result, name, arguments) result(*cud_##name) arguments;
CUDA_FUNCTIONS(DEFINE)
NVRTC_FUNCTIONS(DEFINE)
#undef DEFINE

// Newest first: CUDA 13, 12.
static const char *const cuda_names[] = {"libcuda.so.1", NULL};
static const char *const nvrtc_names[] = {"libnvrtc.so.13", "libnvrtc.so.12", NULL};
static const char *const cublas_names[] = {"libcublas.so.13", "libcublas.so.12", NULL};
static const char *const cusolver_names[] = {"libcusolver.so.12", "libcusolver.so.11", NULL};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *cuda, *nvrtc, *cublas, *cusolver;

static void *open_any(const char *const *names, const char *const *folders) {
    char path[4096];
    for (int i = 0; names[i]; i++) {
        for (int f = 0; folders && folders[f]; f++) {
            snprintf(path, sizeof path, "%s/%s", folders[f], names[i]);
            // Global, since NVIDIA's libraries look for one another by name.
            void *handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
            if (handle) return handle;
        }
        void *handle = dlopen(names[i], RTLD_NOW | RTLD_GLOBAL);
        if (handle) return handle;
    }
    return NULL;
}

static bool open_library(
    void **library, const char *const *names, const char *what, const char *const *folders, char *message, size_t capacity
) {
    if (!*library) *library = open_any(names, folders);
    if (!*library) {
        snprintf(message, capacity, "%s (%s%s%s) isn't found", what, names[0], names[1] ? " or " : "", names[1] ? names[1] : "");
    }
    return *library != NULL;
}

#define RESOLVE(library, result, name, arguments) \
    if (!cud_##name && !(*(void **)&cud_##name = dlsym(library, #name))) { \
        snprintf(message, capacity, "%s has no function %s; it is too old", "lib" #library, #name); \
        return false; \
    }

static bool open_compiler(const char *const *folders, char *message, size_t capacity) {
    if (!open_library(&nvrtc, nvrtc_names, "the run-time compiler NVRTC", folders, message, capacity)) return false;
    NVRTC_FUNCTIONS(RESOLVE)
    return true;
}

bool cud_open_compiler(const char *const *folders, char *message, size_t capacity) {
    pthread_mutex_lock(&lock);
    bool done = open_compiler(folders, message, capacity);
    pthread_mutex_unlock(&lock);
    return done;
}

static bool open_all(const char *const *folders, char *message, size_t capacity) {
    if (!open_library(&cuda, cuda_names, "NVIDIA's driver", NULL, message, capacity)) return false;
    if (!open_compiler(folders, message, capacity)) return false;
    // cuSOLVER needs cuSPARSE and nvJitLink, which wheels keep in other folders.
    static const char *const sparse[] = {"libcusparse.so.12", NULL}, *const link[] = {"libnvJitLink.so.13", "libnvJitLink.so.12", NULL};
    static const char *const lt[] = {"libcublasLt.so.13", "libcublasLt.so.12", NULL};
    open_any(link, folders);
    open_any(lt, folders);
    open_any(sparse, folders);
    if (!open_library(&cublas, cublas_names, "cuBLAS", folders, message, capacity)) return false;
    if (!open_library(&cusolver, cusolver_names, "cuSOLVER", folders, message, capacity)) return false;
    CUDA_FUNCTIONS(RESOLVE)
    return true;
}

bool cud_open(const char *const *folders, char *message, size_t capacity) {
    pthread_mutex_lock(&lock);
    bool done = open_all(folders, message, capacity);
    pthread_mutex_unlock(&lock);
    return done;
}
