"""Tests of the visit itself, with fake parts: time, signals, archives, and the parsing of outputs."""

import io
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
import zipfile

from . import aims, archives, checks, inputs, prepare, profiles, session, times, training
from .clock import Clock
from .processes import Command, members, run


class Folder:
    """A visit in its own folder."""

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.temporary.name)
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()

    def visit(self, parts, deadline=None, weights=None):
        return session.Visit(
            "call", parts, weights or [1] * len(parts), Clock(deadline), self.path / "out", self.path / "work", self.path)

    def summary(self):
        return (self.path / "out/summary.md").read_text()

    def archived(self):
        with tarfile.open(self.path / "out/results.tar.gz") as archive:
            return {entry.name.split("-gpu/")[-1]: archive.extractfile(entry).read().decode() for entry in archive}


def sleeping(seconds):
    def part(visit):
        command = visit.run(Command(visit.logs / "sleep.txt", ["sh", "-c", f"echo begun; sleep {seconds}"]))
        visit.note(f"slept, status {command.status}")
    return part


def quick(visit):
    visit.note(f"quick: {visit.run(Command(visit.logs / 'quick.txt', ['echo', str(visit.work)])).output.strip()}")


def failing(visit):
    raise ValueError("nothing fits")


class Deadlines(unittest.TestCase):
    def test_a_part_that_takes_too_long_is_cut_off_and_named(self):
        with Folder() as folder:
            began = time.monotonic()
            status = folder.visit({"slow": sleeping(60), "quick": quick}, deadline=6, weights=[1, 2]).go()
            self.assertLess(time.monotonic() - began, 6)
            self.assertEqual(status, 0)
            self.assertRegex(folder.summary(), r"- slow: CUT OFF after \d s, its share was 2 s\n- quick: WORK\n- quick: took \d s")
            self.assertEqual(folder.archived()["call/sleep.txt"], "$ sh -c echo begun; sleep 60\nbegun\n")

    def test_what_has_no_time_is_named(self):
        with Folder() as folder:
            folder.visit({"slow": sleeping(60), "quick": quick, "last": quick}, deadline=3, weights=[10, 1, 1]).go()
            self.assertIn("- quick: NOT RUN, no time was left\n- last: NOT RUN, no time was left\n", folder.summary())

    def test_what_a_part_does_not_need_goes_to_the_next(self):
        moment = [0.0]
        clock = Clock(100, now=lambda: moment[0])
        self.assertEqual(clock.left(), 90)
        clock.begin([1, 2])
        self.assertEqual(clock.part_left(), 30)
        moment[0] = 10
        clock.begin([2])
        self.assertEqual(clock.part_left(), 80)
        clock.stop()
        self.assertEqual(clock.part_left(), 0)

    def test_without_a_deadline_nothing_is_cut_off(self):
        with Folder() as folder:
            self.assertEqual(folder.visit({"quick": quick}).go(), 0)
            self.assertNotIn("CUT OFF", folder.summary())

    def test_what_a_program_started_ends_with_it(self):
        with Folder() as folder:
            # The second process has its own group, and both ignore SIGINT.
            text = "import os, signal, subprocess, time; signal.signal(2, signal.SIG_IGN)\n" \
                "subprocess.Popen(['sleep', '60'], preexec_fn=os.setpgrp); print('ready', flush=True); time.sleep(60)"
            command = Command(folder.path / "log", [sys.executable, "-c", text], limit=1.5, grace=0.3)
            run([command], Clock())
            self.assertTrue(command.is_cut_off)
            self.assertEqual((command.status, command.output), (-signal.SIGKILL, "ready\n"))
            self.assertEqual(members(command.process.pid), [])

    def test_several_at_once(self):
        with Folder() as folder:
            commands = [Command(folder.path / f"log{n}", ["sleep", "1"]) for n in range(4)]
            began = time.monotonic()
            run(commands, Clock(), at_once=4)
            self.assertLess(time.monotonic() - began, 3.9)
            self.assertEqual([command.status for command in commands], [0] * 4)


