// NVRTC's stand-in. Like NVRTC, it needs no driver; its output runs on the host.
// RELEASE is 13000 or 12090, for the differences between them.
#include "standin.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <nvrtc.h>

// This library works without the driver, so it has its own functions for reports.
namespace standin {
std::string environment(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}
}  // namespace standin

using namespace standin;

namespace {

#if RELEASE >= 13000
const std::vector<int> architectures = {75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121};
const char ptxVersion[] = "9.0", builtins[] = "libnvrtc-builtins.so.13.0";
#else
const std::vector<int> architectures = {50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90, 100, 101, 103, 120, 121};
const char ptxVersion[] = "8.8", builtins[] = "libnvrtc-builtins.so.12.9";
#endif

struct Program {
    std::string text, name, log, image, ptx;
    bool compiled = false;
};
std::recursive_mutex mutex;
auto &programs = *new Handles<Program>();

nvrtcResult fail(const char *function, nvrtcResult code, const char *format, ...) __attribute__((format(printf, 3, 4)));
nvrtcResult fail(const char *function, nvrtcResult code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "stand-in: %s: ", function);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    if (environment("STANDIN_VIOLATIONS", "abort") != "return") abort();
    return code;
}

#define REQUIRE_PROGRAM(handle) \
    std::lock_guard<std::recursive_mutex> guard(mutex); \
    Program *program = programs.find(handle); \
    if (!program) return fail(__func__, NVRTC_ERROR_INVALID_PROGRAM, "the program %s", programs.fault(handle))

nvrtcResult giveSize(const char *function, const std::string &text, size_t *size) {
    if (!size) return fail(function, NVRTC_ERROR_INVALID_INPUT, "nowhere to write to");
    *size = text.size();
    return NVRTC_SUCCESS;
}
nvrtcResult give(const char *function, const std::string &text, char *bytes) {
    if (!bytes) return fail(function, NVRTC_ERROR_INVALID_INPUT, "nowhere to write to");
    memcpy(bytes, text.data(), text.size());
    return NVRTC_SUCCESS;
}

struct Options {
    int architecture = architectures.front();
    bool isReal = false, contracts = true;
};

// Reads the options; returns false if NVRTC would reject one, which `log` then names.
bool read(int count, const char *const *texts, Options &options, std::string &log) {
    static const char *const known[] = {"--std=", "-std=", "--use_fast_math", "-use_fast_math", "--maxrregcount=", "--ftz=", "--prec-div=",
        "--prec-sqrt=", "--generate-line-info", "-lineinfo", "--device-as-default-execution-space", "-default-device",
        "--extra-device-vectorization", "--restrict", "-restrict", "--define-macro=", "-D", "--ptxas-options=", "-Xptxas"};
    for (int i = 0; i < count; i++) {
        std::string option = texts[i] ? texts[i] : "";
        size_t equals = option.find('=');
        std::string name = option.substr(0, equals), value = equals == std::string::npos ? "" : option.substr(equals + 1);
        if (name == "--gpu-architecture" || name == "-arch") {
            options.isReal = value.rfind("sm_", 0) == 0;
            std::string digits = options.isReal ? value.substr(3) : value.rfind("compute_", 0) == 0 ? value.substr(8) : "";
            options.architecture = atoi(digits.c_str());
            if (std::find(architectures.begin(), architectures.end(), options.architecture) == architectures.end()) {
                log = "nvrtc: error: invalid value for --gpu-architecture (-arch)\n";
                return false;
            }
        } else if (name == "--fmad" || name == "-fmad") {
            options.contracts = value != "false";
        } else if (std::none_of(std::begin(known), std::end(known), [&](const char *prefix) { return option.rfind(prefix, 0) == 0; })) {
            log = "nvrtc: error: unrecognized option " + option + " found\n";
            return false;
        }
    }
    return true;
}

}  // namespace

API nvrtcResult nvrtcVersion(int *major, int *minor) {
    if (!major || !minor) return fail(__func__, NVRTC_ERROR_INVALID_INPUT, "nowhere to write to");
    *major = RELEASE / 1000;
    *minor = RELEASE % 1000 / 10;
    return NVRTC_SUCCESS;
}

API const char *nvrtcGetErrorString(nvrtcResult result) {
    switch (result) {
    case NVRTC_SUCCESS: return "NVRTC_SUCCESS";
    case NVRTC_ERROR_INVALID_INPUT: return "NVRTC_ERROR_INVALID_INPUT";
    case NVRTC_ERROR_INVALID_PROGRAM: return "NVRTC_ERROR_INVALID_PROGRAM";
    case NVRTC_ERROR_INVALID_OPTION: return "NVRTC_ERROR_INVALID_OPTION";
    case NVRTC_ERROR_COMPILATION: return "NVRTC_ERROR_COMPILATION";
    case NVRTC_ERROR_BUILTIN_OPERATION_FAILURE: return "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE";
    default: return "NVRTC_ERROR unknown";
    }
}

