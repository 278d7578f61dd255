"""Programs with a time limit, each in its own session, so that the processes it starts end with it."""

import os
import pathlib
import signal
import subprocess
import time


class Command:
    """A program to run, and its status, output and seconds afterwards."""

    def __init__(self, log, arguments, environment=None, limit=float("inf"), grace=5):
        self.log, self.arguments = pathlib.Path(log), [str(argument) for argument in arguments]
        self.environment, self.limit, self.grace = environment, limit, grace
        # These values mean that the program has not begun.
        self.status, self.output, self.seconds = None, "", 0.0
        self.is_cut_off = False
        self.process = None

    def start(self):
        self.began = time.monotonic()
        self.file = self.log.open("ab")
        self.file.write(("$ " + " ".join(self.arguments) + "\n").encode())
        self.file.flush()
        self.offset = self.file.tell()
        try:
            self.process = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=self.file, stderr=subprocess.STDOUT, env=self.environment,
                start_new_session=True)
        except OSError as error:
            self.file.write(f"{error}\n".encode())
            self.file.flush()
            self.end(127)

    def has_ended(self):
        if self.status is None and self.process.poll() is not None:
            self.signal(signal.SIGKILL)
            self.end(self.process.returncode)
        return self.status is not None

    def end(self, status):
        self.status = status
        self.file.close()
        self.seconds = time.monotonic() - self.began
        self.output = self.log.read_bytes()[self.offset:].decode(errors="replace")

    def signal(self, number):
        """Sends a signal to all processes of the session, in any process group."""
        for identifier in members(self.process.pid):
            try:
                os.kill(identifier, number)
            except ProcessLookupError:
                pass


def members(session):
    """Returns the processes of a session."""
    result = []
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, _, _, number = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(number) == session and state != "Z":
                result.append(int(folder.name))
    return result


def cut_off(commands, grace=None):
    """Asks all commands to end, and kills those that don't."""
    commands = [command for command in commands if not command.has_ended()]
    for command in commands:
        command.is_cut_off = True
        command.signal(signal.SIGINT)
    began = time.monotonic()
    while any([not command.has_ended() for command in commands]):
        for command in commands:
            late = time.monotonic() - began > (command.grace if grace is None else grace)
            if late and not command.has_ended():
                command.signal(signal.SIGKILL)
        time.sleep(0.02)


def run(commands, clock, at_once=1, tick=None):
    """Runs programs, `at_once` at a time, while the part has time. Programs that are running at its
    end are cut off; those that have not begun keep the status None."""
    waiting, active = list(commands), []
    try:
        while active or (waiting and clock.part_left() > 0):
            while waiting and len(active) < at_once and clock.part_left() > 0:
                active.append(waiting.pop(0))
                active[-1].start()
            if clock.part_left() == 0:
                cut_off(active, 2 if clock.is_stopped else None)
            cut_off([c for c in active if not c.has_ended() and time.monotonic() - c.began > c.limit])
            active = [command for command in active if not command.has_ended()]
            if tick:
                tick()
            time.sleep(0.02)
    finally:
        cut_off(active, 0)
    return commands
