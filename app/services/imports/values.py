"""JSON values one after the other, out of a file of any size: an array, JSON Lines, or just one value.

No more than one value is held at a time, and none that is longer, deeper or of more parts than a chat can be.
"""

import codecs
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from app.domain.language import _

LONGEST = 64 * 2**20
"""Characters of one value."""
MOST_PARTS = 4_000_000
"""Of one value: Python takes some hundred bytes for each."""
_CHUNK = 2**20
_FAR = 4 * _CHUNK  # from this length on, parts are counted before they are made
_BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_decode = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class Value:
    """One value.

    Attributes:
        length: Characters it took in the file.
        damage: Why there is none, as a sentence; empty when there is.
    """

    content: Any
    length: int = 0
    damage: str = ""


class Bytes(Protocol):
    """A file that is read from its beginning to its end."""

    def read(self, count: int = -1, /) -> bytes:
        """Return the next bytes, at most `count`; none at the end."""
        ...


def values(raw: Bytes) -> Iterator[Value]:
    """Return what a file holds. After damage that hides where the next value begins, nothing follows."""
    try:
        start = raw.read(2)
        text = io.TextIOWrapper(
            io.BufferedReader(_After(start, raw)), encoding=_BOMS.get(start, "utf-8-sig"), newline=""
        )
        yield from _Reader(text).values()
    except UnicodeError:
        yield Value(None, damage=_("The file is not text in UTF-8."))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError):
        yield Value(None, damage=_("The file is damaged."))


class _After(io.RawIOBase):
    """What was read already, and the rest."""

    def __init__(self, start: bytes, raw: Bytes) -> None:
        self._start, self._raw = start, raw

    def readable(self) -> bool:
        """Say so."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into `buffer`; return how many bytes."""
        found, self._start = self._start or self._raw.read(len(buffer)), b""
        buffer[: len(found)] = found
        return len(found)


class _Reader:
    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._buffer = ""
        self._at = 0
        self._ended = False

    def values(self) -> Iterator[Value]:
        inside = self._next() == "["
        self._at += inside
        while letter := self._next():
            if inside and letter in ",]":
                inside = letter == ","
                self._at += 1
                continue
            found = self._value()
            yield found
            if found.damage and (inside or not self._skip_line()):
                return

    def _value(self) -> Value:
        while True:
            if self._is_crowded():
                return Value(None, damage=_("One chat has far too many parts."))
            try:
                content, end = _decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                if self._ended or not self._is_cut(error):
                    return Value(None, damage=_("The file is not JSON, or not all of it is there."))
            except RecursionError:
                return Value(None, damage=_("The file is nested too deeply."))
            except ValueError:  # a number of thousands of digits
                return Value(None, damage=_("The file is not JSON, or not all of it is there."))
            else:
                length, self._at = end - self._at, end
                return Value(content, length)
            if len(self._buffer) - self._at > LONGEST:
                return Value(None, damage=_("One chat is far too long."))
            self._fill(max(_CHUNK, len(self._buffer) - self._at))

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """Return whether the value may be right, but goes on behind what was read so far."""
        return error.msg.startswith("Unterminated string") or error.pos > len(self._buffer) - 16

    def _is_crowded(self) -> bool:
        if len(self._buffer) - self._at < _FAR:
            return False
        return sum(self._buffer.count(letter, self._at) for letter in ",[{") > MOST_PARTS

    def _next(self) -> str:
        """Go to the next letter that is no space, and return it; an empty text at the end."""
        while True:
            while self._at < len(self._buffer):
                letter = self._buffer[self._at]
                if letter not in " \t\r\n":
                    return letter
                self._at += 1
            if self._ended:
                return ""
            self._fill(_CHUNK)

    def _skip_line(self) -> bool:
        while True:
            end = self._buffer.find("\n", self._at)
            if end >= 0:
                self._at = end + 1
                return True
            if self._ended:
                return False
            self._at = len(self._buffer)
            self._fill(_CHUNK)

    def _fill(self, count: int) -> None:
        more = self._text.read(count)
        self._ended = not more
        self._buffer = self._buffer[self._at :] + more
        self._at = 0
