"""A file that is being fetched, as it lies on the disk until it is whole.

It grows in `SHA256.part` in the target's folder, so that what lies there is always part of that very
content. A thread behind computes the sha256 while more arrives, has the disk keep what it was given now and
then, and notes in `SHA256.json` how much that is: after the power failed, only so much is believed.
"""

import contextlib
import errno
import hashlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

_BLOCK = 1 << 20
_SYNC_EVERY = 256 << 20
_SAME_BOOT = 300.0  # seconds by which the computed time of the start may move when the clock is set
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Trouble(StrEnum):
    """Why a transfer cannot go on; two troubles differ where a person would be told something different."""

    NO_SPACE = "no_space"
    """The disk has no room for the rest, or would be left without reserve."""
    UNWRITABLE = "unwritable"
    """The folder or the file cannot be written."""
    WRONG_SIZE = "wrong_size"
    """What is sent has another size than was announced."""
    WRONG_BYTES = "wrong_bytes"
    """All bytes came, twice, and are not what was announced."""
    IN_USE = "in_use"
    """Another process is at it."""


class TransferError(Exception):
    """A transfer that cannot go on; what has arrived stays, but for wrong bytes.

    Attributes:
        trouble: The kind.
        detail: Technical and in English.
        missing: Bytes of room that are missing, when that is known; else 0.
    """

    def __init__(self, trouble: Trouble, detail: str, missing: int = 0) -> None:
        super().__init__(trouble, detail)
        self.trouble, self.detail, self.missing = trouble, detail, missing


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that is wanted.

    Attributes:
        target: Where it will lie.
        size: In bytes.
        sha256: Of its bytes, in lower case.
    """

    target: Path
    size: int
    sha256: str

    @property
    def part(self) -> Path:
        """Return where its beginning lies until it is whole."""
        return self.target.with_name(f"{self.sha256}.part")

    @property
    def journal(self) -> Path:
        """Return where it is noted how much of it the disk surely keeps."""
        return self.target.with_name(f"{self.sha256}.json")

    @property
    def draft(self) -> Path:
        """Return where the next note is written before it takes the place of the last one."""
        return self.target.with_name(f"{self.sha256}.tmp")

    def is_there(self, stop: threading.Event) -> bool:
        """Return whether the target holds these very bytes; False too when `stop` is set meanwhile."""
        digest = hashlib.sha256()
        try:
            if self.target.stat().st_size != self.size:
                return False
            with self.target.open("rb", buffering=0) as file:
                while block := file.read(_BLOCK):
                    if stop.is_set():
                        return False
                    digest.update(block)
        except OSError:
            return False
        return digest.hexdigest() == self.sha256

    def abandon(self) -> None:
        """Delete what has arrived of it."""
        with contextlib.suppress(OSError):
            self.part.unlink(missing_ok=True)
        self.forget_notes()

    def forget_notes(self) -> None:
        """Delete what was noted of it, and half a note of a process that ended there."""
        for path in (self.journal, self.draft):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


class Digest:
    """Computes the sha256 of a file that grows, and has the disk keep it meanwhile."""

    def __init__(self, file: int, wanted: Wanted, written: int) -> None:
        self._file, self._wanted = file, wanted
        self._written, self._read = written, 0
        self._synced = written
        self._ended = self._closed = False
        self._error: OSError | None = None
        self._changed = threading.Condition()
        self._hash = hashlib.sha256()
        self._reader = wanted.part.open("rb", buffering=0)
        self._keeping: threading.Thread | None = None
        self._thread = threading.Thread(target=self._run, name="sha256", daemon=True)
        self._thread.start()

    def follow(self, written: int) -> None:
        """Say that the file has so many bytes now."""
        with self._changed:
            self._written = written
            self._changed.notify()

    def finish(self) -> str:
        """Wait for the end, and return the sha256 of all that was written."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._join()
        if self._error:
            raise self._error
        return self._hash.hexdigest()

    def close(self) -> None:
        """Stop; what `finish` returned stays true."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._join()
        self._reader.close()

    def _join(self) -> None:
        self._thread.join()
        if self._keeping:
            self._keeping.join()

    def _run(self) -> None:
        try:
            while (written := self._next()) is not None:
                while self._read < written and not self._closed:
                    block = self._reader.read(min(_BLOCK, written - self._read))
                    self._hash.update(block)
                    # A file that someone else has cut fails by its sha256.
                    self._read = self._read + len(block) if block else written
                busy = self._keeping and self._keeping.is_alive()
                if written - self._synced >= _SYNC_EVERY and not busy:
                    self._synced = written
                    self._keeping = threading.Thread(
                        target=self._keep, args=(written,), name="fsync", daemon=True
                    )
                    self._keeping.start()
        except OSError as error:
            self._error = error  # `finish` raises it

    def _next(self) -> int | None:
        """Wait for more; return the bytes that are there, None when no more will come."""
        with self._changed:
            while self._read == self._written and not (self._ended or self._closed):
                self._changed.wait()
            return None if self._closed or self._read == self._written else self._written

    def _keep(self, written: int) -> None:
        try:
            os.fsync(self._file)
            note = {"kept": written, "boot": psutil.boot_time()}
            self._wanted.draft.write_text(json.dumps(note), encoding="ascii")
            self._wanted.draft.replace(self._wanted.journal)
        except OSError as error:
            self._error = error


def believable(wanted: Wanted, file: int) -> int:
    """Return how much of a part can be believed, after cutting it to that."""
    size = os.fstat(file).st_size
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        note = json.loads(wanted.journal.read_bytes())
        if abs(note["boot"] - psutil.boot_time()) > _SAME_BOOT:
            size = min(size, int(note["kept"]))
    if size > wanted.size:
        size = 0
    os.ftruncate(file, size)
    return size


def empty(wanted: Wanted, file: int) -> None:
    """Forget all that has arrived."""
    with disk():
        os.ftruncate(file, 0)
    wanted.forget_notes()


@contextlib.contextmanager
def disk() -> Iterator[None]:
    """Turn what a disk says into a `TransferError`."""
    try:
        yield
    except OSError as error:
        trouble = Trouble.NO_SPACE if error.errno in _FULL else Trouble.UNWRITABLE
        raise TransferError(trouble, str(error)) from error


@contextlib.contextmanager
def opened(part: Path) -> Iterator[int]:
    """Open a part, and keep other processes from it.

    Raises:
        TransferError: When it cannot be opened, or another process has it.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    with disk():
        part.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(part, flags, 0o600)
    try:
        with _alone(part, file):
            yield file
    finally:
        os.close(file)


if sys.platform == "win32":
    import filelock

    @contextlib.contextmanager
    def _alone(part: Path, _file: int) -> Iterator[None]:
        # A lock of the file's own bytes would keep us from reading them, too.
        try:
            with filelock.FileLock(part.with_suffix(".lock"), timeout=0):
                yield
        except filelock.Timeout as error:
            raise TransferError(Trouble.IN_USE, str(error)) from error

else:
    import fcntl

    @contextlib.contextmanager
    def _alone(_part: Path, file: int) -> Iterator[None]:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise TransferError(Trouble.IN_USE, str(error)) from error
        yield  # until the file is closed


def write(file: int, chunk: bytes) -> None:
    """Write all of `chunk` where the file stands.

    Raises:
        TransferError: When the disk does not take it.
    """
    view = memoryview(chunk)
    with disk():
        while view:
            view = view[os.write(file, view) :]