class Signals(unittest.TestCase):
    def test_sigterm_leaves_a_summary_and_an_archive(self):
        with Folder() as folder:
            text = "import sys; sys.path.insert(0, sys.argv[1]); from visit import selftest\n" \
                "sys.exit(selftest.slow_visit(sys.argv[2]))"
            process = subprocess.Popen([sys.executable, "-c", text, str(pathlib.Path(__file__).parent.parent), folder.temporary.name],
                                       stdout=subprocess.PIPE, text=True)
            log = folder.path / "work/logs/call/sleep.txt"
            while process.poll() is None and not (log.exists() and "begun" in log.read_text().splitlines()):
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=20)
            self.assertEqual(process.returncode, 0, output)
            self.assertRegex(folder.summary(), r"slow: CUT OFF after \d s, stopped from outside\n- quick: NOT RUN, stopped from outside")
            self.assertIn("call/summary.md", folder.archived())
            self.assertTrue(folder.archived()["call/sleep.txt"].endswith("begun\n"))


def slow_visit(folder):
    held = Folder()
    held.path = pathlib.Path(folder)
    return held.visit({"slow": sleeping(60), "quick": quick}, deadline=100).go()


class Failures(unittest.TestCase):
    def test_smoke_ends_it(self):
        with Folder() as folder:
            self.assertEqual(folder.visit({"smoke": failing, "tests": quick, "ptb": quick}).go(), 1)
            self.assertIn("**FAILED** smoke: ValueError: nothing fits", folder.summary())
            self.assertIn("NOT RUN since smoke failed: tests, ptb", folder.summary())
            self.assertIn("nothing fits", folder.archived()["call/smoke-error.txt"])

    def test_another_part_does_not(self):
        with Folder() as folder:
            self.assertEqual(folder.visit({"tests": failing, "quick": quick}).go(), 1)
            self.assertIn("quick: took", folder.summary())

    def test_a_program_that_is_missing(self):
        with Folder() as folder:
            command = Command(folder.path / "log", ["/nonexistent/program"])
            run([command], Clock())
            self.assertEqual(command.status, 127)
            self.assertIn("/nonexistent/program", command.output)

    def test_a_skipped_test_is_a_failure(self):
        for output, status, passed in [
            ("✔ Test run with 1 test in 1 suite passed after 0.1 seconds.", 0, True),
            ('➜ Suite GPUTests skipped: "no GPU"\n✔ Test run with 1 test in 1 suite passed after 0.1 seconds.', 0, False),
            ("✔ Test run with 0 tests in 0 suites passed after 0.1 seconds.", 0, False),
            ("✘ Test run with 1 test in 1 suite failed after 0.1 seconds with 1 issue.", 1, False), ("", -11, False),
        ]:
            with Folder() as folder:
                visit, test = folder.visit({}), Command(folder.path / "log", [])
                test.status, test.output = status, output
                self.assertEqual(checks.verdict(visit, "name", test), passed)
                self.assertEqual(visit.has_failed, not passed)


