"""Where each row of the transcript lies: heights that are measured, and estimates for the rest."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from app.domain.chat import Message, Role, Status


@dataclass(frozen=True, slots=True)
class Extent:
    """How much text a message has: what its height is estimated from.

    Attributes:
        units: Characters, wide ones twice.
        lines: Line breaks.
        thought: There is a line above the answer that its reasoning is folded under.
    """

    units: int
    lines: int
    answer: bool
    thought: bool = False

    @classmethod
    def of(cls, message: Message) -> "Extent":
        """Measure the text of `message`."""
        text = message.text
        units = len(text) if text.isascii() else (len(text) + len(text.encode())) // 2
        return cls(units, text.count("\n"), message.role is Role.ASSISTANT, bool(message.reasoning))


def estimates(extents: Iterable[Extent], width: int, scale: float) -> list[int]:
    """Estimate the heights of rows in a column of `width` pixels: about a millisecond for 2,000."""
    unit = 26 * scale / max(10, (width - 48) / (8.2 * scale))
    line, answer, question, thought = 26 * 0.55 * scale, 85 * scale, 46 * scale, 36 * scale
    highest, lowest = 12 * 26 * scale, 26 * scale
    return [
        int(each.units * unit + each.lines * line + answer + thought * each.thought)
        if each.answer
        else int(min(max(each.units * unit * 1.25 + each.lines * line, lowest), highest) + question)
        for each in extents
    ]


class Column:
    """Heights of rows, one below the other: as measured, or else estimated.

    Attributes:
        places: The row of each message, by its id.
    """

    def __init__(self) -> None:
        self.width = 0
        self._extents: dict[int, Extent] = {}
        self._measured: dict[int, tuple[int, int]] = {}  # id: width, height
        self._ids: list[int] = []
        self.places: dict[int, int] = {}
        self._heights: list[int] = []
        self._tops = [0]

    def arrange(self, messages: Sequence[Message], width: int, scale: float) -> None:
        """Take `messages` as the rows, in a column of `width` pixels."""
        self.width = width
        known = self._extents
        self._extents = {
            each.id: Extent.of(each)
            if each.status is Status.WRITING or each.id not in known
            else known[each.id]
            for each in messages
        }
        self._ids = list(self._extents)
        self.places = {id_: place for place, id_ in enumerate(self._ids)}
        self._heights = estimates(self._extents.values(), width, scale)
        for place, id_ in enumerate(self._ids):
            measured = self._measured.get(id_)
            if measured is not None and measured[0] == width:
                self._heights[place] = measured[1]
        self._measured = {id_: self._measured[id_] for id_ in self._ids if id_ in self._measured}
        self._tops = list(accumulate(self._heights, initial=0))

    def forget_measures(self) -> None:
        """Let go of all that was measured: it was in another size of text."""
        self._measured.clear()

    @property
    def count(self) -> int:
        """Return how many rows there are."""
        return len(self._ids)

    def id_at(self, place: int) -> int:
        """Return the message of a row."""
        return self._ids[place]

    @property
    def total(self) -> int:
        """Return the height of all rows."""
        return self._tops[-1]

    def top(self, place: int) -> int:
        """Return where a row begins."""
        return self._tops[place]

    def height(self, place: int) -> int:
        """Return how high a row is."""
        return self._heights[place]

    def units(self, place: int) -> int:
        """Return how much text a row has."""
        return self._extents[self._ids[place]].units

    def measure(self, place: int, height: int) -> None:
        """Give a row the height it was found to have; those below move."""
        self._measured[self._ids[place]] = (self.width, height)
        if height != self._heights[place]:
            self._heights[place] = height
            below = accumulate(self._heights[place:], initial=self._tops[place])
            self._tops[place + 1 :] = list(below)[1:]

    def at(self, y: float) -> int:
        """Return the row at `y`, or the nearest; there must be one."""
        return min(max(bisect_right(self._tops, y) - 1, 0), len(self._heights) - 1)

    def is_seen(self, place: int, top: int, height: int) -> bool:
        """Return whether a row reaches into the part from `top` that is `height` high."""
        return self._tops[place] < top + height and self._tops[place + 1] > top

    def near(self, top: int, height: int, *, from_below: bool) -> Iterator[int]:
        """Give the rows seen in a part of the column, then those no farther off than its height."""
        if not self._ids:
            return
        first, last = self.at(top), self.at(top + height)
        yield from range(last, first - 1, -1) if from_below else range(first, last + 1)
        above, below = first - 1, last + 1
        while True:
            up = above >= 0 and self._tops[above + 1] > top - height
            down = below < len(self._ids) and self._tops[below] < top + 2 * height
            if down:
                yield below
                below += 1
            if up:
                yield above
                above -= 1
            if not up and not down:
                return
