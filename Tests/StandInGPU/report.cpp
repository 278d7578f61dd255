// Reports of wrong calls, refused calls and work done.
#include "standin.h"

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace standin {

std::string environment(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

namespace {

std::string text(const char *format, va_list arguments) {
    char buffer[1024];
    vsnprintf(buffer, sizeof buffer, format, arguments);
    return buffer;
}

FILE *traceFile() {
    static FILE *file = [] {
        std::string path = environment("STANDIN_TRACE", "");
        FILE *opened = path.empty() ? nullptr : fopen(path.c_str(), "a");
        if (!path.empty() && !opened) {
            fprintf(stderr, "stand-in: STANDIN_TRACE: %s can't be written\n", path.c_str());
            _exit(2);
        }
        return opened;
    }();
    return file;
}

}  // namespace

void leak(const char *format, ...) {
    if (chip().compileOnly) return;
    va_list arguments;
    va_start(arguments, format);
    std::string words = text(format, arguments);
    va_end(arguments);
    wrong("leak", CUDA_ERROR_UNKNOWN, "%s before the context was released", words.c_str());
}

int wrong(const char *function, int code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::string words = text(format, arguments);
    va_end(arguments);
    fprintf(stderr, "stand-in: %s: %s\n", function, words.c_str());
    trace("wrong %s: %s", function, words.c_str());
    if (environment("STANDIN_VIOLATIONS", "abort") != "return") {
        if (traceFile()) fflush(traceFile());
        abort();
    }
    return code;
}

int refused(const char *function, int code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::string words = text(format, arguments);
    va_end(arguments);
    trace("refused %s %d: %s", function, code, words.c_str());
    return code;
}

void trace(const char *format, ...) {
    if (!traceFile()) return;
    va_list arguments;
    va_start(arguments, format);
    std::string line = text(format, arguments) + "\n";
    va_end(arguments);
    fwrite(line.data(), 1, line.size(), traceFile());
}

}  // namespace standin
