"""Compiles kernels before the visit, with the compiler that is expected there."""

import os
import pathlib
import shutil
import subprocess
import sys

from . import sizes

# The version that PyTorch's wheels for CUDA 13.0 pin. The cache's key contains 13.0.
NVRTC = "nvidia-cuda-nvrtc==13.0.88"


def compile_all(preparation, data):
    """Briefly runs everything that the visit runs, with a driver that accepts kernels but doesn't run them.
    Returns the folder of the cache."""
    folder, stand_in = preparation.folder, preparation.root / "scripts/with-stand-in-gpu"
    cache = folder / "cache"
    # A run that is already finished would compile nothing.
    for old in [cache, folder / "unused"]:
        shutil.rmtree(old, ignore_errors=True)
    compiler = install(folder / "nvrtc")
    preparation.run(stand_in, "--build")
    begin = [str(stand_in), "--compile-only", str(compiler), "--cache", str(cache)]
    variables = {**os.environ, "LD_LIBRARY_PATH": str(preparation.programs / "lib"), "PTB_DIR": str(data or "")}
    log = (folder / "kernels.log").open("w")
    for command in commands(preparation, data):
        print("compiling the kernels of:", " ".join(command[1:]), flush=True)
        status = subprocess.run(begin + command, stdout=log, stderr=subprocess.STDOUT, env=variables, cwd=folder).returncode
        # Nothing is computed, so the tests fail.
        if status != 0 and not command[0].endswith("/tests"):
            sys.exit(f"{' '.join(command)} failed; see {log.name}")
    count = len(list(cache.rglob("*.cubin")))
    print(f"{count} kernels compiled")
    return cache


def install(folder):
    found = list(folder.rglob("libnvrtc.so.13"))
    if not found:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), NVRTC]
        if subprocess.run(command).returncode != 0:
            sys.exit(f"{' '.join(command)} failed; with --no-kernels they are compiled on the machine with the GPU")
        found = list(folder.rglob("libnvrtc.so.13"))
    return found[0].parent


def commands(preparation, data):
    """Yields the parts' commands, but shorter ones."""
    real, cli = sizes.Real, str(preparation.programs / "cli")
    names = real.peers + [name for names in real.times for name in names] + sizes.flashrnn_workloads(real)
    few = ["--epochs", "1", "--batches-per-epoch", "2"]
    yield [cli, "benchmark", "--backend", "cuda", "--seconds", "0.001"] + [flag for name in names for flag in ["--workload", name]]
    yield [cli, "train", "--backend", "cuda", *real.smoke_training]
    yield [cli, "train", "--backend", "cuda", "--cell", "urnn", *real.recall, *few]
    for width in real.sanitized_widths:
        for cell in real.sanitized_cells:
            yield [cli, "train", "--backend", "cuda", "--cell", cell, "--hidden-size", str(width), *real.sanitized, *few]
    if data:
        output = str(pathlib.Path(preparation.folder) / "unused")
        for study in real.studies:
            yield [cli, "reproduce", study, "--scale", real.scale, "--backend", "cuda", "--epochs", "1", "--no-report", "--output", output]
    yield [str(preparation.programs / "tests"), "--testing-library", "swift-testing", "--filter", "GPUTests"]
