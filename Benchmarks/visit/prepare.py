"""Makes the files that are carried to a machine with a GPU, where this package builds."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

from . import inputs, kernels
from .archives import pack

# Libraries that every Linux has; a C++ runtime older than the machine's could keep NVIDIA's libraries from loading.
OF_THE_SYSTEM = re.compile(r"^(lib(c|m|dl|rt|pthread|util|resolv|gcc_s|stdc\+\+)\.so|ld-linux|linux-vdso)")
# Pure Python packages for any version; PyTorch is already on the machine.
WHEELS = ["flashrnn", "einops"]
# The test program without XCTest, whose libraries are a third of the total size.
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
        # The new folder is made beside the old one, which stays until the new one is complete.
        self.carried, self.draft = self.folder / "carry", self.folder / "carry.new"
        self.programs = self.folder / "urnn-gpu"

    def run(self, *command, **options):
        if subprocess.run([str(part) for part in command], cwd=self.root, **options).returncode != 0:
            sys.exit(f"{' '.join(map(str, command[:4]))} failed")

    def output(self, *command):
        result = subprocess.run([str(part) for part in command], cwd=self.root, capture_output=True, text=True)
        if result.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} failed: {result.stderr.strip()}")
        return result.stdout

    def everything(self, data, limit, with_kernels=True):
        """Makes everything, and replaces the earlier files once all is complete."""
        corpus = inputs.corpus_files(data) if data else []
        for program in ["swift", "swiftc", "strip", "ldd", "git"]:
            if not shutil.which(program):
                inputs.refuse(f"there is no {program} on the path; --prepare builds the package with it")
        inputs.writable(self.folder, "what is carried is made there")
        shutil.rmtree(self.draft, ignore_errors=True)
        self.draft.mkdir()
        try:
            self.make(data, corpus, with_kernels)
        except BaseException:
            shutil.rmtree(self.draft, ignore_errors=True)
            raise
        self.put_in_place()
        return self.sizes(limit)

    def make(self, data, corpus, with_kernels):
        self.wheels()
        if corpus:
            pack(corpus, data, "corpus", self.draft / "corpus.tar.xz")
        else:
            print("left out: the corpus; name it with --data DIR or PTB_DIR to train language models there")
        self.build()
        pack(self.programs.rglob("*"), self.programs, "urnn-gpu", self.draft / "programs.tar.xz", strong=True)
        if with_kernels:
            cache = kernels.compile_all(self, data)
            pack(cache.rglob("*"), cache, "cache", self.draft / "kernels.tar.xz")
        else:
            print("left out: kernels; they will be compiled there, some 300 of them")

    def put_in_place(self):
        old = self.folder / "carry.old"
        shutil.rmtree(old, ignore_errors=True)
        if self.carried.exists():
            self.carried.rename(old)
        self.draft.rename(self.carried)
        shutil.rmtree(old, ignore_errors=True)

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
        """Links only the CUDA backend's tests, from the objects of the whole test program."""
        targets = {target["name"]: target for target in json.loads(self.output("swift", "package", "describe", "--type", "json"))["targets"]}
        needed, waiting = set(), ["CUDABackendTests"]
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                waiting += targets[name].get("target_dependencies", [])
        # The folders may contain objects of deleted sources.
        listed, = products.glob("*PackageTests.product/Objects.LinkFileList")
        objects = [line.strip("'") for line in listed.read_text().splitlines() if re.search(r"/(\w+)\.build/", line)[1] in needed]
        runner = self.folder / "runner.swift"
        runner.write_text(RUNNER)
        self.run("swiftc", "-O", "-parse-as-library", runner, *objects, "-o", self.programs / "tests", "-lm", "-ldl")

    def wheels(self):
        """Downloads FlashRNN, the second peer."""
        folder = self.draft / "wheels"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.12",
                   "--platform", "manylinux_2_28_x86_64", "--platform", "manylinux2014_x86_64", "--dest", str(folder), *WHEELS]
        if subprocess.run(command).returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            print(f"left out: {' and '.join(WHEELS)}, which pip could not download; FlashRNN will not be timed")

    # Sizes

    def tree(self):
        """Returns the bytes of the checkout without ignored files, which aren't carried automatically."""
        names = self.output("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        files = [self.root / name for name in set(names) if name]
        return sum(file.lstat().st_size for file in files if file.is_symlink() or file.is_file())

    def sizes(self, limit):
        """Prints the files to carry; returns 1 if they exceed the limit in MiB, else 0."""
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
    """Yields the shared libraries that a program needs, except the system's."""
    listing = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        name, _, rest = line.strip().partition(" => ")
        if OF_THE_SYSTEM.match(pathlib.Path(name.split()[0]).name):
            continue
        if "not found" in rest:
            sys.exit(f"{program} needs {name}, which isn't found here")
        if rest:
            yield pathlib.Path(rest.split(" (")[0])
