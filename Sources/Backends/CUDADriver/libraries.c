#define _GNU_SOURCE
#include "libraries.h"
#include "constants.h"
#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFINE(library, result, name, arguments) result(*cud_##name) arguments;
DRIVER_FUNCTIONS(DEFINE)
LIBRARY_FUNCTIONS(DEFINE)
NVRTC_FUNCTIONS(DEFINE)
#undef DEFINE

// Libraries that belong together, newest first. A driver runs releases up to its own.
enum { NVRTC, CUBLAS, CUSOLVER, LIBRARIES, RELEASES = 2, OLDEST_DRIVER = 12000 };
static const char *const titles[LIBRARIES] = {"the run-time compiler NVRTC", "cuBLAS", "cuSOLVER"};
static const struct {
    int version;
    const char *names[LIBRARIES];
    // The libraries that these depend on, dependencies first; wheels may keep them in other folders.
    const char *needs[4];
} releases[RELEASES] = {
    {13000, {"libnvrtc.so.13", "libcublas.so.13", "libcusolver.so.12"}, {"libnvJitLink.so.13", "libcublasLt.so.13", "libcusparse.so.12"}},
    {12000, {"libnvrtc.so.12", "libcublas.so.12", "libcusolver.so.11"}, {"libnvJitLink.so.12", "libcublasLt.so.12", "libcusparse.so.12"}},
};
// The driver, which comes with the machine.
static const char *const driver_name = "libcuda.so.1";
static const char *const driver_folders[] = {"/usr/local/nvidia/lib64", "/usr/local/nvidia/lib", "/usr/lib/wsl/lib", NULL};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *cuda, *opened[RELEASES][LIBRARIES];
static int driver_version;
// Why the last library that was requested can't be opened although it exists; otherwise empty.
static char obstacle[512];

