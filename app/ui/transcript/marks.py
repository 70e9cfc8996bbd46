"""What is known about the text of a message beside the text itself: where its code, quotes and boxes are."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Card:
    """A block of code.

    Attributes:
        start, end: Positions in the document of its first and in its last block.
        language: As the fence names it, or empty.
        code: As shown, with tabs widened and endless lines cut, without a line break at the end.
        source: As written: what is copied.
        inked: The words that are coloured already, line by line.
    """

    start: int
    end: int
    language: str
    code: str
    source: str
    inked: list[list[tuple[int, int, str]]] = field(default_factory=list, compare=False)


@dataclass
class Marks:
    """What is painted around and under the text, by position in the document, in order of `start`.

    Attributes:
        spans: Inline code: start and end.
        quotes: Start of the first block, a position in the last one, steps of indent outside.
        rules: Positions of the blocks that are a rule.
        boxes: Positions of task boxes, and whether they are ticked.
    """

    cards: list[Card] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    quotes: list[tuple[int, int, int]] = field(default_factory=list)
    rules: list[int] = field(default_factory=list)
    boxes: list[tuple[int, bool]] = field(default_factory=list)

    def lengths(self) -> tuple[int, ...]:
        """Return how many there are of each."""
        return tuple(len(each) for each in self._each())

    def shorten(self, lengths: tuple[int, ...]) -> None:
        """Forget what was added since `lengths` was asked for."""
        for each, length in zip(self._each(), lengths, strict=True):
            del each[length:]

    def _each(self) -> tuple[list[Any], ...]:
        return self.cards, self.spans, self.quotes, self.rules, self.boxes


@dataclass(frozen=True)
class Place:
    """An end of the document that can be gone back to.

    Attributes:
        position: The end of the text.
        fresh: The last block is empty and waits to be used.
        marks: How many of each there were.
    """

    position: int
    fresh: bool
    marks: tuple[int, ...]
