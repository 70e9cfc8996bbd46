"""What `fireside --selftest` looks at beside the window: whether all that this program came with is there.

It is for whoever makes or mends an installation, and for a bug report: a program that was put together from
many packages can lack a part that is missed only when somebody needs it.
"""

import importlib
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from app.domain.generation import Failed, Finished, Piece
from app.domain.model import Model, Origin
from app.domain.settings import Settings
from app.services import Services
from app.storage.database import Database

SELFTEST = "--selftest"
"""The only argument of this program that makes it test itself."""

Facts = dict[str, Any]
"""What a check found, as JSON types."""

# 3.7.0 to 3.51.2 can damage a file in WAL mode: https://sqlite.org/releaselog/3_51_3.html
_LEAST_SQLITE = (3, 51, 3)
_ANSWER_SECONDS = 120.0
# The system's own keyring, and what it is reached through: each is imported by its name only, when a token
# is kept, so that what looks for imports does not find it.
_KEYRING = {
    "darwin": ("keyring.backends.macOS",),
    "win32": ("keyring.backends.Windows", "win32ctypes.pywin32.win32cred"),
}.get(sys.platform, ("keyring.backends.SecretService", "secretstorage"))


class UnfitError(Exception):
    """Something is not as it must be; the text says what."""


def outcome(check: Callable[[], Facts]) -> Facts:
    """Return what `check` found, with whether it passed: it did unless it raised something."""
    try:
        facts = check()
    except Exception as error:
        return {"passed": False, "problem": f"{type(error).__name__}: {error}"}
    return {"passed": True, **facts}


def examine(services: Services) -> dict[str, Facts]:
    """Try everything that needs no window; no request is made."""
    return {
        "sqlite": outcome(lambda: _sqlite(services.database)),
        "engine": outcome(lambda: _engine(services)),
        "hub": outcome(_hub),
        "keyring": outcome(_keyring),
    }


def _sqlite(database: Database) -> Facts:
    version = str(database.read(lambda db: db.execute("SELECT sqlite_version()").fetchone()[0]).result())
    if tuple(map(int, version.split("."))) < _LEAST_SQLITE:
        raise UnfitError(f"SQLite is {version}")
    modules = database.read(lambda db: db.execute("SELECT name FROM pragma_module_list").fetchall()).result()
    if ("fts5",) not in map(tuple, modules):
        raise UnfitError("SQLite has no FTS5")
    return {"version": version, "fts5": True}


def _engine(services: Services) -> Facts:
    """Have the starter model write one token."""
    from app.engine import native

    models = services.models.refresh().result()
    starter = next((model for model in models if model.origin is Origin.STARTER), None)
    if starter is None:
        raise UnfitError("the starter model is missing")
    text, tokens = _answer(services, starter)
    if tokens != 1:
        raise UnfitError(f"{tokens} tokens were written instead of one")
    return {
        "model": starter.name,
        "text": text,
        "devices": [f"{device.name}: {device.description}" for device in native.devices()],
        "llama_cpp": native.system_info().strip(),
    }


def _answer(services: Services, model: Model) -> tuple[str, int]:
    job = services.questions.ask(model, "Hello", "", Settings(max_tokens=1, seed=1))
    words: list[str] = []
    until = time.monotonic() + _ANSWER_SECONDS
    while time.monotonic() < until:
        for event in job.wait(0.1):
            match event:
                case Piece(text):
                    words.append(text)
                case Failed(error):
                    raise error
                case Finished(stats):
                    return "".join(words), stats.generated_tokens if stats else 0
    job.cancel()
    raise UnfitError(f"no answer came within {_ANSWER_SECONDS:.0f} seconds")


def _hub() -> Facts:
    """Get the hub's client ready to ask, with the certificates that it trusts; ask nothing."""
    from models_registry.hub.client import Hub

    with Hub() as hub:
        return {"endpoint": hub.endpoint}


def _keyring() -> Facts:
    """Find the system's keyring; whether it is unlocked, or there at all, is the computer's affair."""
    import keyring

    for name in _KEYRING:
        importlib.import_module(name)
    chosen = type(keyring.get_keyring())
    return {"backend": f"{chosen.__module__}.{chosen.__name__}"}


class Footprint:
    """What this process writes and which sockets it makes, as Python sees it.

    A library written in C can do both unseen: only the system knows all (strace, a network namespace).
    """

    def __init__(self, allowed: Iterable[Path]) -> None:
        """Name the folders in which files may be written."""
        self._allowed = [folder.resolve() for folder in allowed]
        self._written: set[str] = set()
        self._sockets: set[str] = set()

    def watch(self) -> None:
        """Look from now on until the end of the process."""
        sys.addaudithook(self._note)

    def files(self) -> Facts:
        """Tell where files were written.

        Raises:
            UnfitError: Outside of the folders.
        """
        strays = sorted(path for path in self._written if not self._is_allowed(Path(path)))
        if strays:
            raise UnfitError(f"written outside of the folder of the data: {', '.join(strays)}")
        return {"written": len(self._written)}

    def sockets(self) -> Facts:
        """Tell that there was none that leads to a network.

        Raises:
            UnfitError: There was one.
        """
        if self._sockets:
            raise UnfitError(f"network sockets: {', '.join(sorted(self._sockets))}")
        return {"opened": 0}

    def _is_allowed(self, path: Path) -> bool:
        whole = path.resolve()
        return path == Path(os.devnull) or any(whole.is_relative_to(folder) for folder in self._allowed)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _mode, flags = arguments
            if isinstance(path, (str, bytes)) and flags & _WRITES:
                self._written.add(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100
        elif event in _CHANGES:
            # Beneath a folder that is held open, as shutil deletes a tree: that folder was noted when made.
            held = event in _BENEATH and arguments[-1] != -1
            for path in () if held else arguments[: _CHANGES[event]]:
                if isinstance(path, (str, bytes)):
                    self._written.add(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100
        elif event == "socket.__new__":
            if arguments[1] in (socket.AF_INET, socket.AF_INET6):
                self._sockets.add(socket.AddressFamily(arguments[1]).name)
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            self._sockets.add(f"{event} {arguments[0]}")


_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# What else changes the disk, with how many of its first arguments are paths:
# https://docs.python.org/3/library/audit_events.html
_CHANGES = {
    "os.mkdir": 1,
    "os.remove": 1,
    "os.rename": 2,
    "os.rmdir": 1,
    "os.link": 2,
    "os.symlink": 2,
    "os.truncate": 1,
}
_BENEATH = ("os.mkdir", "os.remove", "os.rmdir")
