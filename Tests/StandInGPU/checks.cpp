#include "checks.h"

#include <dlfcn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

const char *const filling = "for (uint32 i = BLOCK * THREADS + THREAD; i < a.count; i += BLOCKS * THREADS) a.data[i] = a.value;";

void openBuiltins() {
    std::string path = std::string(getenv("CUDA_HOME")) + "/lib64/libnvrtc-builtins.so.13.0";
    REQUIRE(dlopen(path.c_str(), RTLD_NOW));
}

std::string compile(const std::string &text, const char *architecture) {
    openBuiltins();
    nvrtcProgram program = nullptr;
    std::string option = std::string("--gpu-architecture=") + architecture;
    const char *options[] = {option.c_str(), "--fmad=false", "--std=c++17"};
    OK(nvrtcCreateProgram(&program, text.c_str(), "check.cu", 0, nullptr, nullptr));
    if (nvrtcCompileProgram(program, 3, options)) {
        size_t size = 0;
        OK(nvrtcGetProgramLogSize(program, &size));
        std::string log(size, 0);
        OK(nvrtcGetProgramLog(program, &log[0]));
        fprintf(stderr, "%s\n%s\n", log.c_str(), text.c_str());
        _Exit(1);
    }
    size_t size = 0;
    bool isReal = strncmp(architecture, "sm_", 3) == 0;
    OK(isReal ? nvrtcGetCUBINSize(program, &size) : nvrtcGetPTXSize(program, &size));
    std::string image(size, 0);
    OK(isReal ? nvrtcGetCUBIN(program, &image[0]) : nvrtcGetPTX(program, &image[0]));
    OK(nvrtcDestroyProgram(&program));
    return image;
}

Kernel::Kernel(const char *body, const char *bounds, const char *before) {
    std::string text = std::string("typedef struct { float *data; uint32 count; float value; } Arguments;\n#define AT_MOST(threads)\n") + before + "\nKERNEL "
        + bounds + " check(const Arguments a) {\n" + body + "\n}\n";
    OK(cuModuleLoadData(&module, compile(text).data()));
    OK(cuModuleGetFunction(&function, module, "check"));
}

static void setMachine(const std::string &machine) {
    std::stringstream words(machine);
    for (std::string word; words >> word;) {
        size_t equals = word.find('=');
        setenv(("STANDIN_" + word.substr(0, equals)).c_str(), word.substr(equals + 1).c_str(), 1);
    }
}

// Runs a check; returns its output, and sets its status.
static std::string runCheck(const Check &check, int &status) {
    int ends[2];
    if (pipe(ends)) abort();
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        setMachine(check.machine);
        check.body();
        _Exit(0);
    }
    close(ends[1]);
    std::string said;
    char buffer[4096];
    for (ssize_t count; (count = read(ends[0], buffer, sizeof buffer)) > 0;) said.append(buffer, (size_t)count);
    close(ends[0]);
    waitpid(child, &status, 0);
    return said;
}

int main() {
    addWrongCalls();
    addWrongLaunches();
    addWrongProducts();
    addRefusals();
    addRightCalls();
    int failures = 0;
    for (const Check &check : allChecks()) {
        int status = 0;
        std::string said = runCheck(check, status);
        bool caught = said.rfind("stand-in: ", 0) == 0 && said.find(check.complaint) != std::string::npos && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
        bool passed = check.complaint.empty() ? status == 0 && said.empty() : caught;
        printf("%s %s%s\n", passed ? "ok    " : "FAILED", check.complaint.empty() ? "" : "caught: ", check.name.c_str());
        if (!passed) printf("       expected %s, status %d, said: %s\n", check.complaint.empty() ? "nothing" : check.complaint.c_str(), status, said.c_str());
        failures += !passed;
    }
    printf("%zu passed, %d failed\n", allChecks().size() - failures, failures);
    return failures > 0;
}
