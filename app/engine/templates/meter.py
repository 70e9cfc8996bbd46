"""What rendering one template may take: time, and memory for what it makes.

A template is a program from a stranger. Python offers no limit for a thread, and a process of its own
would cost more than the rendering; killing it is all it would add. So the sandbox lets a template do
only what it can account for. Every operation that the compiled template performs comes by here, and
each takes at most milliseconds, since it works on values whose size was bounded when they were made:

- the clock is read at each operation, at each step of a loop and at each call. Nothing runs in between
  that could take long, so no second thread has to interrupt anything, and none can come too late;
- results that can be larger than what they are made from (a product, a join, a replacement, a padded
  field) are reckoned before they are made;
- a value counts with all that it holds, as often as it holds it: a list of two lists of two lists...
  takes little memory, but to print or to compare it would take forever;
- what is made is counted. Once in a while what was dropped since is taken off again, so that a template
  that puts its text together bit by bit, copying it each time, is not refused for it.
"""

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jinja2.utils import Namespace

MAX_SIZE = 16_000_000  # of one value, in characters, beside what the conversation has
MAX_LIVE = 128_000_000  # of all that is kept at one moment, in bytes, on the same condition
MAX_DEPTH = 60  # of lists within lists
MAX_DIGITS = 4096  # bits of a number

_ITEM = 32  # what an item of a list counts beside its own size
_WORTH_COUNTING = 256
_SWEEP_BYTES = 16_000_000
_SWEEP_VALUES = 50_000
_BYTES_A_CHARACTER = 4
_BUFFERS = 4  # that a text may pass through: macros within macros, a block that is captured


class Exhausted(Exception):
    """A template takes too long, or makes too much.

    Attributes:
        time: It was time that ran out.
    """

    def __init__(self, reason: str, *, time: bool = False) -> None:
        super().__init__(reason)
        self.time = time


class Meter:
    """Counts what one rendering takes.

    Attributes:
        limit: How large one value may be, in characters, an item of a list counting as some.
    """

    def __init__(self, seconds: float, given: Any = ()) -> None:
        """Start the clock.

        Args:
            seconds: When it ends.
            given: What the template works on. It is not counted, and the limits grow with it.
        """
        self._deadline = math.inf  # measuring what was given is not the template's doing
        self._sizes: dict[int, int] = {}
        self._given = given  # ids stay theirs as long as the objects live
        self.limit = sys.maxsize
        size = self._given_size(given)
        self.limit = MAX_SIZE + 2 * size
        self._max_live = MAX_LIVE + 2 * _BYTES_A_CHARACTER * size
        self._kept: dict[int, tuple[Any, int]] = {}
        self._live = self._since_sweep = 0
        self._put_out = self._calls = 0
        self._sweep_at = _SWEEP_VALUES
        self._deadline = time.monotonic() + seconds

    def tick(self) -> None:
        """Look at the clock.

        Raises:
            Exhausted: When time is up.
        """
        if time.monotonic() > self._deadline:
            raise Exhausted("time", time=True)

    def reckon(self, size: int) -> None:
        """Refuse a result of `size` characters or items before it is made, when it is too large.

        Raises:
            Exhausted: When it is.
        """
        if size > self.limit:
            raise Exhausted("size")

    def keep(self, value: Any) -> Any:
        """Count `value`, which has just been made, and return it.

        Raises:
            Exhausted: When it is too large, or time or memory is up.
        """
        self.tick()
        if isinstance(value, str):
            size = len(value)
            if size >= _WORTH_COUNTING:
                self.reckon(size)
                self._count(value, sys.getsizeof(value))
        elif isinstance(value, int):
            if value.bit_length() > MAX_DIGITS:
                raise Exhausted("number")
        elif isinstance(value, list | tuple | dict):
            size = self.size(value)
            if size >= _WORTH_COUNTING:
                self._count(value, sys.getsizeof(value))
                self._sizes[id(value)] = size
        return value

    def put_out(self, text: str) -> str:
        """Count `text`, which goes to a buffer of the rendering, and return it.

        Raises:
            Exhausted: When all of them together are too large, or time is up.
        """
        self.tick()
        self._put_out += len(text) + _ITEM
        self.reckon(self._put_out // _BUFFERS)
        return text

    @contextmanager
    def within(self, most: int) -> Iterator[None]:
        """Count a call within other calls.

        Raises:
            Exhausted: When there are more than `most`.
        """
        if self._calls >= most:
            raise Exhausted("calls")
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1

    def size(self, value: Any, depth: int = 0) -> int:
        """Return how large `value` is with all that it holds.

        Raises:
            Exhausted: When it is too large or too deep.
        """
        if isinstance(value, str):
            return len(value) + _ITEM
        if not isinstance(value, list | tuple | dict):
            if isinstance(value, Namespace):
                raise Exhausted("a namespace within a value")  # it could come to hold itself
            return _ITEM
        if (known := self._sizes.get(id(value))) is not None:
            return known
        if depth > MAX_DEPTH:
            raise Exhausted("depth")
        self.tick()
        total = _ITEM
        for item in value:
            total += self.size(item, depth + 1)
            if isinstance(value, dict):
                total += self.size(value[item], depth + 1)
            if total > self.limit:
                raise Exhausted("size")
        return total

    def _given_size(self, value: Any) -> int:
        """Measure what was given, once, so that lists of it need not be walked again."""
        size = self.size(value)
        if isinstance(value, list | tuple | dict):
            self._sizes[id(value)] = size
            for item in value.values() if isinstance(value, dict) else value:
                self._given_size(item)
        return size

    def _count(self, value: Any, size: int) -> None:
        key = id(value)
        if key in self._kept:
            return
        self._kept[key] = (value, size)
        self._live += size
        self._since_sweep += size
        if self._since_sweep > _SWEEP_BYTES or len(self._kept) > self._sweep_at:
            self._sweep()
            if self._live > self._max_live:
                raise Exhausted("memory")

    def _sweep(self) -> None:
        """Let go of what nobody but this meter holds; the newest first, as it holds older values."""
        self._since_sweep = 0
        for key in reversed(list(self._kept)):
            entry = self._kept[key]
            if sys.getrefcount(entry[0]) <= _UNREFERENCED:
                del self._kept[key]
                self._sizes.pop(key, None)
                self._live -= entry[1]
        self._sweep_at = len(self._kept) + _SWEEP_VALUES


def _unreferenced() -> int:
    """Return the reference count of a value that only an entry of `_kept` holds, as `_sweep` sees it."""
    kept = {0: (["probe"], 0)}
    entry = kept[0]
    return sys.getrefcount(entry[0])


_UNREFERENCED = _unreferenced()