class Results(unittest.TestCase):
    def test_runs_come_back_without_weights_and_words(self):
        with Folder() as folder:
            visit = folder.visit({"quick": quick})
            visit.training = folder.path / "training"
            run = visit.training / "runs/paper/ptb-gru-bptt35/seed1"
            run.mkdir(parents=True)
            for name in ["config.json", "metrics.jsonl", "reproduction.json", "vocabulary.txt", "state.safetensors", "model.safetensors"]:
                (run / name).write_text(f"{folder.path}/training")
            visit.go()
            with tarfile.open(folder.path / "out/results.tar.gz") as archive:
                names = [pathlib.Path(name).name for name in archive.getnames() if name.startswith("Results/gpu/runs/paper/ptb-gru-bptt35/seed1/")]
                self.assertEqual(names, ["config.json", "metrics.jsonl", "reproduction.json"])

    def test_a_long_log_keeps_its_ends(self):
        text = session.shortened(b"first" + bytes(3 << 20) + b"last")
        self.assertTrue(text.startswith(b"first") and text.endswith(b"last") and len(text) < 2 << 20)

    def test_medians(self):
        self.assertEqual(times.medians('[W1] a warning\n[\n {"workload": "a", "medianMilliseconds": 1.5}]\n'), {"a": 1.5})
        self.assertEqual(times.medians("error: no GPU"), {})

    def test_counters(self):
        output = "  persistent_forward (80, 1, 1)x(400, 1, 1), Context 1, Stream 13, Device 0, CC 9.0\n" \
            "    Section: GPU Speed Of Light Throughput\n" \
            "    Duration                         us       123.45\n" \
            "    Memory Throughput                 %        12.3\n" \
            "    Registers Per Thread  register/thread      128\n" \
            "    Grid Size                                   80\n"
        self.assertEqual(profiles.metrics(output), [("persistent_forward", {
            "Duration": "123.45 us", "Memory Throughput": "12.3 %", "Registers Per Thread": "128 register/thread", "Grid Size": "80"})])

    def test_libraries_by_the_linkers_own_words(self):
        with Folder() as folder:
            (folder.path / "opened.12").write_text(
                "  12:  trying file=/x/libcuda.so.1\n  12:  calling init: /y/libcuda.so.1\n  12:  calling init: /y/libother.so\n")
            self.assertEqual(checks.opened_libraries(folder.path), ["/y/libcuda.so.1"])
            self.assertIn("/x/libcuda.so.1", (folder.path / "linker.txt").read_text())

    def test_aims(self):
        values = {
            "ms": {"ours FP32": {"lm-gru-t35": 1.0, "lm-ugru-t35": 1.03}, "PyTorch FP32": {"lm-gru-t35": 1.5}}, "tests": [11, 12],
            "ptb": {"gru": 0.5}, "table7": {"a": 300, "b": 300, "c": 300, "d": 299}}
        text = "\n".join(aims.table(values))
        self.assertIn("lm-gru-t35: cuDNN FP32 over ours, at least 1 | 1.50 | reached", text)
        self.assertIn("uGRU over GRU, T = 35, at most 2 % | 3.00 % | **missed**", text)
        self.assertIn("every test on the GPU passes | 11 of 12 | **missed**", text)
        self.assertIn("a 300, b 300, c 300, d 299 | **missed**", text)
        self.assertIn("lm-rnn-t35: cuDNN FP32 over ours, at least 1 | not measured | –", text)

    def test_runs_of_a_table(self):
        with Folder() as folder:
            visit = folder.visit({})
            visit.training = folder.path / "training"
            run = visit.training / "runs/paper/ptb-gru-bptt35/seed1"
            run.mkdir(parents=True)
            # The last line is incomplete.
            (run / "metrics.jsonl").write_text(
                '{"split":"train","epoch":1,"seconds":0.5}\n{"split":"valid","epoch":1,"perplexity":700.0}\n{"split":"tra')
            command = Command(folder.path / "log", [])
            training.report(visit, "table7", command)
            self.assertEqual(visit.values["table7"], {"ptb-gru-bptt35": 1})
            self.assertIn("1 epochs of 0.50 s; best validation perplexity 700.00, test nan; NOT ENDED", visit.notes[0])


