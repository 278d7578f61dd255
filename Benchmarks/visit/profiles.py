"""The parts for a closer look: counters of the persistent kernels, and FlashRNN as a second peer."""

import os
import re
import time

from . import times
from .checks import last_line, tool
from .sizes import flashrnn_workloads

SECTIONS = ["SpeedOfLight", "MemoryWorkloadAnalysis", "ComputeWorkloadAnalysis", "SchedulerStats", "WarpStateStats", "Occupancy", "LaunchStats"]
KEY_METRICS = [
    "Duration", "Compute (SM) Throughput", "Memory Throughput", "L2 Cache Throughput", "L1/TEX Hit Rate", "L2 Hit Rate",
    "Executed Ipc Active", "No Eligible", "Warp Cycles Per Issued Instruction", "Registers Per Thread",
    "Dynamic Shared Memory Per Block", "Achieved Occupancy", "Grid Size", "Block Size",
]


def ncu(visit, sizes):
    """Profiles both persistent kernels once, without changing the clocks."""
    program = tool("ncu")
    if not program:
        return visit.not_run("ncu: NOT RUN, there is no ncu")
    for workload in sizes.profiled:
        sections = [flag for section in SECTIONS for flag in ["--section", section]]
        # Later steps are profiled, when the caches are in their usual state.
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
    """Returns each kernel that ncu printed, with its key metrics."""
    result = []
    for line in output.splitlines():
        kernel = re.match(r"^\s+(persistent_\w+)", line)
        if kernel:
            result.append((kernel[1], {}))
        row = re.match(r"^\s+(\S.*?)\s{2,}(\S+(?: \S+)*)?\s{2,}([\d.,]+)\s*$", line)
        if row and result and row[1] in KEY_METRICS:
            result[-1][1].setdefault(row[1], f"{row[3]} {row[2] or ''}".strip())
    return [(kernel, values) for kernel, values in result if values]


def compile_flashrnn(visit, sizes):
    """Starts compiling FlashRNN's kernels, each in a process, while other parts run."""
    if not (visit.work / "site/flashrnn").is_dir():
        return visit.not_run("FlashRNN: NOT RUN, its wheel was not carried")
    if not visit.has_torch or visit.is_rehearsal:
        return visit.not_run("FlashRNN: NOT RUN, it needs PyTorch on a GPU")
    # Compiled kernels are kept for a later call.
    environment = {**os.environ, "TORCH_EXTENSIONS_DIR": str(visit.work / "torch-extensions"), "MAX_JOBS": "4",
                   "CONSTRINT_CACHE_DIR": str(visit.work / "torch-extensions/constrint")}
    for cell in ["rnn-tanh", "gru"]:
        for precision in ["bfloat16", "float32"]:
            go = visit.work / f"go-{cell}-{precision}"
            go.unlink() if go.exists() else None
            command = visit.python(
                f"flashrnn-{cell}-{precision}.txt", "flashrnn_benchmark.py", "--packages", visit.work / "site", "--hidden-size",
                sizes.flashrnn_width, "--cell", cell, "--precision", precision, "--start-when", go, "--json", "--seconds", sizes.seconds,
                environment=environment)
            command.start()
            visit.background[go] = command


def flashrnn(visit, sizes):
    """Times the language model's step at a width that FlashRNN supports, with FlashRNN, cuDNN and ours."""
    if not visit.background:
        return visit.not_run("FlashRNN: NOT RUN, nothing was compiled")
    for side in ["ours FP32", "ours TF32", "ours bf16", "PyTorch FP32", "PyTorch TF32"]:
        times.timed(visit, sizes, side, f"times-flashrnn-{side.replace(' ', '-')}.txt", flashrnn_workloads(sizes))
    for go, command in visit.background.items():
        is_ready = "\nready\n" in command.log.read_text(errors="replace")
        if is_ready:
            go.touch()
        while is_ready and not command.has_ended() and visit.clock.part_left() > 0:
            visit.tick()
            time.sleep(0.1)
        found = times.medians(command.output)
        for entry, value in found.items():
            # An entry is, for example, `lm-gru-h256-t35, bfloat16`.
            name, precision = entry.split(", ")
            visit.values.setdefault("ms", {}).setdefault(f"FlashRNN {precision}", {})[name] = value
        if not found:
            ending = last_line(command) if command.has_ended() else "its kernels were still compiling"
            visit.note(f"FlashRNN, {go.name[3:]}: NOT TIMED: {ending}; see {command.log.name}")
    visit.value("ms", visit.values.get("ms", {}))
    times.table(visit, flashrnn_workloads(sizes))
