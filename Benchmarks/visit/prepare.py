"""Makes what is carried to a machine with a GPU, where this package builds."""

import json
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

from . import kernels

# What every Linux has; an older C++ runtime than the machine's own could stop NVIDIA's libraries.
OF_THE_SYSTEM = re.compile(r"^(lib(c|m|dl|rt|pthread|util|resolv|gcc_s|stdc\+\+)\.so|ld-linux|linux-vdso)")
# Pure Python, for any version; PyTorch is there.
WHEELS = ["flashrnn", "einops"]
# The test program without XCTest, whose libraries are a third of all.
RUNNER = """
import Testing

@main
struct Runner {
    static func main() async { await Testing.__swiftPMEntryPoint() as Never }
}
"""


class Preparation:
    def __init__(self, root, folder):
        self.root, self.folder = pathlib.Path(root), pathlib.Path(folder)
        self.carried, self.programs = self.folder / "carry", self.folder / "urnn-gpu"

    def run(self, *command, **options):
        if subprocess.run([str(part) for part in command], cwd=self.root, **options).returncode != 0:
            sys.exit(f"{' '.join(map(str, command[:4]))} failed")

    def output(self, *command):
        result = subprocess.run([str(part) for part in command], cwd=self.root, capture_output=True, text=True)
        if result.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} failed: {result.stderr.strip()}")
        return result.stdout

    def everything(self, data, limit, with_kernels=True):
        shutil.rmtree(self.carried, ignore_errors=True)
        self.carried.mkdir(parents=True)
        self.wheels()
        if data and not list(pathlib.Path(data).glob("*train.txt")):
            sys.exit(f"{data} holds no ptb.train.txt; --data (or $PTB_DIR) names the corpus's folder")
        if data:
            pack(pathlib.Path(data), "corpus", self.carried / "corpus.tar.xz", only=re.compile(r"(ptb\.)?(train|valid|test)\.txt$"))
        else:
            print("left out: the corpus; name it with --data DIR or PTB_DIR to train language models there")
        self.build()
        pack(self.programs, "urnn-gpu", self.carried / "programs.tar.xz", strong=True)
        if with_kernels:
            pack(kernels.compile_all(self, data), "cache", self.carried / "kernels.tar.xz")
        else:
            print("left out: kernels; they will be compiled there, some 300 of them")
        return self.sizes(limit)

    # Programs

    def build(self):
        self.run("swift", "build", "-c", "release", "--build-tests")
        self.run("swift", "build", "-c", "release", "--product", "cli")
        products = pathlib.Path(self.output("swift", "build", "-c", "release", "--show-bin-path").strip())
        shutil.rmtree(self.programs, ignore_errors=True)
        (self.programs / "lib").mkdir(parents=True)
        self.link_tests(products)
        shutil.copy(products / "cli", self.programs / "cli")
        for program in ["cli", "tests"]:
            for library in libraries(self.programs / program):
                shutil.copy(library, self.programs / "lib" / library.name)
        for file in [self.programs / "cli", self.programs / "tests", *(self.programs / "lib").iterdir()]:
            self.run("strip", "--strip-unneeded", file)
        if "GPUTests/" not in self.output(self.programs / "tests", "--testing-library", "swift-testing", "--list-tests"):
            sys.exit(f"{self.programs / 'tests'} lists no GPUTests")

    def link_tests(self, products):
        """The CUDA backend's tests alone, of the objects that the whole test program is made of."""
        targets = {target["name"]: target for target in json.loads(self.output("swift", "package", "describe", "--type", "json"))["targets"]}
        needed, waiting = set(), ["CUDABackendTests"]
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                waiting += targets[name].get("target_dependencies", [])
        # The folders may hold objects of sources that are gone.
        listed, = products.glob("*PackageTests.product/Objects.LinkFileList")
        objects = [line.strip("'") for line in listed.read_text().splitlines() if re.search(r"/(\w+)\.build/", line)[1] in needed]
        runner = self.folder / "runner.swift"
        runner.write_text(RUNNER)
        self.run("swiftc", "-O", "-parse-as-library", runner, *objects, "-o", self.programs / "tests", "-lm", "-ldl")

    def wheels(self):
        """FlashRNN, the second peer."""
        folder = self.carried / "wheels"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.12",
                   "--platform", "manylinux_2_28_x86_64", "--platform", "manylinux2014_x86_64", "--dest", str(folder), *WHEELS]
        if subprocess.run(command).returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            print(f"left out: {' and '.join(WHEELS)}, which pip could not download; FlashRNN will not be timed")

    # Sizes

    def tree(self):
        """Bytes of the checkout as git sees it: what is ignored doesn't travel by itself."""
        names = self.output("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        files = [self.root / name for name in set(names) if name]
        return sum(file.lstat().st_size for file in files if file.is_symlink() or file.is_file())

    def sizes(self, limit):
        """Prints what to carry; whether all of it stays below the limit in MiB."""
        rows = [("the checkout, without what git ignores", self.tree())]
        for file in sorted(self.carried.rglob("*")):
            if file.is_file():
                rows.append((str(file.relative_to(self.root)), file.stat().st_size))
        total = sum(size for _, size in rows)
        print("\nto be carried:")
        for name, size in rows + [("all together", total)]:
            print(f"{size / 2**20:8.2f} MiB  {name}")
        if total > limit * 2**20:
            print(f"all together is more than the {limit:g} MiB that can be carried (--most): leave something out", file=sys.stderr)
            return 1
        print(f"Carry the checkout and {self.carried.relative_to(self.root)}, which git ignores; then, there: Benchmarks/gpu --only first --deadline 560")
        return 0


def libraries(program):
    """The shared libraries that a program needs, but for the system's."""
    listing = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        name, _, rest = line.strip().partition(" => ")
        if OF_THE_SYSTEM.match(pathlib.Path(name.split()[0]).name):
            continue
        if "not found" in rest:
            sys.exit(f"{program} needs {name}, which isn't found here")
        if rest:
            yield pathlib.Path(rest.split(" (")[0])


def pack(folder, name, file, strong=False, only=None):
    """A folder as an archive in which it has another name."""
    # Calls of machine code with absolute targets compress better, and what two files have in common may lie far apart.
    filters = [{"id": lzma.FILTER_X86}] if strong else []
    filters.append({"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": (128 if strong else 16) << 20})
    with lzma.open(file, "wb", filters=filters) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and (not only or only.search(path.name)):
                entry = archive.gettarinfo(str(path), f"{name}/{path.relative_to(folder)}")
                # Nobody's, of no time: the same files give the same archive.
                entry.uid = entry.gid = entry.mtime = 0
                entry.uname = entry.gname = ""
                with path.open("rb") as content:
                    archive.addfile(entry, content)


def unpack(carried, work):
    """On the machine with the GPU; what an earlier call has left there stays. Returns what was found."""
    found = []
    for name in ["programs", "kernels", "corpus"]:
        file = carried / f"{name}.tar.xz"
        if file.exists():
            with tarfile.open(file) as archive:
                # Older Pythons know no filters.
                archive.extractall(work, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
            found.append(name)
    for wheel in sorted((carried / "wheels").glob("*.whl")):
        shutil.unpack_archive(wheel, work / "site", "zip")
        found.append(wheel.name.split("-")[0])
    os.makedirs(work / "cache", exist_ok=True)
    return found
