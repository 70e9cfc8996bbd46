"""Text that remembers whose it is while a template works on it.

What a person or a model wrote must never become control tokens, and what the template wrote must. A
template cuts, trims and joins both freely, so each string of a message carries its origin along, through
every operation that the sandbox offers. Where an operation has no exact answer, the whole result counts
as the person's: that is the safe side.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Self, SupportsIndex

Span = tuple[int, int, int]


class Words(str):
    """A string of which some stretches were written by a turn.

    Attributes:
        spans: (start, end, turn) of those stretches: ascending, apart from each other, none empty.
    """

    spans: tuple[Span, ...]

    def __new__(cls, text: str, spans: Iterable[Span]) -> Self:
        """Return `text` with `spans`."""
        self = super().__new__(cls, text)
        self.spans = tuple(spans)
        return self

    def __str__(self) -> str:
        """Return self: what is printed stays marked."""
        return self

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        """Return a character or a slice, marked."""
        text = super().__getitem__(key)
        if not isinstance(key, slice):
            start = range(len(self))[key]
            return _clipped(self, text, start)
        start, _stop, step = key.indices(len(self))
        return _clipped(self, text, start) if step == 1 else written(text, origin(self))

    def __iter__(self) -> Iterator[str]:
        """Return the characters, marked."""
        return (self[at] for at in range(len(self)))


def _clipped(text: Words, part: str, start: int) -> str:
    """Return `part`, which stands at `start` in `text`, with the spans that fall into it."""
    end = start + len(part)
    spans = [
        (max(first, start) - start, min(last, end) - start, turn)
        for first, last, turn in text.spans
        if first < end and last > start
    ]
    return Words(part, spans) if spans else part


def written(text: str, turn: int | None) -> str:
    """Return `text`, all of which `turn` wrote; with None, as it is."""
    return Words(text, [(0, len(text), turn)] if text else ()) if turn is not None else text


def concatenated(pieces: Iterable[str]) -> str:
    """Return the pieces joined, with their marks."""
    pieces = list(pieces)
    whole = "".join(pieces)
    if not any(type(piece) is Words for piece in pieces):
        return whole
    spans: list[Span] = []
    at = 0
    for piece in pieces:
        if isinstance(piece, Words):
            for start, end, turn in piece.spans:
                if spans and spans[-1][1:] == (at + start, turn):
                    spans[-1] = (spans[-1][0], at + end, turn)
                else:
                    spans.append((at + start, at + end, turn))
        at += len(piece)
    return Words(whole, spans)


def stripped(text: str, method: Callable[..., str], *arguments: Any) -> str:
    """Return `text` after `str.strip`, `lstrip` or `rstrip` with `arguments`, with its marks."""
    result = method(text, *arguments)
    if not isinstance(text, Words):
        return result
    # rstrip alone keeps the start; of the others it is known by what they take away in front.
    start = 0 if method is str.rstrip else len(text) - len(str.lstrip(text, *arguments))
    start = min(start, len(text))
    return text[start : start + len(result)]


def divided(text: str, pieces: Iterable[str], gap: int | None) -> list[str]:
    """Return `pieces` of `text`, in their order, with its marks.

    Args:
        text: What was divided.
        pieces: The parts, as the methods of `str` give them.
        gap: Characters between two parts; None for any amount of whitespace.
    """
    plain = list(pieces)
    if not isinstance(text, Words):
        return plain
    marked = []
    at = 0
    for piece in plain:
        if gap is None:
            at = str.find(text, piece, at)
        marked.append(text[at : at + len(piece)])
        at += len(piece) + (gap or 0)
    return marked


def origin(*values: Any) -> int | None:
    """Return a turn that wrote something of `values`, or of what they hold; None when none did."""
    for value in values:
        if isinstance(value, Words):
            if value.spans:
                return value.spans[0][2]
        elif isinstance(value, dict):
            if (turn := origin(*chain.from_iterable(value.items()))) is not None:
                return turn
        elif isinstance(value, list | tuple) and (turn := origin(*value)) is not None:
            return turn
    return None


def marked(value: Any, turn: int) -> Any:
    """Return `value`, a JSON value, with every string in it written by `turn`."""
    if isinstance(value, str):
        return written(value, turn)
    if isinstance(value, dict):
        return {key: marked(item, turn) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [marked(item, turn) for item in value]
    return value