static void *open_path(const char *path, const char *name) {
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *reason = handle ? NULL : dlerror();
    // If a path doesn't exist, dlopen says just that.
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

// NVRTC opens its built-ins library by name alone when it first compiles, and not every
// release looks for it in its own folder, but it finds a library that is already open.
static void open_builtins(void *nvrtc, const char *const *folders) {
    int (*version)(int *, int *) = (int (*)(int *, int *))dlsym(nvrtc, "nvrtcVersion"), major = 0, minor = 0;
    Dl_info place;
    char name[64], beside[PATH_MAX] = "", target[PATH_MAX] = "";
    if (!version || version(&major, &minor)) return;
    snprintf(name, sizeof name, "libnvrtc-builtins.so.%d.%d", major, minor);
    if (dladdr((void *)version, &place) && place.dli_fname && realpath(place.dli_fname, target)) {
        // In the folder of the file that was opened, or of the file that it links to.
        snprintf(beside, sizeof beside, "%s", place.dli_fname);
        if (open_in(name, (const char *const[]){dirname(beside), dirname(target), NULL})) return;
    }
    open_in(name, folders);
}

static void *open_library(int r, int i, const char *const *folders) {
    obstacle[0] = 0;
    void *handle = open_in(releases[r].names[i], folders);
    if (!handle && obstacle[0]) {
        for (int n = 0; releases[r].needs[n]; n++) open_in(releases[r].needs[n], folders);
        obstacle[0] = 0;
        handle = open_in(releases[r].names[i], folders);
    }
    if (handle && i == NVRTC) open_builtins(handle, folders);
    return handle;
}

// Opens the first `count` libraries of a release; returns how many could be opened.
static int open_release(int r, int count, const char *const *folders) {
    for (int i = 0; i < count; i++) {
        if (!opened[r][i] && !(opened[r][i] = open_library(r, i, folders))) return i;
    }
    return count;
}

// The lowest capability that a release compiles for, or 0 if it doesn't say.
static int lowest_capability(int r) {
    int (*count)(int *) = (int (*)(int *))dlsym(opened[r][NVRTC], "nvrtcGetNumSupportedArchs");
    int (*list)(int *) = (int (*)(int *))dlsym(opened[r][NVRTC], "nvrtcGetSupportedArchs");
    int known = 0, capabilities[256], lowest = 0;
    if (!count || !list || count(&known) || known > 256 || list(capabilities)) return 0;
    for (int k = 0; k < known; k++) {
        if (!lowest || capabilities[k] < lowest) lowest = capabilities[k];
    }
    return lowest;
}

// What the message says about the release that is nearest to being complete.
struct shortcoming { int found; char names[128], reason[512]; };

static void note_shortcoming(struct shortcoming *s, int r, int found) {
    if (found < s->found) return;
    if (found > s->found) s->names[0] = s->reason[0] = 0;
    s->found = found;
    size_t length = strlen(s->names);
    snprintf(s->names + length, sizeof s->names - length, "%s%s", length ? " or " : "", releases[r].names[found]);
    if (obstacle[0]) memcpy(s->reason, obstacle, sizeof obstacle);
}

// Appends to the message as much as fits.
#define SAY(...) (length += length < capacity ? (size_t)snprintf(message + length, capacity - length, __VA_ARGS__) : 0)

// Returns the newest release that is complete, that the driver can run and that compiles
// for the device's capability (unless these are 0), or -1 if there is none.
static int choose_release(int count, const char *const *folders, int driver, int capability, char *message, size_t capacity) {
    struct shortcoming missing = {.found = -1};
    int too_new = -1;
    size_t length = 0;
    for (int r = 0; r < RELEASES; r++) {
        if (driver && releases[r].version > driver) continue;
        int found = open_release(r, NVRTC + 1, folders);
        if (found && capability && lowest_capability(r) > capability) {
            too_new = r;
            continue;
        }
        if (found) found = open_release(r, count, folders);
        if (found == count) return r;
        note_shortcoming(&missing, r, found);
    }
    if (too_new >= 0) {
        int lowest = lowest_capability(too_new);
        SAY("the device has compute capability %d.%d, but NVRTC of CUDA %d compiles for %d.%d and higher", capability / 10, capability % 10,
            releases[too_new].version / 1000, lowest / 10, lowest % 10);
        if (missing.found >= 0) SAY("; of an older release ");
    }
    if (missing.found >= 0) {
        SAY("%s (%s) ", titles[missing.found], missing.names);
        if (missing.reason[0]) SAY("can't be opened: %s", missing.reason);
        else SAY("isn't found");
    }
    if (driver && driver < releases[0].version) SAY("; the driver is for CUDA %d.%d", driver / 1000, driver % 1000 / 10);
    return -1;
}

#define RESOLVE(library, result, name, arguments) \
    if (!cud_##name && !(*(void **)&cud_##name = dlsym(library, #name))) { \
        snprintf(message, capacity, "%s has no function %s; it is too old", "lib" #library, #name); \
        return false; \
    }

static bool find_driver(void) {
    if (!cuda && !(cuda = open_path(driver_name, driver_name))) cuda = open_in(driver_name, driver_folders);
    return cuda != NULL;
}

static bool open_driver(char *message, size_t capacity) {
    obstacle[0] = 0;
    if (!find_driver()) {
        if (obstacle[0]) snprintf(message, capacity, "NVIDIA's driver can't be opened: %s", obstacle);
        else snprintf(message, capacity, "NVIDIA's driver (%s) isn't found", driver_name);
        return false;
    }
    int (*version)(int *) = (int (*)(int *))dlsym(cuda, "cuDriverGetVersion");
    if (version && !driver_version) version(&driver_version);
    if (driver_version && driver_version < OLDEST_DRIVER) {
        snprintf(message, capacity, "NVIDIA's driver is for CUDA %d.%d; 12.0 or newer is needed", driver_version / 1000, driver_version % 1000 / 10);
        return false;
    }
    DRIVER_FUNCTIONS(RESOLVE)
    return true;
}

static bool open_compiler(const char *const *folders, char *message, size_t capacity) {
    if (cud_nvrtcVersion) return true;
    // Without a usable driver any release will do.
    int driver = open_driver(message, capacity) ? driver_version : 0;
    int r = choose_release(NVRTC + 1, folders, driver, 0, message, capacity);
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

int cud_device_count(void) {
    int count = 0;
    pthread_mutex_lock(&lock);
    if (find_driver()) {
        // The functions are resolved here so that a driver that lacks others can be asked too.
        int (*start)(unsigned) = (int (*)(unsigned))dlsym(cuda, "cuInit");
        int (*count_them)(int *) = (int (*)(int *))dlsym(cuda, "cuDeviceGetCount");
        if (!start || !count_them || start(0) || count_them(&count)) count = 0;
    }
    pthread_mutex_unlock(&lock);
    return count;
}

// Finds the capability of a device; returns false if there is no such device or it can't be queried.
static bool find_device(int device, int *capability, char *message, size_t capacity) {
    int count = 0, ordinal = 0, major = 0, minor = 0, error = cud_cuInit(0);
    if (!error) error = cud_cuDeviceGetCount(&count);
    if (error) {
        snprintf(message, capacity, "the driver can't be used: %s", cud_error_text(error));
        return false;
    }
    if (count == 0) {
        snprintf(message, capacity, "the driver sees no device");
        return false;
    }
    if (device < 0 || device >= count) {
        if (count == 1) snprintf(message, capacity, "there is no device %d; there is only device 0", device);
        else snprintf(message, capacity, "there is no device %d; there are %d, counted from 0", device, count);
        return false;
    }
    error = cud_cuDeviceGet(&ordinal, device);
    if (!error) error = cud_cuDeviceGetAttribute(&major, CAPABILITY_MAJOR, ordinal);
    if (!error) error = cud_cuDeviceGetAttribute(&minor, CAPABILITY_MINOR, ordinal);
    if (error) snprintf(message, capacity, "device %d can't be used: %s", device, cud_error_text(error));
    *capability = 10 * major + minor;
    return !error;
}

static bool open_libraries(const char *const *folders, int capability, char *message, size_t capacity) {
    // Libraries that were opened before stay.
    if (cud_cublasCreate_v2) return true;
    int r = choose_release(LIBRARIES, folders, driver_version, capability, message, capacity);
    if (r < 0) return false;
    void *nvrtc = opened[r][NVRTC], *cublas = opened[r][CUBLAS], *cusolver = opened[r][CUSOLVER];
    NVRTC_FUNCTIONS(RESOLVE)
    LIBRARY_FUNCTIONS(RESOLVE)
    return true;
}

int cud_open(const char *const *folders, int device, char *message, size_t capacity) {
    int capability = 0, result = CUD_OPEN;
    pthread_mutex_lock(&lock);
    if (!open_driver(message, capacity)) result = CUD_NOT_INSTALLED;
    else if (!find_device(device, &capability, message, capacity)) result = CUD_NO_DEVICE;
    else if (!open_libraries(folders, capability, message, capacity)) result = CUD_NOT_INSTALLED;
    pthread_mutex_unlock(&lock);
    return result;
}
