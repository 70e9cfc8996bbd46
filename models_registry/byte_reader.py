"""Reads little-endian values from an untrusted file and never past its end."""

import os
import struct
from collections.abc import Iterator
from typing import Never, Protocol

from models_registry.errors import ModelFileError, Problem

_CHUNK = 512 << 10
# In all, over the whole header; the largest genuine ones take 16 MB.
_MAX_READ = 256 << 20
_MAX_STRING = 16 << 20
# In all: walking over strings is the one thing that takes time for each element.
_MAX_STRINGS = 1 << 22

_LENGTH = struct.Struct("<Q")


class File(Protocol):
    """Bytes that can be read from any place on: a file on this computer, or one that lies elsewhere."""

    def read(self, count: int, /) -> bytes:
        """Return the next `count` bytes, fewer at the end only."""

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to a place and return it."""

    def close(self) -> None:
        """Let go of it."""


class ByteReader:
    """A position in a file that only moves forward.

    Every length is compared with the bytes that are left before anything is read, so memory stays within a
    small multiple of what the file really holds. The file is not mapped: one that is cut off while it is read
    is an error here and not the end of the process.

    Every method takes `what`, the thing that is read, for the message of a ModelFileError: TRUNCATED when the
    file ends too early, CORRUPT when a length is more than any genuine file has. OSError when reading fails.

    Attributes:
        size: Bytes of the file when it was opened.
    """

    def __init__(self, file: File) -> None:
        self.size = file.seek(0, os.SEEK_END)
        file.seek(0)
        self._file = file
        self._buffer = b""
        self._start = 0
        self._at = 0
        self._read = 0
        self._strings = 0

    @property
    def position(self) -> int:
        """Return the offset of the next byte in the file."""
        return self._start + self._at

    def require(self, count: int, what: str) -> None:
        """Refuse the file as TRUNCATED unless `count` more bytes follow."""
        left = self.size - self.position
        if count > left:
            detail = f"{what} needs {count} bytes at offset {self.position}, {left} are left"
            raise ModelFileError(Problem.TRUNCATED, detail)

    def take(self, count: int, what: str) -> bytes:
        """Return the next `count` bytes."""
        self._fill(count, what)
        self._at += count
        return self._buffer[self._at - count : self._at]

    def skip(self, count: int, what: str) -> None:
        """Pass over `count` bytes, without reading those that have not been read."""
        self.require(count, what)
        target = self.position + count
        if target <= self._start + len(self._buffer):
            self._at += count
        else:
            self._file.seek(target)
            self._buffer, self._start, self._at = b"", target, 0

    def integer(self, width: int, what: str) -> int:
        """Return the next unsigned integer of `width` bytes."""
        return int.from_bytes(self.take(width, what), "little")

    def string(self, what: str, limit: int = _MAX_STRING) -> bytes:
        """Return the next string: a 64-bit length, at most `limit`, and as many bytes."""
        length = self.integer(8, what)
        if length > limit:
            self._refuse(f"{what} is {length} bytes long, more than {limit}")
        return self.take(length, what)

    def strings(self, count: int, what: str) -> Iterator[tuple[bytes, list[int]]]:
        """Walk over `count` strings.

        Yields:
            Bytes and the offsets in them at which strings begin (with their 64-bit length), and at last the
            end: one offset more than strings.
        """
        self._count_strings(count, what)
        while count:
            self._fill_string(what)
            offsets = _string_offsets(self._buffer, self._at, count)
            self._at = offsets[-1]
            count -= len(offsets) - 1
            yield self._buffer, offsets

    def skip_strings(self, count: int, what: str) -> None:
        """Pass over `count` strings: every length is checked as by `strings`, nothing is copied or kept."""
        self._count_strings(count, what)
        while count:
            self._fill_string(what)
            self._at, passed = _after_strings(self._buffer, self._at, count)
            count -= passed

    def _count_strings(self, count: int, what: str) -> None:
        self.require(8 * count, what)
        self._strings += count
        if self._strings > _MAX_STRINGS:
            self._refuse(f"{what} has {count} strings, more than {_MAX_STRINGS} in all")

    def _fill_string(self, what: str) -> None:
        """Have the next string in the buffer, however long, with what happens to be there after it."""
        self._fill(8, what)
        length = _LENGTH.unpack_from(self._buffer, self._at)[0]
        if length > _MAX_STRING:
            self._refuse(f"a string in {what} is {length} bytes long, more than {_MAX_STRING}")
        self._fill(8 + length, what)

    def _fill(self, count: int, what: str) -> None:
        """Have at least `count` bytes in the buffer from the position on."""
        left = len(self._buffer) - self._at
        if left >= count:
            return
        self.require(count, what)
        if self._read > _MAX_READ:
            self._refuse(f"the header goes on after {self._read} bytes, at {what}")
        more = self._file.read(max(count - left, _CHUNK))
        self._read += len(more)
        self._buffer, self._start, self._at = self._buffer[self._at :] + more, self.position, 0
        if len(self._buffer) < count:
            raise ModelFileError(Problem.TRUNCATED, f"the file was cut off while {what} was read")

    def _refuse(self, detail: str) -> Never:
        raise ModelFileError(Problem.CORRUPT, f"{detail} (at offset {self.position})")


def _string_offsets(buffer: bytes, at: int, count: int) -> list[int]:
    """Return where the strings from `at` on begin, up to `count` that are whole, and where the last ends."""
    length_at = _LENGTH.unpack_from
    size = len(buffer)
    last = size - 8
    offsets = [at]
    for _ in range(count):
        if at > last:
            break
        at += 8 + length_at(buffer, at)[0]
        if at > size:
            break
        offsets.append(at)
    return offsets


def _after_strings(buffer: bytes, at: int, count: int) -> tuple[int, int]:
    """Return where those of `count` strings that are whole end, and how many they are."""
    length_at = _LENGTH.unpack_from
    size = len(buffer)
    last = size - 8
    for passed in range(count):
        if at > last:
            return at, passed
        end = at + 8 + length_at(buffer, at)[0]
        if end > size:
            return at, passed
        at = end
    return at, count
