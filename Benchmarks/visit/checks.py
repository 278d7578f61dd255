"""The parts that check the backend: smoke, tests, recall, sanitizer."""

import pathlib
import re
import shutil
import sys

from .processes import Command

ABOUT_TORCH = """
import json, torch
cuda = torch.cuda.is_available()
print("torch " + torch.__version__ + ", CUDA " + str(torch.version.cuda) + ", cuDNN " + str(torch.backends.cudnn.version()))
print(torch.cuda.get_device_name() if cuda else "torch sees no GPU")
"""


def smoke(visit, sizes):
    """Runs a test and a few steps of training, and collects what may explain a failure."""
    visit.run(Command(visit.logs / "machine.txt", ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]))
    machine = Command(visit.logs / "machine.txt", ["sh", "-c", MACHINE])
    torch = Command(visit.logs / "torch.txt", [sys.executable, "-c", ABOUT_TORCH], limit=60)
    listing = visit.cli("smoke.txt", "list")
    # The dynamic linker logs each file that it opens.
    opened = visit.logs / "opened"
    training = visit.cli(
        "smoke-training.txt", "train", "--backend", "cuda", *sizes.smoke_training,
        variables={"LD_DEBUG": "libs", "LD_DEBUG_OUTPUT": str(opened)}, limit=90)
    test = test_command(visit, sizes.smoke_test, "smoke-test.txt", limit=90)
    visit.run(machine, torch, listing, training, test, at_once=5)
    name_device(visit)
    visit.found_torch = torch.status == 0
    visit.note(f"Python {sys.version.split()[0]}: {', '.join(torch.output.strip().splitlines()) if visit.has_torch else 'no torch: PyTorch is NOT RUN'}")
    visit.note(f"libraries: {', '.join(opened_libraries(visit.logs)) or 'none of CUDA was opened'}")
    if listing.status != 0:
        visit.note(f"cli doesn't start: {last_line(listing)}", failed=True)
    if training.status != 0:
        visit.note(f"a few steps of training: {last_line(training)}; see machine.txt and linker.txt", failed=True)
    else:
        visit.note(f"a few steps of training: {training.seconds:.1f} s")
    verdict(visit, sizes.smoke_test, test)


# Prints what may explain why a library isn't found.
MACHINE = r"""
uname -a; ldd --version | head -1; nproc; free -g | head -2; df -h . /dev/shm
ldconfig -p | grep -i -E 'libcuda|libnv|libcublas|libcusolver|libcusparse|libcudart'
for name in CUDA_HOME CUDA_PATH CONDA_PREFIX VIRTUAL_ENV LD_LIBRARY_PATH PATH; do eval "echo $name=\$$name"; done
ls -d /usr/local/cuda* /usr/local/nvidia/lib64 2>/dev/null
ls /dev | grep -i nvidia
nvidia-smi; which nvcc ncu compute-sanitizer
"""


def name_device(visit):
    lines = [line for line in (visit.logs / "machine.txt").read_text().splitlines() if not line.startswith("$")]
    visit.device = "rehearsal" if visit.is_rehearsal else lines[0] if lines else "no nvidia-smi"


def opened_libraries(logs):
    """Returns the files of CUDA's libraries that the linker opened; its search goes to linker.txt."""
    found, searched = [], []
    for file in sorted(logs.glob("opened.*")):
        for line in file.read_text(errors="replace").splitlines():
            if re.search(r"lib(cuda|nv|cublas|cusolver|cusparse)", line):
                searched.append(line)
                match = re.search(r"calling init: (\S+)", line)
                if match and match[1] not in found:
                    found.append(match[1])
        file.unlink()
    (logs / "linker.txt").write_text("\n".join(searched) + "\n")
    return found


def last_line(command):
    lines = command.output.strip().splitlines()
    ending = "cut off" if command.is_cut_off else "not begun" if command.status is None else f"status {command.status}"
    return f"{lines[-1].strip() if lines else 'no output'} ({ending})"