API nvrtcResult nvrtcGetNumSupportedArchs(int *count) {
    if (!count) return fail(__func__, NVRTC_ERROR_INVALID_INPUT, "nowhere to write to");
    *count = (int)architectures.size();
    return NVRTC_SUCCESS;
}

API nvrtcResult nvrtcGetSupportedArchs(int *numbers) {
    if (!numbers) return fail(__func__, NVRTC_ERROR_INVALID_INPUT, "nowhere to write to");
    std::copy(architectures.begin(), architectures.end(), numbers);
    return NVRTC_SUCCESS;
}

API nvrtcResult nvrtcCreateProgram(
    nvrtcProgram *result, const char *source, const char *name, int headers, const char *const *texts, const char *const *names
) {
    std::lock_guard<std::recursive_mutex> guard(mutex);
    if (!result || !source) return fail(__func__, NVRTC_ERROR_INVALID_INPUT, "%s", result ? "no source" : "nowhere to write to");
    if (headers != 0 || texts || names) return fail(__func__, NVRTC_ERROR_INVALID_INPUT, "the stand-in takes no headers");
    Program *program = programs.make();
    program->text = source;
    program->name = name ? name : "default_program";
    *result = (nvrtcProgram)program;
    return NVRTC_SUCCESS;
}

API nvrtcResult nvrtcDestroyProgram(nvrtcProgram *handle) {
    if (!handle) return fail(__func__, NVRTC_ERROR_INVALID_PROGRAM, "no program");
    REQUIRE_PROGRAM(*handle);
    *program = Program();
    programs.destroy(program);
    *handle = nullptr;
    return NVRTC_SUCCESS;
}

API nvrtcResult nvrtcCompileProgram(nvrtcProgram handle, int count, const char *const *texts) {
    REQUIRE_PROGRAM(handle);
    Options options;
    if (count < 0 || (count > 0 && !texts)) return fail(__func__, NVRTC_ERROR_INVALID_INPUT, "no options");
    if (!read(count, texts, options, program->log)) return NVRTC_ERROR_INVALID_OPTION;
    // By its bare name, as in NVRTC: it is found if it is on the search path or already open.
    static bool opened = dlopen(builtins, RTLD_LAZY | RTLD_LOCAL) != nullptr;
    if (!opened && !(opened = dlopen(builtins, RTLD_LAZY | RTLD_LOCAL) != nullptr)) {
        program->log = std::string("nvrtc: error: failed to open ") + builtins + ".\n  Make sure that " + builtins + " is installed correctly.";
        return NVRTC_ERROR_BUILTIN_OPERATION_FAILURE;
    }
    Compilation compilation = compileKernel(program->text, options.architecture, options.contracts);
    program->log = compilation.log;
    if (!compilation.succeeded) return NVRTC_ERROR_COMPILATION;
    program->compiled = true;
    program->image = options.isReal ? compilation.image : "";
    program->ptx = std::string(".version ") + ptxVersion + "\n.target sm_" + std::to_string(options.architecture) + "\n//source\n"
        + program->text + std::string(1, '\0');
    return NVRTC_SUCCESS;
}

// The log's size includes its final zero.
API nvrtcResult nvrtcGetProgramLogSize(nvrtcProgram handle, size_t *size) {
    REQUIRE_PROGRAM(handle);
    return giveSize(__func__, program->log + '\0', size);
}
API nvrtcResult nvrtcGetProgramLog(nvrtcProgram handle, char *log) {
    REQUIRE_PROGRAM(handle);
    return give(__func__, program->log + '\0', log);
}

#define REQUIRE_COMPILED(handle) \
    REQUIRE_PROGRAM(handle); \
    if (!program->compiled) return fail(__func__, NVRTC_ERROR_INVALID_PROGRAM, "the program hasn't been compiled")

API nvrtcResult nvrtcGetCUBINSize(nvrtcProgram handle, size_t *size) {
    REQUIRE_COMPILED(handle);
    return giveSize(__func__, program->image, size);
}
API nvrtcResult nvrtcGetCUBIN(nvrtcProgram handle, char *bytes) {
    REQUIRE_COMPILED(handle);
    if (program->image.empty()) return fail(__func__, NVRTC_ERROR_INVALID_PROGRAM, "there is no machine code for a virtual architecture");
    return give(__func__, program->image, bytes);
}
API nvrtcResult nvrtcGetPTXSize(nvrtcProgram handle, size_t *size) {
    REQUIRE_COMPILED(handle);
    return giveSize(__func__, program->ptx, size);
}
API nvrtcResult nvrtcGetPTX(nvrtcProgram handle, char *bytes) {
    REQUIRE_COMPILED(handle);
    return give(__func__, program->ptx, bytes);
}
