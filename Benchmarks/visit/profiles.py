"""The parts that look closer: counters of the persistent kernels, and FlashRNN as a second peer."""

import os
import re
import time

from . import times
from .checks import last_line, tool

SECTIONS = ["SpeedOfLight", "MemoryWorkloadAnalysis", "ComputeWorkloadAnalysis", "SchedulerStats", "WarpStateStats", "Occupancy", "LaunchStats"]
KEY_METRICS = [
    "Duration", "Compute (SM) Throughput", "Memory Throughput", "L2 Cache Throughput", "L1/TEX Hit Rate", "L2 Hit Rate",
    "Executed Ipc Active", "No Eligible", "Warp Cycles Per Issued Instruction", "Registers Per Thread",
    "Dynamic Shared Memory Per Block", "Achieved Occupancy", "Grid Size", "Block Size",
]


def ncu(visit, sizes):
    """Both persistent kernels, once each; clocks are left alone."""
    program = tool("ncu")
    if not program:
        return visit.note("ncu: NOT RUN, there is no ncu")
    for workload in sizes.profiled:
        sections = [flag for section in SECTIONS for flag in ["--section", section]]
        # Later steps, when the caches are as they always are.
        command = visit.run(visit.ours(
            f"ncu-{workload}.txt", program, "--clock-control", "none", "--cache-control", "none", "--kernel-name", "regex:persistent",
            "--launch-skip", "4", "--launch-count", "2", *sections,
            visit.programs / "cli", "benchmark", "--backend", "cuda", "--workload", workload, "--seconds", "0.01", limit=120))
        kernels = metrics(command.output)
        if not kernels:
            visit.note(f"ncu, {workload}: no counters: {last_line(command)}", failed=command.status not in (None, 0) and not command.is_cut_off)
        for kernel, values in kernels:
            visit.note(f"ncu, {workload}, {kernel}: " + ", ".join(f"{name} {value}" for name, value in values.items()))


def metrics(output):
    """Each kernel that ncu printed, with the key metrics."""
    result = []
    for line in output.splitlines():
        kernel = re.match(r"^\s+(persistent_\w+)", line)
        if kernel:
            result.append((kernel[1], {}))
        row = re.match(r"^\s+(\S.*?)\s{2,}(\S+(?: \S+)*)?\s{2,}([\d.,]+)\s*$", line)
        if row and result and row[1] in KEY_METRICS:
            result[-1][1].setdefault(row[1], f"{row[3]} {row[2] or ''}".strip())
    return [(kernel, values) for kernel, values in result if values]


def flash_command(visit, sizes, log, *arguments):
    return visit.python(
        log, "flashrnn_benchmark.py", "--packages", visit.work / "site", "--hidden-size", sizes.flashrnn_width, *arguments,
        environment={**os.environ, "TORCH_EXTENSIONS_DIR": str(visit.work / "torch-extensions"), "MAX_JOBS": "8"})


def compile_flashrnn(visit, sizes):
    """Begins to compile FlashRNN's kernels, while other parts run."""
    if not (visit.work / "site/flashrnn").is_dir():
        return visit.note("FlashRNN: NOT RUN, its wheel was not carried")
    if not visit.has_torch or visit.is_rehearsal:
        return visit.note("FlashRNN: NOT RUN, it needs PyTorch on a GPU")
    visit.background = flash_command(visit, sizes, "flashrnn-compile.txt", "--compile")
    visit.background.start()


def flashrnn(visit, sizes):
    """The language model's step at a width FlashRNN has, with its recurrence, cuDNN's and ours."""
    if not visit.background:
        return visit.note("FlashRNN: NOT RUN, nothing was compiled")
    while not visit.background.has_ended() and visit.clock.part_left() > 0:
        visit.tick()
        time.sleep(0.1)
    if visit.background.status != 0:
        ending = last_line(visit.background) if visit.background.status is not None else "its kernels were still compiling"
        return visit.note(f"FlashRNN: NOT TIMED: {ending}; see flashrnn-compile.txt")
    names = [f"lm-{cell}-h{sizes.flashrnn_width}-t35" for cell in ["rnn-tanh", "gru"]]
    command = visit.run(flash_command(visit, sizes, "flashrnn.txt", "--json", "--seconds", sizes.seconds))
    for entry, value in times.medians(command.output).items():
        # As `lm-gru-h256-t35, bf16`.
        name, side = entry.split(", ")
        all_times = visit.values.get("ms", {})
        all_times.setdefault(f"FlashRNN {side}", {})[name] = value
        visit.value("ms", all_times)
    if command.status != 0:
        visit.note(f"FlashRNN: {last_line(command)}; see flashrnn.txt")
    for side in ["ours FP32", "ours TF32", "ours bf16", "PyTorch FP32", "PyTorch TF32"]:
        times.timed(visit, sizes, side, f"times-flashrnn-{side.replace(' ', '-')}.txt", names)
    times.table(visit, names)
