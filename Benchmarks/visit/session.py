"""One visit to a machine with a GPU: its programs, their results, and the files that are kept."""

import datetime
import gzip
import io
import json
import os
import pathlib
import shutil
import signal
import sys
import tarfile
import traceback

from . import aims
from .processes import Command, cut_off, run

# Of a longer log, only the beginning and the end are kept.
MOST_BYTES = 1 << 20
# The files of a run that are kept; weights are large, and the vocabulary is licensed.
KEPT_OF_RUNS = ("config.json", "metrics.jsonl", "reproduction.json")


class Visit:
    """The parts of one call, as functions of the visit by name, each with its weight."""

    def __init__(self, call, parts, weights, clock, out, work, root, data=None, is_rehearsal=False):
        self.call, self.parts, self.weights, self.clock = call, parts, weights, clock
        self.out, self.work, self.root = pathlib.Path(out), pathlib.Path(work), pathlib.Path(root)
        self.data, self.is_rehearsal = data, is_rehearsal
        self.date = datetime.date.today()
        self.device = "unknown device"
        self.notes, self.has_failed, self.written = [], False, 0
        self.logs = self.work / "logs" / call
        self.programs = self.work / "urnn-gpu"
        # A stand-in can't run the machine code that was carried.
        self.cache = self.work / ("rehearsal-cache" if is_rehearsal else "cache")
        self.training = None
        self.found_torch = None
        # Programs that run in the background, by the files that they wait for.
        self.background = {}
        shutil.rmtree(self.logs, ignore_errors=True)
        for folder in [self.out, self.logs]:
            folder.mkdir(parents=True, exist_ok=True)
        # These include the values of an earlier call on the same machine.
        self.values_file = self.work / "values.json"
        self.values = json.loads(self.values_file.read_text()) if self.values_file.exists() else {}
        # The names of parts that have run; a part that lacks something it needs removes itself.
        self.ran = []

    # Programs

    @property
    def has_torch(self):
        """Whether PyTorch is installed; smoke determines that while it runs other programs."""
        if self.found_torch is None:
            self.found_torch = self.run(Command(self.logs / "torch.txt", [sys.executable, "-c", "import torch"], limit=60)).status == 0
        return self.found_torch

    def environment(self):
        """Returns our programs' environment: their libraries, the carried kernels, and the Python whose wheels may
        contain CUDA's libraries."""
        paths = [str(self.programs / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]
        return {
            "VIRTUAL_ENV": sys.prefix, **os.environ, "LD_LIBRARY_PATH": ":".join(path for path in paths if path),
            "XDG_CACHE_HOME": str(self.cache)}

    def cli(self, log, *arguments, **options):
        return self.ours(log, self.programs / "cli", *arguments, **options)

    def ours(self, log, *arguments, **options):
        return Command(self.logs / log, arguments, {**self.environment(), **options.pop("variables", {})}, **options)

    def python(self, log, program, *arguments, **options):
        return Command(self.logs / log, [sys.executable, str(self.root / "Benchmarks/pytorch" / program), *arguments], **options)

    def run(self, *commands, at_once=1):
        """Runs commands while the part has time; returns the last of them."""
        run(commands, self.clock, at_once, self.tick)
        return commands[-1]

    def tick(self):
        # The program may be killed without a signal that can be handled.
        if self.clock.seconds() - self.written > 30:
            self.write()

    def kernels(self):
        """Returns the number of compiled kernels, including those that were carried."""
        return len(list(self.cache.rglob("*.cubin")))

    # Results

    def note(self, text, failed=False):
        self.has_failed |= bool(failed)
        self.notes.append(("**FAILED** " if failed else "") + text)
        print(self.notes[-1], flush=True)

    def not_run(self, text):
        """Notes that the current part can't be run."""
        self.ran.pop()
        self.note(text)

    def value(self, name, value):
        """Keeps a number for the aims."""
        self.values[name] = value
        replace(self.values_file, json.dumps(self.values).encode())

    def shown(self, text):
        """Returns a text with names in place of this machine's folders."""
        for folder, name in [(self.training, "TRAINING"), (self.data, "DATA"), (self.work, "WORK"), (self.root, ".")]:
            if folder:
                text = text.replace(str(folder), name)
        return text

    def summary(self):
        lines = [f"# {self.date}, {self.device}: {self.call}", "", f"After {self.clock.seconds():.0f} s.", ""]
        return self.shown("\n".join(lines + aims.table(self.values) + [f"- {note}" for note in self.notes]) + "\n")

    def write(self):
        """Writes the summary, and one archive of everything, which is to be unpacked in a checkout."""
        self.written = self.clock.seconds()
        try:
            self.write_files()
        except OSError as error:  # This must not end the training; the next attempt may succeed.
            self.has_failed = True
            print(f"error: {self.out} can't be written to: {error.strerror or error}", file=sys.stderr, flush=True)

    def write_files(self):
        summary = self.summary()
        replace(self.out / "summary.md", summary.encode())
        folder = f"Benchmarks/Results/{self.date}-gpu/{self.call}"
        files = {f"{folder}/summary.md": summary.encode()}
        for log in sorted(self.logs.rglob("*")):
            if log.is_file():
                text = self.shown(log.read_bytes().decode(errors="replace"))
                files[f"{folder}/{log.relative_to(self.logs)}"] = shortened(text.encode())
        for file in self.kept_runs():
            files[f"Results/gpu/{file.relative_to(self.training)}"] = self.shown(file.read_text(errors="replace")).encode()
        replace(self.out / "results.tar.gz", archive(files))

    def kept_runs(self):
        folder = pathlib.Path(self.training) / "runs" if self.training else None
        return [file for file in sorted(folder.rglob("*")) if file.name in KEPT_OF_RUNS] if folder and folder.exists() else []

    # The whole visit

    def go(self):
        """Runs the parts in turn; returns the exit status."""
        for number in [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]:
            signal.signal(number, lambda *_: self.clock.stop())
        names = list(self.parts)
        for index, name in enumerate(names):
            self.clock.begin(self.weights[index:])
            if self.clock.part_left() < 1:
                self.note(f"{name}: NOT RUN, {'stopped from outside' if self.clock.is_stopped else 'no time was left'}")
                continue
            self.ran.append(name)
            self.go_through(name)
            if name == "smoke" and self.has_failed:
                self.note(f"NOT RUN since smoke failed: {', '.join(names[index + 1:]) or 'nothing else'}")
                break
        cut_off(self.background.values(), grace=0)
        if not self.ran:
            self.note(f"nothing was run of: {', '.join(names)}", failed=True)
        self.write()
        print(f"written to {self.out}", flush=True)
        return 1 if self.has_failed else 0

    def go_through(self, name):
        share, began, kernels = self.clock.part_left(), self.clock.seconds(), self.kernels()
        try:
            self.parts[name](self)
        except Exception as error:  # One part must not end the others.
            (self.logs / f"{name}-error.txt").write_text(traceback.format_exc())
            self.note(f"{name}: {type(error).__name__}: {error} (see {name}-error.txt)", failed=True)
        seconds, compiled = self.clock.seconds() - began, self.kernels() - kernels
        if compiled:
            self.note(f"{name}: compiled {compiled} kernels that were not carried")
        if self.clock.is_stopped:
            self.note(f"{name}: CUT OFF after {seconds:.0f} s, stopped from outside")
        elif self.clock.part_left() == 0:
            self.note(f"{name}: CUT OFF after {seconds:.0f} s, its share was {share:.0f} s")
        else:
            self.note(f"{name}: took {seconds:.0f} s")
        self.write()


def replace(path, data):
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def archive(files):
    """Returns a compressed tar of contents by name."""
    buffer = io.BytesIO()
    # Level 9 is several times slower, and its output is hardly smaller.
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=6, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def shortened(data):
    if len(data) <= MOST_BYTES:
        return data
    half = MOST_BYTES // 2
    return data[:half] + f"\n… {len(data) - 2 * half} bytes are left out …\n".encode() + data[-half:]
