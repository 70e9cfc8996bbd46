"""The header of a model that lies at a hub, read without fetching the model."""

import os
from collections.abc import Callable
from pathlib import Path

from models_registry.errors import ModelFileError, Problem
from models_registry.gguf import read_header
from models_registry.header import Header
from models_registry.hub.repository import RemoteFile, Variant

_FIRST = 1 << 20
_FIRST_OF_LATER = 512 << 10  # later files of several have no vocabulary
_LARGEST = 8 << 20
_MOST = 64 << 20  # bytes for one file; the largest genuine headers take 16 MB

Fetch = Callable[[RemoteFile, int, int], bytes]
"""Gives the bytes of a file from one offset to another, all of them or an exception."""


def read(variant: Variant, fetch: Fetch) -> Header:
    """Read and check the header of a model, of all its files if it has several.

    Returns:
        The same as for the files on this computer, but for the paths, which are those in the repository.

    Raises:
        ModelFileError: When it is not a model that can be used.
        Exception: Whatever `fetch` raises.
    """
    return read_header(Path(variant.path), _Shelf(variant, fetch))


class _Shelf:
    """The files of a model at a hub."""

    def __init__(self, variant: Variant, fetch: Fetch) -> None:
        self._files = {Path(file.path): file for file in variant.files}
        self._fetch = fetch
        self._step = _FIRST

    def open(self, path: Path) -> "RangeFile":
        step, self._step = self._step, _FIRST_OF_LATER
        file = self._files[path]
        return RangeFile(file.size, lambda start, stop: self._fetch(file, start, stop), step)

    def has(self, path: Path) -> bool:
        return path in self._files


class RangeFile:
    """A file of which only the ranges that are read are fetched, the more at once the longer it goes on."""

    def __init__(self, size: int, fetch: Callable[[int, int], bytes], step: int) -> None:
        """Name a file.

        Args:
            size: In bytes.
            fetch: Gives the bytes from one offset to another.
            step: How many bytes to fetch at first, if no more are needed.
        """
        self._size = size
        self._fetch = fetch
        self._step = step
        self._at = 0
        self._start = 0
        self._held = b""
        self._fetched = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to an offset from the beginning, or from the end."""
        self._at = offset + (self._size if whence == os.SEEK_END else 0)
        return self._at

    def read(self, count: int, /) -> bytes:
        """Return the next bytes, fewer at the end only.

        Raises:
            ModelFileError: CORRUPT, when this goes on for longer than any header.
        """
        stop = min(self._at + count, self._size)
        held = self._start + len(self._held)
        if not self._start <= self._at <= held:
            self._start, self._held, held = self._at, b"", self._at
        if stop > held:
            until = min(max(stop, held + self._step), self._size)
            self._fetched += until - held
            if self._fetched > _MOST:
                raise ModelFileError(Problem.CORRUPT, f"the header goes on at offset {self._at}")
            self._held = self._held[self._at - self._start :] + self._fetch(held, until)
            self._start = self._at
            self._step = min(self._fetched, _LARGEST)
        piece = self._held[self._at - self._start : stop - self._start]
        self._at += len(piece)
        return piece

    def close(self) -> None:
        """Forget what was fetched."""
        self._held = b""
