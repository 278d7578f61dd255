#define _GNU_SOURCE
#include "libraries.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFINE(library, result, name, arguments) result(*cud_##name) arguments;
CUDA_FUNCTIONS(DEFINE)
NVRTC_FUNCTIONS(DEFINE)
#undef DEFINE

// What belongs together, newest first. A driver runs releases up to its own.
enum { NVRTC, CUBLAS, CUSOLVER, LIBRARIES, RELEASES = 2, OLDEST_DRIVER = 12000 };
static const char *const titles[LIBRARIES] = {"the run-time compiler NVRTC", "cuBLAS", "cuSOLVER"};
static const struct {
    int version;
    const char *names[LIBRARIES];
    // What these need, in the order of their own needs; wheels may keep it in other folders.
    const char *needs[4];
} releases[RELEASES] = {
    {13000, {"libnvrtc.so.13", "libcublas.so.13", "libcusolver.so.12"}, {"libnvJitLink.so.13", "libcublasLt.so.13", "libcusparse.so.12"}},
    {12000, {"libnvrtc.so.12", "libcublas.so.12", "libcusolver.so.11"}, {"libnvJitLink.so.12", "libcublasLt.so.12", "libcusparse.so.12"}},
};
// Of the driver, which comes with the machine.
static const char *const driver_name = "libcuda.so.1";
static const char *const driver_folders[] = {"/usr/local/nvidia/lib64", "/usr/local/nvidia/lib", "/usr/lib/wsl/lib", NULL};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *cuda, *opened[RELEASES][LIBRARIES];
static int driver_version;
// Why a library that is there can't be opened.
static char obstacle[512];

static void *open_path(const char *path, const char *name) {
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *reason = handle ? NULL : dlerror();
    // Of a path that isn't there, dlopen says just that.
    if (reason && (path == name ? strncmp(reason, name, strlen(name)) != 0 : access(path, F_OK) == 0)) {
        snprintf(obstacle, sizeof obstacle, "%s", reason);
    }
    return handle;
}

static void *open_in(const char *name, const char *const *folders) {
    char path[4096];
    for (int f = 0; folders && folders[f]; f++) {
        snprintf(path, sizeof path, "%s/%s", folders[f], name);
        void *handle = open_path(path, name);
        if (handle) return handle;
    }
    return open_path(name, name);
}

static bool open_driver(void) {
    if (!cuda && !(cuda = open_path(driver_name, driver_name))) cuda = open_in(driver_name, driver_folders);
    if (cuda && !driver_version) {
        int (*version)(int *) = (int (*)(int *))dlsym(cuda, "cuDriverGetVersion");
        if (version) version(&driver_version);
    }
    return cuda != NULL;
}

// Opens the first `count` libraries of a release; how many there are.
static int open_release(int r, int count, const char *const *folders) {
    for (int i = 0; i < count; i++) {
        if (opened[r][i]) continue;
        if ((opened[r][i] = open_in(releases[r].names[i], folders))) continue;
        for (int n = 0; releases[r].needs[n]; n++) open_in(releases[r].needs[n], folders);
        if (!(opened[r][i] = open_in(releases[r].names[i], folders))) return i;
    }
    return count;
}

// The newest release that is complete and that the driver, if there is one, can run;
// -1 if there is none, and what is missing of the one that is nearest to it.
static int choose_release(int count, const char *const *folders, char *message, size_t capacity) {
    int most = -1;
    char names[128] = "";
    obstacle[0] = 0;
    for (int r = 0; r < RELEASES; r++) {
        if (driver_version && releases[r].version > driver_version) continue;
        int found = open_release(r, count, folders);
        if (found == count) return r;
        if (found < most) continue;
        size_t length = found > most ? 0 : strlen(names);
        snprintf(names + length, sizeof names - length, "%s%s", length ? " or " : "", releases[r].names[found]);
        most = found;
    }
    int length = snprintf(message, capacity, obstacle[0] ? "%s (%s) can't be opened: %s" : "%s (%s) isn't found", titles[most < 0 ? 0 : most], names, obstacle);
    if (driver_version && driver_version < releases[0].version && length >= 0 && (size_t)length < capacity) {
        snprintf(message + length, capacity - (size_t)length, "; the driver is for CUDA %d.%d", driver_version / 1000, driver_version % 1000 / 10);
    }
    return -1;
}

#define RESOLVE(library, result, name, arguments) \
    if (!cud_##name && !(*(void **)&cud_##name = dlsym(library, #name))) { \
        snprintf(message, capacity, "%s has no function %s; it is too old", "lib" #library, #name); \
        return false; \
    }

static bool open_compiler(const char *const *folders, char *message, size_t capacity) {
    if (cud_nvrtcVersion) return true;
    open_driver();
    int r = choose_release(NVRTC + 1, folders, message, capacity);
    if (r < 0) return false;
    void *nvrtc = opened[r][NVRTC];
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
    if (!open_driver()) {
        snprintf(message, capacity, "NVIDIA's driver (%s) isn't found", driver_name);
        return false;
    }
    if (driver_version && driver_version < OLDEST_DRIVER) {
        snprintf(message, capacity, "NVIDIA's driver is for CUDA %d.%d; 12.0 or newer is needed", driver_version / 1000, driver_version % 1000 / 10);
        return false;
    }
    int r = choose_release(LIBRARIES, folders, message, capacity);
    if (r < 0) return false;
    void *nvrtc = opened[r][NVRTC], *cublas = opened[r][CUBLAS], *cusolver = opened[r][CUSOLVER];
    // A compiler that was opened before stays.
    NVRTC_FUNCTIONS(RESOLVE)
    CUDA_FUNCTIONS(RESOLVE)
    return true;
}

bool cud_open(const char *const *folders, char *message, size_t capacity) {
    pthread_mutex_lock(&lock);
    bool done = open_all(folders, message, capacity);
    pthread_mutex_unlock(&lock);
    return done;
}
