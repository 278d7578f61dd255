// Compiles kernels to shared objects for the host: the text inside the emulation's frame,
// compiled by the system's C compiler. Compiled kernels are kept in a folder.
#include "standin.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <regex>
#include <spawn.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace standin {

namespace {

// HostEmulation.h, wrapped by the Makefile.
const char frame[] =
#include "frame.inc"
    ;

std::string contents(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream all;
    all << file.rdbuf();
    return all.str();
}

// Two 64-bit hashes, as letters.
std::string digest(const std::string &text) {
    uint64_t a = 0xCBF29CE484222325, b = 0x9E3779B97F4A7C15;
    for (unsigned char c : text) {
        a = (a ^ c) * 0x100000001B3;
        b = (b ^ c) * 0xD6E8FEB86659FD93;
        b ^= b >> 32;
    }
    char words[40];
    snprintf(words, sizeof words, "%016llx%016llx", (unsigned long long)a, (unsigned long long)b);
    return words;
}

bool runCompiler(const std::vector<std::string> &arguments, const std::string &log) {
    std::vector<char *> pointers;
    for (auto &argument : arguments) pointers.push_back(const_cast<char *>(argument.c_str()));
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t child;
    int status = -1;
    if (posix_spawnp(&child, pointers[0], &actions, nullptr, pointers.data(), environ) == 0) waitpid(child, &status, 0);
    posix_spawn_file_actions_destroy(&actions);
    return status == 0;
}

// Whether the kernel or a function that it calls has barriers; the prelude's definition doesn't count.
bool hasBarriers(const std::string &text) {
    static const std::string definition = "#define BARRIER()";
    for (size_t at = 0; (at = text.find("BARRIER", at)) != std::string::npos; at++) {
        if (at < 8 || text.compare(at - 8, definition.size(), definition) != 0) return true;
    }
    return false;
}

Compilation failure(const std::string &log) {
    Compilation compilation;
    compilation.log = log;
    return compilation;
}

}  // namespace

Compilation compileKernel(const std::string &text, int architecture, bool contracts) {
    // KERNEL, launch bounds, the name, and one argument of type Arguments.
    static const std::regex kernel(R"(KERNEL\s[^;{}#]*?\b(\w+)\s*\([^()]*\bArguments\s+\w+\s*\)\s*\{)"), bounds(R"(AT_MOST\((\d+)\))");
    std::smatch found, other;
    if (!std::regex_search(text, found, kernel)) return failure("error: the stand-in finds no kernel with one argument of type Arguments");
    std::string rest = found.suffix();
    if (std::regex_search(rest, other, kernel)) return failure("error: the stand-in takes one kernel in a text");
    std::string name = found[1], declaration = found[0], whole = frame;
    // Like NVRTC within launch bounds: all registers that are available, but at most 255.
    int threads = 1024, registers = 32;
    std::smatch bound;
    if (std::regex_search(declaration, bound, bounds)) {
        threads = std::stoi(bound[1]);
        registers = std::min(65536 / ((threads + 127) / 128 * 128) / 8 * 8, 255);
    }
    size_t place = whole.find("\nTHE KERNEL'S TEXT\n");
    std::ostringstream source;
    source << whole.substr(0, place) << "\n#define EMU_KERNEL " << name << "\n#define EMU_BARRIERS "
           << hasBarriers(text) << "\n" << text << whole.substr(place + 19)
           << "\nconst char standin_kernel[] = \"" << name << "\";\nconst int standin_architecture = " << architecture
           << ", standin_registers = " << registers << ", standin_most_threads = " << threads << ";\n";
    // Traps are caught by the driver's stand-in.
    std::vector<std::string> command = {
        environment("CC", "cc"), "-O1", "-w", "-std=gnu11", contracts ? "-ffp-contract=fast" : "-ffp-contract=off", "-shared", "-fPIC",
        "-fsanitize=alignment,bounds", "-fsanitize-undefined-trap-on-error"};
    std::string key;
    for (auto &word : command) key += word + " ";

    std::string folder = environment("STANDIN_KERNELS", ""), base = environment("TMPDIR", "/tmp") + "/stand-in-" + std::to_string(getpid()) + "-" + std::to_string((uintptr_t)frame);
    std::string known = folder + "/" + digest(key + source.str()) + ".so";
    Compilation compilation;
    if (!folder.empty() && access(known.c_str(), R_OK) == 0) {
        compilation.image = contents(known);
        compilation.succeeded = true;
        return compilation;
    }
    std::string input = base + ".c", output = base + ".so", log = base + ".log";
    std::ofstream(input) << source.str();
    for (auto &word : {input, std::string("-o"), output, std::string("-lm")}) command.push_back(word);
    compilation.succeeded = runCompiler(command, log);
    compilation.log = contents(log);
    if (compilation.succeeded) {
        compilation.image = contents(output);
        if (!folder.empty()) {
            mkdir(folder.c_str(), 0777);
            std::string unfinished = known + std::to_string(getpid());
            std::ofstream(unfinished, std::ios::binary) << compilation.image;
            rename(unfinished.c_str(), known.c_str());
        }
    } else if (compilation.log.empty()) {
        compilation.log = "error: " + command[0] + " can't be run";
    }
    for (auto &path : {input, output, log}) unlink(path.c_str());
    return compilation;
}

}  // namespace standin