def test_command(visit, name, log, **options):
    program = visit.programs / "tests"
    return visit.ours(log, program, "--testing-library", "swift-testing", "--filter", f"GPUTests/{name}\\(", **options)


def verdict(visit, name, test):
    """Returns whether a test passed. A skipped test is a failure, since there is a GPU."""
    if test.status is None or test.is_cut_off:
        visit.note(f"test {name}: {'CUT OFF' if test.is_cut_off else 'NOT RUN'}", failed=test.is_cut_off and test.seconds > 60)
        return False
    ending = next((line for line in reversed(test.output.splitlines()) if "Test run with" in line), f"no result, status {test.status}")
    skipped = re.search(r"skipped: .*", test.output)
    passed = test.status == 0 and not skipped and "Test run with 1 test" in test.output
    visit.note(f"test {name}: {skipped[0] if skipped else ending.strip(' ✔✘')}", failed=not passed)
    return passed


def tests(visit, sizes):
    """Runs each test in its own process, so that a crash affects no other test."""
    listing = visit.run(visit.ours("tests.txt", visit.programs / "tests", "--testing-library", "swift-testing", "--list-tests"))
    names = sorted(set(re.findall(r"GPUTests/(\w+)", listing.output)))
    if not names:
        return visit.note(f"tests: none are listed: {last_line(listing)}", failed=True)
    if sizes.tests:
        visit.note(f"tests: NOT REHEARSED: {', '.join(name for name in names if name not in sizes.tests)}")
        names = [name for name in names if name in sizes.tests]
    commands = [test_command(visit, name, f"test-{name}.txt", limit=300) for name in names]
    visit.run(*commands, at_once=sizes.tests_at_once)
    visit.value("tests", [sum([verdict(visit, name, test) for name, test in zip(names, commands)]), len(names)])


def recall(visit, sizes):
    training = visit.run(visit.cli(
        "recall.txt", "train", "--backend", "cuda", "--cell", "urnn", "--dataset", "recall", *sizes.recall))
    if training.is_cut_off:
        return
    solved = "valid loss < 0.005" in training.output
    visit.note(f"recall: {'solved' if solved else 'not solved'} in {training.seconds:.0f} s",
               failed=training.status != 0 or not (solved or visit.is_rehearsal))
    if solved:
        visit.value("recall", training.seconds)


def tool(name):
    """Returns the path of one of CUDA's programs, or None if it isn't installed."""
    places = [place for pattern in ["cuda*/bin", "cuda*/nsight-compute*"] for place in pathlib.Path("/usr/local").glob(pattern)]
    places += list(pathlib.Path("/opt/nvidia").glob("nsight-compute/*")) if name == "ncu" else []
    return shutil.which(name) or next((str(place / name) for place in sorted(places, reverse=True) if (place / name).exists()), None)


def sanitizer(visit, sizes):
    program = tool("compute-sanitizer")
    if not program:
        return visit.not_run("sanitizer: NOT RUN, there is no compute-sanitizer")
    commands = {}
    for width in sorted(sizes.sanitized_widths, reverse=True):
        for kind in ["memcheck", "racecheck"]:
            for cell in sizes.sanitized_cells:
                commands[f"{kind}, {cell}, H = {width}"] = visit.ours(
                    f"{kind}-{cell}-h{width}.txt", program, "--tool", kind, "--error-exitcode", "9", visit.programs / "cli", "train",
                    "--backend", "cuda", "--cell", cell, "--hidden-size", width, *sizes.sanitized, "--quiet", limit=300)
    # Their speed is limited by the processors, not by the GPU.
    visit.run(*commands.values(), at_once=4)
    clean = 0
    for name, command in commands.items():
        summary = next((line for line in reversed(command.output.splitlines()) if "SUMMARY" in line), last_line(command))
        unfinished = command.status is None or command.is_cut_off
        is_clean = command.status == 0 and "SUMMARY" in command.output
        clean += is_clean
        visit.note(f"{name}: {summary.strip('= ')}", failed=not is_clean and not unfinished)
    visit.value("sanitizer", [clean, len(commands)])
