"""The first load of a model file, tried in a process of its own: a file can make llama.cpp abort.

About 5,500 lines of llama.cpp end the process when a file, a device or the memory is not what they expect.
A check of the header foresees the usual ones; this holds for the rest. It never imports llama.cpp.
"""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from app.domain.errors import UserError
from app.domain.language import _
from app.engine import records
from models_registry.starter import find_starter

TRIAL = "--engine-trial"
"""The first argument of this program that makes it a trial; not for people, so no help names it."""

_log = logging.getLogger("fireside.trial")

_POLL = 0.02  # seconds between two looks at whether a person has cancelled
_LEAST_SECONDS = 60.0
_BYTES_A_SECOND = 100e6  # what a slow disk reads, and more than a slow processor needs
_KEPT_TEXT = 4000  # characters of what a dying process said
# What a process dies of by itself. Another signal was sent from outside, above all SIGKILL when the memory
# runs out, and says nothing against the file.
_OWN_DEATHS = ("SIGABRT", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS")
_WINDOWS_ABORT, _WINDOWS_EXCEPTION = 3, 0xC0000000


class Processes(Protocol):
    """How to tell processes apart, when their numbers come again."""

    def this_process(self) -> str:
        """Return the mark of this process."""

    def is_alive(self, mark: str | None) -> bool:
        """Return whether the process with this mark is still running."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is known of a file, in the state it had, on the engine that was there.

    Attributes:
        file: See `records.state_of`.
        engine: Version of llama.cpp, instruction sets and devices: another one may do better or worse.
        passed: It loaded in a trial.
        killed: It ended its trial, or this program after it had passed.
        deaths: How often this program ended while it loaded the file, since that last went well.
        date: Of the verdict.
        words: The last words of the process that ended.
    """

    file: list[list[int]]
    engine: str
    passed: bool = False
    killed: bool = False
    deaths: int = 0
    date: str = ""
    words: str = ""


def program() -> list[str]:
    """Return the command line of a trial, up to the file: this program, whether frozen or run by Python."""
    if getattr(sys, "frozen", False):
        return [sys.executable, TRIAL]
    return [sys.executable, "-P", "-m", "app", TRIAL]  # -P: a folder “app” where we stand is not ours


class Trials:
    """Lets a file into this process once a throw-away process has loaded it unharmed.

    The verdicts last, in a folder that several processes may use at once. Where it cannot be written,
    each file is tried each time. A file whose trial cannot be held is not let in before a person has been
    told so, and asks for it again.
    """

    def __init__(
        self,
        folder: Path,
        processes: Processes,
        command: Sequence[str] | None = None,
        least_seconds: float = _LEAST_SECONDS,
    ) -> None:
        """Name the folder; it is made when there is something to keep.

        Args:
            folder: For the verdicts and the markers.
            processes: Whose marks the markers bear.
            command: What tries a file, given its path and the seconds it may take as further arguments;
                this very program when None.
            least_seconds: How long the trial of the smallest file may take.
        """
        self._folder = folder
        self._verdicts = folder / "verdicts.json"
        self._processes = processes
        self._command = command
        self._least_seconds = least_seconds
        self._told: dict[Path, list[list[int]]] = {}  # which files could not be tried, in which state

    def admit(self, path: Path, engine: str, cancelled: Callable[[], bool]) -> bool:
        """Try `path` unless that was done before; return False when it was cancelled.

        Args:
            path: A file whose header has been checked.
            engine: What loads it; a verdict holds for the same engine only.
            cancelled: Asked all the time; the trial ends at once.

        Raises:
            UserError: When the file ended its trial, now or before, was refused in it, or could not be tried
                for the first time.
        """
        self._judge_the_dead()
        verdict = self._known(path, engine)
        if verdict and verdict.killed:
            raise _killed(path)
        # The starter came with Fireside and is loaded by its tests: the first answer need not wait for a
        # trial. Once this program ended while loading it, it is a file like any other.
        if verdict is None and path == find_starter():
            return True
        if verdict and verdict.passed:
            return True
        verdict = verdict or _Verdict(records.state_of(path), engine)
        return self._try(path, verdict, cancelled)

    @contextlib.contextmanager
    def loading(self, path: Path, engine: str) -> Iterator[None]:
        """Leave a marker while this process loads `path`: whoever finds it afterwards knows what ended it."""
        process = self._processes.this_process()
        marker = self._folder / f"loading-{os.getpid()}.json"
        with contextlib.suppress(OSError):
            left = {"process": process, "path": str(path), "file": records.state_of(path), "engine": engine}
            records.write(marker, left)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                marker.unlink(missing_ok=True)
        verdict = self._known(path, engine)
        if verdict and verdict.deaths:
            self._keep(path, _Verdict(verdict.file, engine, passed=True, date=_now()))

    def _judge_the_dead(self) -> None:
        """Turn the markers of processes that are no more into verdicts.

        A process that was ended from outside leaves one too, and a large file takes long to load: so the
        first death only calls for a new trial, and the second one in a row counts against the file.
        """
        for marker in self._folder.glob("loading-*.json"):
            try:
                left = json.loads(marker.read_bytes())
                if self._processes.is_alive(str(left["process"])):
                    continue
                path, file, engine = Path(left["path"]), left["file"], str(left["engine"])
            except OSError:
                continue
            except (ValueError, TypeError, KeyError):
                path = None
            with contextlib.suppress(OSError):
                marker.unlink()
            if path is None or file != records.state_of(path):
                continue
            known = self._known(path, engine)
            deaths = (known.deaths if known else 0) + 1
            _log.warning("An earlier run ended while it loaded %s (%d in a row)", path.name, deaths)
            self._keep(path, _Verdict(file, engine, killed=deaths > 1, deaths=deaths, date=_now()))

    def _try(self, path: Path, before: _Verdict, cancelled: Callable[[], bool]) -> bool:
        size = sum(part[0] for part in before.file)
        seconds = self._least_seconds + size / _BYTES_A_SECOND
        ended = self._run(path, seconds, cancelled)
        if ended is None:
            return False
        code, said, complaint = ended
        if refusal := _refusal(said):
            raise refusal
        if code == 0:
            passed = _Verdict(before.file, before.engine, passed=True, deaths=before.deaths, date=_now())
            self._keep(path, passed)
            return True
        _log.warning("The trial of %s ended with %d:\n%s", path.name, code, complaint)
        if _died_by_itself(code):
            words = _last_words(complaint)
            self._keep(path, _Verdict(before.file, before.engine, killed=True, date=_now(), words=words))
            raise _killed(path)
        if code < 0:
            raise UserError(
                _(
                    "The system stopped the first test of “{file}”, most likely because memory ran out."
                ).format(file=path.name),
                _("Close other programs, or choose a smaller model."),
                "choose-model",
            )
        # The trial itself failed, which says nothing about the file.
        if self._told.get(path) == before.file:
            _log.warning("%s is loaded without a trial, as was asked for", path.name)
            return True
        self._told[path] = before.file
        raise _untried(path)

    def _run(self, path: Path, seconds: float, cancelled: Callable[[], bool]) -> tuple[int, str, str] | None:
        """Return exit code, standard output and standard error of a trial; None when it was cancelled.

        Raises:
            UserError: When it took too long.
        """
        command = [*(self._command or program()), str(path.absolute()), str(round(seconds))]
        started = time.monotonic()
        try:
            # A session of its own: Ctrl+C in the terminal is for us, and we end the trial.
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            _log.warning("No trial can be started: %s", error)
            return 1, "", ""
        with process:
            while True:
                try:
                    out, err = process.communicate(timeout=_POLL)
                except subprocess.TimeoutExpired:
                    pass
                else:
                    complaint = err.decode("utf-8", "replace")[-_KEPT_TEXT:]
                    return process.returncode, out.decode("utf-8", "replace"), complaint
                if cancelled():
                    process.kill()
                    return None
                if time.monotonic() - started > seconds:
                    process.kill()
                    _log.warning("The trial of %s was ended after %.0f s", path.name, seconds)
                    raise _too_slow(path)

    def _known(self, path: Path, engine: str) -> _Verdict | None:
        """Return the verdict on the file as it is now, on this engine; None when there is none."""
        try:
            verdict = _Verdict(**records.read(self._verdicts)[str(path)])
        except (KeyError, TypeError):
            return None
        return verdict if verdict.file == records.state_of(path) and verdict.engine == engine else None

    def _keep(self, path: Path, verdict: _Verdict) -> None:
        """Add a verdict to the file.

        Two processes in the very same moment can lose one of two verdicts: that file is tried again.
        """
        try:
            records.write(self._verdicts, records.read(self._verdicts) | {str(path): asdict(verdict)})
        except OSError as error:
            _log.warning("The verdict on %s cannot be kept: %s", path.name, error)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _died_by_itself(code: int) -> bool:
    """Return whether a process with this exit code aborted or crashed."""
    if sys.platform == "win32":
        return code == _WINDOWS_ABORT or code >= _WINDOWS_EXCEPTION
    return -code in {int(getattr(signal, name)) for name in _OWN_DEATHS}


def _last_words(complaint: str) -> str:
    """Return the line that says why, from before the stack that Python prints."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    fatal = next((index for index, line in enumerate(lines) if line.startswith("Fatal Python error")), None)
    if fatal is not None:
        return lines[max(fatal - 1, 0)]
    return lines[-1] if lines else ""


def _refusal(said: str) -> UserError | None:
    """Return the refusal that a trial printed, None when it printed none."""
    try:
        refusal = json.loads(said)
        return UserError(refusal["message"], refusal["hint"], refusal["action"])
    except (ValueError, TypeError, KeyError):
        return None


def _killed(path: Path) -> UserError:
    return UserError(
        _("“{file}” crashed the engine in a test, so Fireside will not load it.").format(file=path.name),
        _("Download the file again, or install a newer version of Fireside."),
        "choose-model",
    )


def _untried(path: Path) -> UserError:
    return UserError(
        _("“{file}” was not loaded: the test of a new file could not be held.").format(file=path.name),
        _(
            "Close other programs and try again. If that is not possible then either, it is loaded "
            "without a test, and a damaged file could end Fireside."
        ),
        "choose-model",
    )


def _too_slow(path: Path) -> UserError:
    return UserError(
        _("“{file}” could not be tested: loading took too long.").format(file=path.name),
        _("Try again when the computer is less busy. If that does not help, download the file again."),
        "choose-model",
    )
