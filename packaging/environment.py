"""The virtual environment in .venv: made in steps, each done again only when what it depends on has changed.

A record in the environment says which steps are done, and with what. It also says which one is under way:
a set-up that was cut off in the middle leaves that behind, and the next one starts from an empty environment.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import backends
import steps
import system_packages
from steps import ENVIRONMENT, ROOT, SetupStoppedError, Step, program

LOG_LINES = 30


@dataclass
class Record:
    """Which steps are done in an environment, kept in a file inside it."""

    path: Path
    done: dict[str, str] = field(default_factory=dict)
    running: str = ""

    @classmethod
    def read(cls, path: Path) -> "Record":
        """Read the record; one that is not there or makes no sense is empty."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(path, dict(values["done"]), str(values["running"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls(path)

    def start(self, step: Step) -> None:
        """Note that `step` is under way, and what was done by it before no longer holds."""
        self.done.pop(step.name, None)
        self.running = step.name
        self._write()

    def end(self, step: Step, *, done: bool) -> None:
        """Note that `step` has come to its end."""
        self.running = ""
        if done:
            self.done[step.name] = step.key
        self._write()

    def holds(self, step: Step) -> bool:
        """Return whether `step` is done, with just what it depends on now."""
        return self.done.get(step.name) == step.key

    def _write(self) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({"done": self.done, "running": self.running}), encoding="utf-8")
        new.replace(self.path)


def prepare(*, checks: bool = False) -> Path:
    """Make the environment ready and return its Python.

    Says on stderr what it does: the app's own output, that may go into a file, stays clean.

    Args:
        checks: Also what the tests and the other checks need.

    Raises:
        SetupStoppedError: When it cannot be made ready.
        UnusableBackendError: When FIRESIDE_BACKEND asks for what is not to be had.
    """
    python = program("python")
    backend = backends.choose(os.environ)
    wanted = steps.steps(backend, backends.instead(os.environ, backend), checks=checks)
    record = Record.read(ENVIRONMENT / "setup.json")
    if python.exists() and all(map(record.holds, wanted)):
        return python
    with _alone():
        record = Record.read(record.path)
        building = any(step.name == "engine" and not record.holds(step) for step in wanted)
        if lack := system_packages.provide(building=building):
            raise SetupStoppedError(lack)
        if must_start_over(record, wanted[0]):
            shutil.rmtree(ENVIRONMENT, ignore_errors=True)
            record = Record(record.path)
        ENVIRONMENT.mkdir(exist_ok=True)
        with (ENVIRONMENT / "setup.log").open("w", encoding="utf-8") as log:
            for step in wanted:
                if not record.holds(step):
                    _take(step, record, log)
    return python


def must_start_over(record: Record, first: Step) -> bool:
    """Return whether an environment is of no use as it is.

    It is not when a step was cut off, when it was made for another place or another Python, or when its
    Python does not start. One that something else has made, and that works with this version of Python, is
    taken over.
    """
    if not ENVIRONMENT.exists():
        return False
    if record.running or (record.done and not record.holds(first)):
        return True
    ask = [program("python"), "-c", "import pip, sys; print(*sys.version_info[:2])"]
    try:
        answer = subprocess.run(ask, capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return True
    return answer.split() != [str(sys.version_info.major), str(sys.version_info.minor)]


def _take(step: Step, record: Record, log: IO[str]) -> None:
    began = time.monotonic()
    print(f"{step.title} …", end="", file=sys.stderr, flush=True)
    record.start(step)
    try:
        step.work(log)
    except subprocess.CalledProcessError as problem:
        record.end(step, done=False)
        log.flush()
        tail = Path(log.name).read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
        raise SetupStoppedError(
            "\n".join(["", *tail, "", f"That did not work. {step.advice}", f"All of it: {log.name}"])
        ) from problem
    record.end(step, done=True)
    print(f" done in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other set-up is at work in this folder."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another set-up is at work here; waiting for it to end …", file=sys.stderr)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
