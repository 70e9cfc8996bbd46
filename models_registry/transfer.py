"""The bytes of a model file onto this disk: resumed where they broke off, there whole or not at all."""

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from models_registry.index import sync_folder
from models_registry.part_file import (
    Digest,
    TransferError,
    Trouble,
    Wanted,
    believable,
    disk,
    empty,
    opened,
    write,
)

__all__ = [
    "KEPT_FREE",
    "BrokenOff",
    "ByteSource",
    "Throttle",
    "Transfer",
    "TransferError",
    "Trouble",
    "Wanted",
]

KEPT_FREE = 2 * 1000**3  # bytes of the disk that a download leaves to others

_LOOK_EVERY = 64 << 20  # bytes between two looks at the free space


class ByteSource(Protocol):
    """A file that is being sent, from some byte on."""

    @property
    def total(self) -> int:
        """Return the bytes of the whole file."""

    @property
    def start(self) -> int:
        """Return where the sender really begins; 0 when it cannot begin elsewhere."""

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes as they arrive."""

    def close(self) -> None:
        """End it, from any thread: `chunks` ends soon then, with or without an exception."""


class BrokenOff(Exception):
    """The bytes stopped before the end; trying again goes on from there."""


class Throttle:
    """Holds transfers to so many bytes a second, together."""

    def __init__(self, bytes_per_second: int = 0) -> None:
        """Set the limit; 0 is none. `limit` may be changed at any time, from any thread."""
        self.limit = bytes_per_second
        self._lock = threading.Lock()
        self._free_at = 0.0

    def wait(self, count: int, stop: threading.Event) -> None:
        """Wait until `count` bytes more are due, or `stop` is set."""
        if not self.limit:
            return
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + count / self.limit
            seconds = self._free_at - now
        stop.wait(seconds)


class Transfer:
    """One file on its way.

    Attributes:
        done: Bytes of it that are on this disk, never fewer than before but after wrong bytes.
        received: Bytes that `run` has added.
    """

    def __init__(self, wanted: Wanted, throttle: Throttle | None = None) -> None:
        """Name the file; nothing happens yet."""
        self._wanted = wanted
        self._throttle = throttle or Throttle()
        self._stop = threading.Event()
        self._source: ByteSource | None = None
        self.done = self.received = 0

    def stop(self) -> None:
        """End `run` soon, from any thread; what has arrived stays."""
        self._stop.set()
        source = self._source
        if source is not None:
            source.close()

    def run(self, open_at: Callable[[int], ByteSource]) -> bool:
        """Get what is missing, once; return whether the file is there now. False when it was stopped.

        Args:
            open_at: Called with the byte to begin with; what it raises goes through.

        Raises:
            BrokenOff: When the sender ended early. Also what `ByteSource.chunks` raises goes through.
            TransferError: When it makes no sense to go on by itself.
        """
        wanted = self._wanted
        with opened(wanted.part) as file:
            right = self._fill(file, open_at)
            if right is False:
                empty(wanted, file)
                right = self._fill(file, open_at)
            if right is None:
                return False
            if not right:
                empty(wanted, file)
                raise TransferError(Trouble.WRONG_BYTES, "the sha256 is another one")
            with disk():
                os.fsync(file)
        with disk():
            wanted.part.replace(wanted.target)
            wanted.forget_notes()
            with contextlib.suppress(OSError):  # a network's disk may know no such thing
                sync_folder(wanted.target.parent)
        return True

    def _fill(self, file: int, open_at: Callable[[int], ByteSource]) -> bool | None:
        """Get what is missing; return whether the bytes are the right ones, None when it was stopped."""
        with disk():
            self.done = believable(self._wanted, file)
            digest = Digest(file, self._wanted, self.done)
        try:
            if self.done < self._wanted.size and not self._stop.is_set():
                self._receive(file, open_at, digest)
            if self._stop.is_set():
                return None
            with disk():
                found = digest.finish()
        finally:
            digest.close()
        return None if self._stop.is_set() else found == self._wanted.sha256

    def _receive(self, file: int, open_at: Callable[[int], ByteSource], digest: "Digest") -> None:
        self._check_space()
        source = self._source = open_at(self.done)
        try:
            if not self._stop.is_set():  # `stop` may not have seen this source
                self._take(source, file, digest)
        except Exception:
            if not self._stop.is_set():  # else the source was closed for that
                raise
        finally:
            self._source = None
            source.close()

    def _take(self, source: ByteSource, file: int, digest: "Digest") -> None:
        size = self._wanted.size
        if source.total != size:
            raise TransferError(Trouble.WRONG_SIZE, f"{source.total} bytes instead of {size}")
        known, looked = self.done - source.start, self.done
        os.lseek(file, self.done, os.SEEK_SET)
        for chunk in source.chunks():
            self._throttle.wait(len(chunk), self._stop)
            if self._stop.is_set():
                return
            new = chunk[known:] if known else chunk  # sent again, when the sender cannot begin elsewhere
            known = max(0, known - len(chunk))
            if self.done + len(new) > size:
                raise TransferError(Trouble.WRONG_SIZE, f"more than {size} bytes")
            write(file, new)
            self.done += len(new)
            self.received += len(new)
            digest.follow(self.done)
            if self.done - looked >= _LOOK_EVERY:
                looked = self.done
                self._check_space()
        if self.done < size:
            raise BrokenOff(f"ended after {self.done} of {size} bytes")

    def _check_space(self) -> None:
        rest = self._wanted.size - self.done
        missing = rest + KEPT_FREE - shutil.disk_usage(self._wanted.target.parent).free
        if rest and missing > 0:
            raise TransferError(Trouble.NO_SPACE, f"{missing} bytes of room are missing", missing)
