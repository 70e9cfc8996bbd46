r"""Regular expressions: the part of ECMA-262 that an automaton can follow.

Known: characters and their escapes, `.`, sets with `\d \w \s` and their opposites, groups, `|`,
repetitions (greedy or not), `^` at the beginning and `$` at the end of a whole alternative. As JSON
Schema says, a pattern without anchors is searched for, and matches anywhere. Refused, with the place:
look-around, back-references, word boundaries, `\p`, and anchors anywhere else.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from app.domain.language import _
from app.engine.json_schema import automata
from app.engine.json_schema.automata import ANY, Edge, Ranges, inverse, normal

_MOST_STATES = 20_000
_MOST_GROUPS = 50  # inside each other
_MOST_REPEATS = 2_000

_DIGITS: Ranges = ((0x30, 0x39),)
_WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SPACE = normal(
    {(0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029)}
    | {(0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)}
)
_NEWLINES: Ranges = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_SETS = {
    "d": _DIGITS,
    "D": inverse(_DIGITS),
    "w": _WORD,
    "W": inverse(_WORD),
    "s": _SPACE,
    "S": inverse(_SPACE),
}
_CONTROLS = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D, "0": 0}
_SYNTAX = "^$\\.*+?()[]{}|/-"


class PatternError(Exception):
    """A pattern that is wrong, or beyond what is known; says what and where."""


@dataclass(frozen=True, slots=True)
class _Set:
    ranges: Ranges


@dataclass(frozen=True, slots=True)
class _Sequence:
    parts: tuple["_Node", ...]


@dataclass(frozen=True, slots=True)
class _Choice:
    parts: tuple["_Node", ...]


@dataclass(frozen=True, slots=True)
class _Repeat:
    part: "_Node"
    low: int
    high: int | None


_Node = _Set | _Sequence | _Choice | _Repeat
_ANYTHING = _Repeat(_Set(ANY), 0, None)


@lru_cache(256)
def pattern(source: str) -> "Pattern":
    """Return the texts in which `source` is found.

    Raises:
        PatternError: When it is not a regular expression, or not of the known part.
    """
    return Pattern(_Parser(source).parse())


class Pattern:
    """The automaton of a regular expression; a state is the set of places that the expression may be at."""

    def __init__(self, node: _Node) -> None:
        # For each place: the code points it takes and where they lead, or only where it leads.
        self._places: list[tuple[Ranges | None, tuple[int, ...]]] = [((), ())]
        self._closures: dict[int, frozenset[int]] = {}
        self._edges: dict[frozenset[int], list[Edge]] = {}
        self.start = self._closure((self._build(node, 0),))

    def edges(self, state: frozenset[int]) -> list[Edge]:
        """Return the sets of places that the next code point leads to."""
        if state not in self._edges:
            self._edges[state] = self._find_edges(state)
        return self._edges[state]

    def accepts(self, state: frozenset[int]) -> bool:
        """Return whether the whole expression was found."""
        return 0 in state

    def _find_edges(self, state: frozenset[int]) -> list[Edge]:
        moves = [
            (low, high, place)
            for place in state
            for ranges in [self._places[place][0]]
            for low, high in ranges or ()
        ]
        cuts = sorted({low for low, _high, _place in moves} | {high + 1 for _low, high, _place in moves})
        found: list[Edge] = []
        for low, beyond in pairwise(cuts):
            targets = [self._places[place][1][0] for a, b, place in moves if a <= low <= b]
            if targets:
                found.append((low, beyond - 1, self._closure(tuple(targets))))
        return found

    def _closure(self, places: tuple[int, ...]) -> frozenset[int]:
        found: set[int] = set()
        pending = list(places)
        while pending:
            place = pending.pop()
            if place in found:
                continue
            found.add(place)
            ranges, targets = self._places[place]
            if ranges is None:
                pending += targets
        return frozenset(place for place in found if self._places[place][0] is not None)

    def _place(self, ranges: Ranges | None, *targets: int) -> int:
        if len(self._places) > _MOST_STATES:
            raise automata.TooLargeError
        self._places.append((ranges, targets))
        return len(self._places) - 1

    def _build(self, node: _Node, then: int) -> int:
        """Add the places of `node`, which go on with `then`; return the first of them."""
        if isinstance(node, _Set):
            return self._place(node.ranges, then)
        if isinstance(node, _Sequence):
            for part in reversed(node.parts):
                then = self._build(part, then)
            return then
        if isinstance(node, _Choice):
            return self._place(None, *[self._build(part, then) for part in node.parts])
        after = then
        if node.high is None:
            then = self._place(None)
            self._places[then] = (None, (self._build(node.part, then), after))
        else:
            for _step in range(node.high - node.low):
                then = self._place(None, self._build(node.part, then), after)
        for _step in range(node.low):
            then = self._build(node.part, then)
        return then


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._groups = 0

    def parse(self) -> _Node:
        found: list[_Node] = []
        while True:
            anchored = self._take("^")
            parts = self._sequence()
            ends = self._take("$")
            found.append(
                _Sequence((*([] if anchored else [_ANYTHING]), *parts, *([] if ends else [_ANYTHING])))
            )
            if not self._take("|"):
                break
        if self._at < len(self._source):
            if self._source[self._at] == ")":
                raise self._error(_("“)” has no matching “(”"))
            raise self._error(_("“$” is supported only at the end"))
        return _Choice(tuple(found))

    def _error(self, problem: str, at: int | None = None) -> PatternError:
        return PatternError(
            _("{problem} (character {place} of the pattern).").format(
                problem=problem, place=(self._at if at is None else at) + 1
            )
        )

    def _take(self, expected: str) -> bool:
        if self._source.startswith(expected, self._at):
            self._at += len(expected)
            return True
        return False

    def _next(self) -> str:
        if self._at == len(self._source):
            raise self._error(_("The pattern ends too early"))
        self._at += 1
        return self._source[self._at - 1]

    def _sequence(self) -> list[_Node]:
        found: list[_Node] = []
        while self._at < len(self._source) and self._source[self._at] not in "|)$":
            found.append(self._repeated(self._atom()))
        return found

    def _atom(self) -> _Node:
        start = self._at
        character = self._next()
        if character == "(":
            return self._group(start)
        if character == "[":
            return _Set(self._set())
        if character == ".":
            return _Set(inverse(_NEWLINES))
        if character == "\\":
            return _Set(self._escape())
        if character == "^":
            raise self._error(_("“^” is supported only at the beginning"), start)
        if character in "*+?{":
            raise self._error(_("There is nothing before this to repeat"), start)
        if character in "]}":
            raise self._error(_("“{character}” needs a “\\” before it").format(character=character), start)
        return _Set(((ord(character), ord(character)),))

    def _group(self, start: int) -> _Node:
        self._groups += 1
        if self._groups > _MOST_GROUPS:
            raise self._error(_("Groups are nested too deeply"), start)
        if self._take("?") and not self._take(":"):
            if not self._take("<") or self._source[self._at : self._at + 1] in ("=", "!"):
                raise self._error(_("This kind of group, such as look-around, is not supported"), start)
            while self._next() != ">":
                pass
        parts: list[_Node] = [_Sequence(tuple(self._sequence()))]
        while self._take("|"):
            parts.append(_Sequence(tuple(self._sequence())))
        if self._source.startswith("$", self._at):
            raise self._error(_("“$” is supported only at the end"))
        if not self._take(")"):
            raise self._error(_("“(” has no matching “)”"), start)
        self._groups -= 1
        return _Choice(tuple(parts))

    def _repeated(self, node: _Node) -> _Node:
        start = self._at
        if self._take("*"):
            low, high = 0, None
        elif self._take("+"):
            low, high = 1, None
        elif self._take("?"):
            low, high = 0, 1
        elif self._take("{"):
            low, high = self._bounds(start)
        else:
            return node
        self._take("?")  # as few as possible: the same texts
        return _Repeat(node, low, high)

    def _bounds(self, start: int) -> tuple[int, int | None]:
        low = high = self._count(start)
        if self._take(","):
            if self._take("}"):
                return low, None
            high = self._count(start)
        if not self._take("}") or high < low:
            raise self._error(_("This repetition is not valid"), start)
        return low, high

    def _count(self, start: int) -> int:
        first = self._at
        while self._source[self._at : self._at + 1] in tuple("0123456789"):
            self._at += 1
        digits = self._source[first : self._at]
        if not digits or len(digits) > 9 or int(digits) > _MOST_REPEATS:
            raise self._error(_("This repetition is not valid, or too large"), start)
        return int(digits)

    def _set(self) -> Ranges:
        start = self._at - 1
        negated = self._take("^")
        found: list[tuple[int, int]] = []
        while not self._take("]"):
            low = self._member()
            if self._source.startswith("-", self._at) and not self._source.startswith("-]", self._at):
                self._at += 1
                high = self._member()
                if len(low) > 1 or len(high) > 1 or low[0][0] != low[0][1] or low[0][0] > high[0][1]:
                    raise self._error(_("This range of characters is not valid"), start)
                found.append((low[0][0], high[0][1]))
            else:
                found += low
        return inverse(normal(found)) if negated else normal(found)

    def _member(self) -> Ranges:
        character = self._next()
        if character != "\\":
            return ((ord(character), ord(character)),)
        if self._take("b"):
            return ((0x08, 0x08),)
        return self._escape()

    def _escape(self) -> Ranges:
        start = self._at - 1
        kind = self._next()
        if kind in _SETS:
            return _SETS[kind]
        if kind in _CONTROLS and not (kind == "0" and self._source[self._at : self._at + 1].isdigit()):
            return ((_CONTROLS[kind], _CONTROLS[kind]),)
        if kind in _SYNTAX:
            return ((ord(kind), ord(kind)),)
        if kind in "xu":
            value = self._hexadecimal(2 if kind == "x" else 4, start)
            return ((value, value),)
        raise self._error(_("“\\{character}” is not supported").format(character=kind), start)

    def _hexadecimal(self, length: int, start: int) -> int:
        if length == 4 and self._take("{"):
            end = self._source.find("}", self._at)
            digits = self._source[self._at : end]
            self._at = end + 1
        else:
            digits = self._source[self._at : self._at + length]
            self._at += length
            if len(digits) != length:
                digits = ""
        value = -1
        if 0 < len(digits) <= 8 and not set(digits) - set("0123456789abcdefABCDEF"):
            value = int(digits, 16)
        if not 0 <= value <= automata.LAST or 0xD800 <= value <= 0xDFFF:
            raise self._error(_("This escape stands for no valid character"), start)
        return value


def is_found(source: Any, text: str) -> bool:
    """Return whether the pattern `source` is found in `text`."""
    return automata.matches(pattern(source), text)