class Carrying(unittest.TestCase):
    def test_archives_are_the_same_for_the_same_files_and_unpack(self):
        with Folder() as folder:
            (folder.path / "files").mkdir()
            for name in ["cli", "tests"]:
                (folder.path / "files" / name).write_text("program")
                (folder.path / "files" / name).chmod(0o755)
            carried = folder.path / "carry"
            (carried / "wheels").mkdir(parents=True)
            for name in ["programs.tar.xz", "again.tar.xz"]:
                archives.pack((folder.path / "files").rglob("*"), folder.path / "files", "urnn-gpu", carried / name, strong=True)
            self.assertEqual((carried / "programs.tar.xz").read_bytes(), (carried / "again.tar.xz").read_bytes())
            self.assertEqual(archives.unpack(carried, folder.path / "work"), ["programs"])
            self.assertTrue(os.access(folder.path / "work/urnn-gpu/cli", os.X_OK))

    def test_too_much_to_carry(self):
        with Folder() as folder:
            preparation = prepare.Preparation(folder.path, folder.path / "build")
            preparation.tree = lambda: 2 << 20
            preparation.carried.mkdir(parents=True)
            (preparation.carried / "programs.tar.xz").write_bytes(bytes(1 << 20))
            standard, errors = sys.stdout, sys.stderr
            try:
                sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
                results = [preparation.sizes(limit=3), preparation.sizes(limit=2.9)]
                said, complained = sys.stdout.getvalue(), sys.stderr.getvalue()
            finally:
                sys.stdout, sys.stderr = standard, errors
            self.assertEqual(results, [0, 1])
            self.assertIn("1.00 MiB  build/carry/programs.tar.xz", said)
            self.assertIn("more than the 2.9 MiB", complained)

    def test_what_is_damaged_is_named(self):
        for name in ["programs.tar.xz", "kernels.tar.xz", "wheels/a-1.whl"]:
            for damage in [lambda data: data[:-9], lambda data: data[:len(data) // 2], lambda data: data[len(data) // 2:], lambda data: b"",
                           lambda data: bytes(3000), lambda data: data[:80] + bytes([data[80] ^ 1]) + data[81:]]:
                with Folder() as folder:
                    carried = carry(folder)
                    archives.check(carried)
                    (carried / name).write_bytes(damage((carried / name).read_bytes()))
                    for task in [lambda: archives.check(carried), lambda: archives.unpack(carried, folder.path / "work")]:
                        self.assertRegex(refusal(task), f"^error: {carried / name} is damaged [^\n]*--prepare[^\n]*\n$")

    def test_an_archive_of_something_else(self):
        with Folder() as folder:
            carried = carry(folder)
            shutil.copy(carried / "kernels.tar.xz", carried / "programs.tar.xz")
            self.assertIn("no urnn-gpu/cli is in it", refusal(lambda: archives.check(carried)))

    def test_an_archive_is_there_once_it_is_whole(self):
        with Folder() as folder:
            def files():
                yield from []
                raise KeyboardInterrupt

            with self.assertRaises(KeyboardInterrupt):
                archives.pack(files(), folder.path, "cache", folder.path / "kernels.tar.xz")
            self.assertFalse((folder.path / "kernels.tar.xz").exists())

    def test_what_was_prepared_before_stays_until_all_is_made_anew(self):
        with Folder() as folder:
            preparation = prepare.Preparation(folder.path, folder.path / "build")
            preparation.carried.mkdir(parents=True)
            (preparation.carried / "programs.tar.xz").write_text("old")
            refusal(lambda: preparation.everything(str(folder.path), 64))
            self.assertTrue(preparation.carried.exists())

            def make(ending):
                (preparation.draft / "kernels.tar.xz").write_text("new")
                if ending:
                    raise ending

            which, shutil.which, preparation.tree = shutil.which, str, lambda: 0
            try:
                preparation.make = lambda *_: make(KeyboardInterrupt())
                self.assertRaises(KeyboardInterrupt, preparation.everything, None, 64)
                self.assertEqual(os.listdir(preparation.carried), ["programs.tar.xz"])
                self.assertEqual(os.listdir(preparation.folder), ["carry"])
                preparation.make = lambda *_: make(None)
                self.assertEqual(preparation.everything(None, 64), 0)
            finally:
                shutil.which = which
            self.assertEqual(os.listdir(preparation.carried), ["kernels.tar.xz"])
            self.assertEqual(sorted(os.listdir(preparation.folder)), ["carry"])

    def test_only_the_three_texts_travel(self):
        with Folder() as folder:
            for name in ["ptb.train.txt", "ptb.valid.txt", "ptb.test.txt", "ptb.char.train.txt"]:
                (folder.path / name).write_text("words\n")
            self.assertEqual([file.name for file in inputs.corpus_files(folder.path)], ["ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"])
            (folder.path / "ptb.test.txt").write_text("")
            self.assertIn("holds no ptb.test.txt", refusal(lambda: inputs.corpus_files(folder.path)))


class Options(unittest.TestCase):
    """Tests of the program, in its own checkout with carried files."""

    def gpu(self, folder, *arguments, **variables):
        root = pathlib.Path(__file__).parent.parent
        if not (folder.path / "Benchmarks").exists():
            (folder.path / "Benchmarks").mkdir()
            shutil.copy(root / "gpu", folder.path / "Benchmarks")
            (folder.path / "Benchmarks/visit").symlink_to(root / "visit")
            carry(folder, folder.path / ".build-gpu/carry")
        kept = {name: value for name, value in os.environ.items() if name not in ["OUT", "PTB_DIR"]}
        return subprocess.run([sys.executable, str(folder.path / "Benchmarks/gpu"), *arguments], env={**kept, **variables},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def test_what_is_wrong_is_refused_before_any_work(self):
        with Folder() as folder:
            (folder.path / "file").write_text("")
            for arguments, complaint in [
                ("--deadline nan", "above 0, not 'nan'"), ("--deadline inf", "above 0, not 'inf'"), ("--prepare --most nan", "above 0, not 'nan'"),
                ("--only=", "--only is empty"), ("--only smoke,first", "'first' is no part"), ("--prepare --only smoke", "--prepare has no --only"),
                ("--self-test --prepare", "--self-test has no --prepare"), ("--most 3", "has no --most"), ("--rehearsal --data .", "has no --data"),
                (f"--data {folder.path}", "holds no train.txt"), (f"--prepare --data {folder.path}/none", "there is no folder"),
                (f"--results {folder.path}/file", "a file is in its place"), ("--results /proc/none", "/proc/none can't be written to"),
                ("--only ptb", "ptb can't run without the corpus"),
            ]:
                result = self.gpu(folder, *arguments.split())
                self.assertEqual(result.returncode, 2, result.stdout)
                self.assertIn(complaint, result.stdout.splitlines()[-1])
                self.assertEqual(os.listdir(folder.path / ".build-gpu"), ["carry"])
            self.assertEqual(self.gpu(folder, PTB_DIR="/nonexistent").returncode, 2)

    def test_each_call_has_a_folder_and_a_rehearsal_all_to_itself(self):
        with Folder() as folder:
            for arguments in ["--only first", "--only second", "--only first --rehearsal"]:
                # The programs are fakes, so smoke fails, or has no time.
                result = self.gpu(folder, *arguments.split(), "--deadline", "0.5")
                self.assertEqual(result.returncode, 1, result.stdout)
                self.assertRegex(result.stdout, r"FAILED\*\* nothing was run of: smoke, ")
            build = folder.path / ".build-gpu"
            self.assertEqual(sorted(os.listdir(build / "results")), ["first", "rehearsal-first", "second"])
            self.assertEqual(sorted(os.listdir(build)), ["carry", "rehearsal", "results", "visit"])
            self.assertNotEqual(training.folder(build / "visit"), training.folder(build / "rehearsal"))

    def test_a_part_without_what_it_needs_has_not_run(self):
        with Folder() as folder:
            self.assertEqual(folder.visit({"compile": lambda visit: profiles.compile_flashrnn(visit, None)}).go(), 1)
            self.assertIn("nothing was run of: compile", folder.summary())

    def test_a_disk_that_is_full_ends_no_part(self):
        with Folder() as folder:
            visit = folder.visit({"quick": quick, "again": quick})
            (folder.path / "out").rmdir()
            (folder.path / "out").write_text("")
            self.assertEqual(visit.go(), 1)
            self.assertEqual(visit.ran, ["quick", "again"])


def carry(folder, carried=None):
    """Makes files of each kind that is carried."""
    files, carried = folder.path / "files", carried or folder.path / "carry"
    files.mkdir()
    for name in ["cli", "tests"]:
        (files / name).write_bytes(os.urandom(2000))
    (carried / "wheels").mkdir(parents=True)
    archives.pack(files.rglob("*"), files, "urnn-gpu", carried / "programs.tar.xz", strong=True)
    archives.pack(files.rglob("*"), files, "cache", carried / "kernels.tar.xz")
    with zipfile.ZipFile(carried / "wheels/a-1.whl", "w") as wheel:
        wheel.write(files / "cli", "a/b.py")
    return carried


def refusal(task):
    """Returns a task's error message, after checking that it ends with status 2."""
    standard, sys.stderr = sys.stderr, io.StringIO()
    try:
        task()
    except SystemExit as ending:
        return sys.stderr.getvalue() if ending.code == 2 else f"status {ending.code}"
    finally:
        sys.stderr = standard
    return "no refusal"


def main():
    result = unittest.TextTestRunner(buffer=True).run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    return 0 if result.wasSuccessful() else 1
