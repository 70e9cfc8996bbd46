"""What a schema allows, as shapes: each is a kind of value with what is asked of it.

A schema allows the values of any of its shapes. The parts of a shape are named by pointers into the
schema, as a tuple: a value there must be valid against all of them, and the empty tuple asks nothing.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import TypeVar

from app.engine.json_schema import automata
from app.engine.json_schema.automata import Automaton, Length
from app.engine.json_schema.numbers import Bound, Signed, between
from app.engine.json_schema.patterns import is_found, pattern

Parts = tuple[str, ...]
_Item = TypeVar("_Item")
_ANY: Parts = ()


@dataclass(frozen=True, slots=True)
class Values:
    """One of these, each as the text that it is written in; null, true and false are told so too."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A number between two bounds, and a multiple of `step`; 1 for integers."""

    low: Bound | None = None
    high: Bound | None = None
    step: Fraction | None = None

    def meet(self, other: "Number") -> "Number":
        """Return what both allow."""
        lows = [bound for bound in (self.low, other.low) if bound]
        highs = [bound for bound in (self.high, other.high) if bound]
        return Number(
            max(lows, key=lambda bound: (bound.value, bound.open), default=None),
            min(highs, key=lambda bound: (bound.value, not bound.open), default=None),
            _common_multiple(self.step, other.step),
        )

    @property
    def is_free(self) -> bool:
        """Return whether no bound is set, and no step but that of integers."""
        return not self.low and not self.high and self.step in (None, 1)

    def automaton(self) -> Signed:
        """Return the automaton of its digits; may raise TooLargeError."""
        return between(self.low, self.high, self.step)


@dataclass(frozen=True, slots=True)
class String:
    """A text of `low` to `high` code points, in which each of `patterns` is found.

    `formats` are patterns too, but of annotations: they are kept in what is written, and prove nothing.
    """

    low: int = 0
    high: int | None = None
    patterns: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()

    def meet(self, other: "String") -> "String":
        """Return what both allow."""
        highs = [high for high in (self.high, other.high) if high is not None]
        return String(
            max(self.low, other.low),
            min(highs, default=None),
            self.patterns | other.patterns,
            self.formats | other.formats,
        )

    def valid(self) -> Automaton:
        """Return the automaton of the texts that are valid; may raise TooLargeError."""
        parts: list[Automaton] = [pattern(source) for source in sorted(self.patterns)]
        return automata.All([*parts, Length(self.low, self.high)])

    def written(self) -> Automaton:
        """Return the automaton of the texts that are written: those of the formats too."""
        return automata.All([self.valid(), *(pattern(source) for source in sorted(self.formats))])


@dataclass(frozen=True, slots=True)
class ItemLayer:
    """What one schema says of the items of an array; `rest` None is not a word about them."""

    first: tuple[str, ...] = ()
    rest: str | None = None


@dataclass(frozen=True, slots=True)
class Array:
    """An array of `low` to `high` items."""

    low: int = 0
    high: int | None = None
    layers: tuple[ItemLayer, ...] = ()

    def meet(self, other: "Array") -> "Array":
        """Return what both allow."""
        highs = [high for high in (self.high, other.high) if high is not None]
        return Array(max(self.low, other.low), min(highs, default=None), _union(self.layers, other.layers))

    @property
    def described(self) -> int:
        """Return how many items at the beginning are told one by one."""
        return max((len(layer.first) for layer in self.layers), default=0)

    def item(self, index: int) -> Parts:
        """Return what the item at `index` must be valid against."""
        found = [layer.first[index] if index < len(layer.first) else layer.rest for layer in self.layers]
        return _union(tuple(part for part in found if part is not None))

    @property
    def most(self) -> int | None:
        """Return how many items are written at most: none that the schema does not describe, or need be."""
        if any(layer.rest is not None for layer in self.layers) or not self.described:
            return self.high
        described = max(self.described, self.low)
        return described if self.high is None else min(described, self.high)


@dataclass(frozen=True, slots=True)
class MemberLayer:
    """What one schema says of the members of an object; `rest` None is not a word about other names."""

    named: tuple[tuple[str, str], ...] = ()
    matching: tuple[tuple[str, str], ...] = ()
    rest: str | None = None

    def parts(self, name: str) -> list[str]:
        """Return what the member `name` must be valid against."""
        found = [part for own, part in self.named if own == name]
        found += [part for source, part in self.matching if is_found(source, name)]
        return found or ([] if self.rest is None else [self.rest])


@dataclass(frozen=True, slots=True)
class Object:
    """An object of `low` to `high` members, with all of `required` among them."""

    low: int = 0
    high: int | None = None
    required: tuple[str, ...] = ()
    layers: tuple[MemberLayer, ...] = ()

    def meet(self, other: "Object") -> "Object":
        """Return what both allow."""
        highs = [high for high in (self.high, other.high) if high is not None]
        return Object(
            max(self.low, other.low),
            min(highs, default=None),
            _union(self.required, other.required),
            _union(self.layers, other.layers),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names that are told, in their order."""
        return _union(tuple(name for layer in self.layers for name, _part in layer.named), self.required)

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the patterns of names."""
        return _union(tuple(source for layer in self.layers for source, _part in layer.matching))

    def member(self, name: str) -> Parts:
        """Return what the member `name` must be valid against."""
        return _union(tuple(part for layer in self.layers for part in layer.parts(name)))

    def other_member(self, matched: frozenset[str]) -> Parts | None:
        """Return what a member must be valid against whose name is not told.

        Args:
            matched: The patterns that are found in the name.

        Returns:
            None when such members are not written: the schema allows but does not describe them, and
            describes others.
        """
        found: list[str] = []
        for layer in self.layers:
            parts = [part for source, part in layer.matching if source in matched]
            found += parts or ([] if layer.rest is None else [layer.rest])
        if found or not (self.names or self.sources or any(layer.rest for layer in self.layers)):
            return _union(tuple(found))
        return None if self.low <= len(self.names) else _ANY


Shape = Values | Number | String | Array | Object

EVERYTHING: tuple[Shape, ...] = (
    Values(("null",)),
    Values(("true", "false")),
    Number(),
    String(),
    Array(),
    Object(),
)


def _union(*several: tuple[_Item, ...]) -> tuple[_Item, ...]:
    return tuple(dict.fromkeys(item for items in several for item in items))


def _common_multiple(first: Fraction | None, second: Fraction | None) -> Fraction | None:
    if first is None or second is None:
        return first or second
    return Fraction(lcm(first.numerator, second.numerator), gcd(first.denominator, second.denominator))
