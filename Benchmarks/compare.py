"""Runs the same workloads here and in PyTorch, one program after the other, and
prints both times and their ratio as a Markdown table.

    make build
    pip install torch numpy
    python Benchmarks/compare.py                       # the toy tasks and exp
    python Benchmarks/compare.py --workload lm-gru-t35 # may be repeated
    python Benchmarks/compare.py --workload generate-gru --threads 1

Nothing else should be running on the machine.
"""

import argparse
import datetime
import json
import pathlib
import platform
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAPER, OTHERS = ["rnn", "urnn", "gru", "ugru"], ["lstm", "cornn", "lem", "mingru", "lru", "nnrnn", "complex-urnn"]
DEFAULT = [f"toy-{cell}-n{n}" for cell in PAPER for n in [20, 100, 400]] + [f"toy-{cell}-n100" for cell in OTHERS] + [
    "exp-n50", "exp-n200", "exp-n512"]
# Workloads of PyTorch alone, in rows of their own beside the same workload here.
ALTERNATIVES = {"toy-lstm-n100": "toy-lstm-loop-n100", "toy-mingru-n100": "toy-mingru-scan-n100"}


def run(command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{command[0]} failed: {result.stderr.strip()}")
    return json.loads(result.stdout)


def processor():
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
        name = next(line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name"))
        return f"{name}, {text.count('processor	:')} processors"
    except (OSError, StopIteration):
        return platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", action="append", help="default: the toy tasks and exp")
    parser.add_argument("--cli", default=str(ROOT / ".build/release/cli"))
    parser.add_argument("--threads", type=int, help="threads of both sides (default: one per processor)")
    arguments = parser.parse_args()
    names = arguments.workload or DEFAULT
    flags = [flag for name in names for flag in ["--workload", name]]
    if arguments.threads:
        flags += ["--threads", str(arguments.threads)]
    ours = run([arguments.cli, "benchmark", "--json", *flags])
    more = [flag for name in names if name in ALTERNATIVES for flag in ["--workload", ALTERNATIVES[name]]]
    theirs = run([sys.executable, str(ROOT / "Benchmarks/pytorch/benchmark.py"), "--json", *flags, *more])
    torch = {entry["workload"]: entry["medianMilliseconds"] for entry in theirs}
    print(f"{datetime.date.today()}, {processor()}, {ours[0]['backend']}, "
        f"GEMM {ours[0]['gemmGigaflops']:.0f} GFLOP/s\n")
    print("| workload | floor ms | ours ms | over floor | PyTorch ms | PyTorch over ours |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for entry in ours:
        name, median = entry["workload"], entry["medianMilliseconds"]
        print(
            f"| {name} | {entry['floorMilliseconds']:.3f} | {median:.3f} | {entry['ratioToFloor']:.2f} "
            f"| {torch[name]:.3f} | {torch[name] / median:.1f} |")
        if other := ALTERNATIVES.get(name):
            print(f"| {other} in PyTorch | | | | {torch[other]:.3f} | {torch[other] / median:.1f} |")


if __name__ == "__main__":
    main()
