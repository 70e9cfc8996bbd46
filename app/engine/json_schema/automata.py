"""Automata over code points: what a text may go on with, and where it may end.

Patterns, lengths, formats and numbers are all told as automata, so that they can be combined; the
combination becomes a grammar that never has two ways to read the same text.
"""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

LAST = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]  # sorted, both ends included, none touching the next
Edge = tuple[int, int, Any]  # from, to, and the state that these code points lead to
ANY: Ranges = ((0, LAST),)


class TooLargeError(Exception):
    """An automaton has more states or edges than a grammar should have rules."""


class Automaton(Protocol):
    """States are anything hashable; for one state no two edges share a code point, and they are sorted."""

    @property
    def start(self) -> Hashable:
        """Return the state before the first code point."""

    def edges(self, state: Any) -> list[Edge]:
        """Return where the code points lead from `state`."""

    def accepts(self, state: Any) -> bool:
        """Return whether the text may end in `state`."""


def normal(ranges: Collection[tuple[int, int]]) -> Ranges:
    """Return `ranges` sorted, with those that touch made one."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return tuple(found)


def inverse(ranges: Ranges) -> Ranges:
    """Return all other code points."""
    found = []
    next_free = 0
    for low, high in ranges:
        if low > next_free:
            found.append((next_free, low - 1))
        next_free = high + 1
    if next_free <= LAST:
        found.append((next_free, LAST))
    return tuple(found)


def common(first: Ranges, second: Ranges) -> Ranges:
    """Return the code points in both."""
    return tuple((max(a, c), min(b, d)) for a, b in first for c, d in second if max(a, c) <= min(b, d))


@dataclass(frozen=True)
class Length:
    """Texts of `low` to `high` code points; `high` None is no upper bound."""

    low: int
    high: int | None
    start: int = 0

    def edges(self, state: int) -> list[Edge]:
        """Count on, as far as it matters."""
        if state == self.high:
            return []
        return [(0, LAST, min(state + 1, self.low) if self.high is None else state + 1)]

    def accepts(self, state: int) -> bool:
        """Return whether enough was counted."""
        return state >= self.low


class Words:
    """Exactly these words."""

    start = ""

    def __init__(self, words: Collection[str]) -> None:
        self._words = frozenset(words)
        self._next: dict[str, set[str]] = {}
        for word in words:
            for end in range(len(word)):
                self._next.setdefault(word[:end], set()).add(word[end])

    def edges(self, state: str) -> list[Edge]:
        """Return the letters that go on towards a word."""
        return [(ord(letter), ord(letter), state + letter) for letter in sorted(self._next.get(state, ()))]

    def accepts(self, state: str) -> bool:
        """Return whether `state` is a whole word."""
        return state in self._words


class Not:
    """The texts that `inner` does not accept."""

    def __init__(self, inner: Automaton) -> None:
        self._inner = inner
        self.start = (inner.start,)

    def edges(self, state: tuple[Any, ...]) -> list[Edge]:
        """Return the edges of the inner one, and the rest to where nothing of it can follow."""
        inner = self._inner.edges(state[0]) if state else []
        rest = inverse(normal([(low, high) for low, high, _target in inner]))
        found: list[Edge] = [(low, high, (target,)) for low, high, target in inner]
        return sorted(found + [(low, high, ()) for low, high in rest], key=_first)

    def accepts(self, state: tuple[Any, ...]) -> bool:
        """Return whether the inner one does not."""
        return not state or not self._inner.accepts(state[0])


class All:
    """The texts that every one of `parts` accepts."""

    def __init__(self, parts: Sequence[Automaton]) -> None:
        self._parts = parts
        self.start = tuple(part.start for part in parts)

    def edges(self, state: tuple[Any, ...]) -> list[Edge]:
        """Return the edges that all have."""
        found: list[Edge] = [(0, LAST, ())]
        for part, inner in zip(self._parts, state, strict=True):
            edges = part.edges(inner)
            found = [
                (max(a, c), min(b, d), (*so_far, target))
                for a, b, so_far in found
                for c, d, target in edges
                if max(a, c) <= min(b, d)
            ]
        return found

    def accepts(self, state: tuple[Any, ...]) -> bool:
        """Return whether all do."""
        return all(part.accepts(inner) for part, inner in zip(self._parts, state, strict=True))


@dataclass(frozen=True)
class Table:
    """An automaton written out: state 0 is the start, and from every state an end can be reached.

    Attributes:
        targets: For each state, the states that can follow with the code points that lead there.
        ends: The states in which a text may end.
    """

    targets: tuple[tuple[tuple[int, Ranges], ...], ...]
    ends: frozenset[int]


def table(automaton: Automaton, *, largest: int = 5_000) -> Table | None:
    """Write `automaton` out; None when it accepts no text.

    Raises:
        TooLargeError: When it has more than `largest` states, or four times as many edges.
    """
    numbers: dict[Hashable, int] = {automaton.start: 0}
    states = [automaton.start]
    outgoing: list[dict[int, list[tuple[int, int]]]] = []
    edges = 0
    while len(outgoing) < len(states):
        found: dict[int, list[tuple[int, int]]] = {}
        for low, high, target in automaton.edges(states[len(outgoing)]):
            if target not in numbers:
                numbers[target] = len(states)
                states.append(target)
            found.setdefault(numbers[target], []).append((low, high))
        outgoing.append(found)
        edges += len(found)
        if len(states) > largest or edges > 4 * largest:
            raise TooLargeError
    ends = frozenset(number for number, state in enumerate(states) if automaton.accepts(state))
    return _trimmed(outgoing, ends)


def _trimmed(outgoing: list[dict[int, list[tuple[int, int]]]], ends: frozenset[int]) -> Table | None:
    """Leave out the states from which no end can be reached; the others were all reached from the start."""
    sources: dict[int, list[int]] = {}
    for number, found in enumerate(outgoing):
        for target in found:
            sources.setdefault(target, []).append(number)
    alive: set[int] = set()
    pending = list(ends)
    while pending:
        number = pending.pop()
        if number not in alive:
            alive.add(number)
            pending += sources.get(number, ())
    if 0 not in alive:
        return None
    renumbered = {number: index for index, number in enumerate(sorted(alive))}
    return Table(
        tuple(
            tuple(
                (renumbered[target], normal(ranges))
                for target, ranges in outgoing[number].items()
                if target in alive
            )
            for number in sorted(alive)
        ),
        frozenset(renumbered[number] for number in ends),
    )


def matches(automaton: Automaton, text: str) -> bool:
    """Return whether `automaton` accepts `text`."""
    state: Any = automaton.start
    for letter in text:
        for low, high, target in automaton.edges(state):
            if low <= ord(letter) <= high:
                state = target
                break
        else:
            return False
    return automaton.accepts(state)


def _first(edge: Edge) -> int:
    return edge[0]
