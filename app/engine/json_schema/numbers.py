"""Decimal numbers between bounds, and multiples of a step, as automata over their digits.

Numbers are written without an exponent and with at most fifteen digits (or as many as a bound has),
so that no reader's floating point rounds one across a bound.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from app.engine.json_schema.automata import Edge, TooLargeError

MOST_DIGITS = 15
_LARGEST_EXPONENT = 400
_LARGEST_STEP = 100_000

# Before the point: the set of (digits before the point in all, digits read, still equal to the lower
# bound's, still equal to the upper bound's, remainder). After it: one such, with the digits after it.
_Place = tuple[int, int, bool, bool, int]


@dataclass(frozen=True, slots=True)
class Bound:
    """An end of a range of numbers; `open` when it does not belong to it."""

    value: Decimal
    open: bool = False


class Magnitude:
    """Numbers without a sign."""

    def __init__(self, low: Bound, high: Bound | None, step: Fraction | None) -> None:
        """Describe the numbers from `low` to `high` that are multiples of `step`.

        Args:
            low: Not below zero.
            high: None is no end.
            step: Above zero; None is any number.

        Raises:
            TooLargeError: When a bound has hundreds of digits, or the step is too fine or too long.
        """
        self._low, self._high = low, high
        self._low_whole, self._low_part = _digits(low.value)
        self._high_whole, self._high_part = _digits(high.value) if high else ("", "")
        self._modulus, self._places = 1, None
        if step is not None:
            self._modulus, self._places = _decimal_step(step)
        if high:
            self._longest = len(self._high_whole)
        else:
            self._longest = max(MOST_DIGITS, len(self._low_whole) + 1)
        self.start: Any = frozenset(
            (length, 0, length == len(self._low_whole), length == len(self._high_whole), 0)
            for length in range(len(self._low_whole), self._longest + 1)
        )

    def edges(self, state: Any) -> list[Edge]:
        """Return where a digit or the point leads."""
        if not isinstance(state, frozenset):
            return self._edges_after_point(state)
        found: list[Edge] = []
        whole = [place for place in state if place[1] == place[0]]
        if whole and self._decimals(whole[0][0]):
            length, _read, low, high, rest = whole[0]
            found.append((0x2E, 0x2E, (length, 0, low, high, rest)))
        for digit in range(10):
            targets = frozenset(place for old in state if (place := self._read_whole(old, digit)) is not None)
            if targets:
                found.append((0x30 + digit, 0x30 + digit, targets))
        return found

    def accepts(self, state: Any) -> bool:
        """Return whether the digits so far are such a number."""
        if not isinstance(state, frozenset):
            return state[1] > 0 and self._ends(state[2], state[3], state[4], state[1])
        return any(
            self._ends(low, high, rest, 0) for length, read, low, high, rest in state if read == length
        )

    def _read_whole(self, place: _Place, digit: int) -> _Place | None:
        length, read, low, high, rest = place
        if read == length or (read == 0 and digit == 0 and length > 1):
            return None
        return self._compared(
            (length, read + 1, low, high, rest),
            digit,
            int(self._low_whole[read]) if low else 0,
            int(self._high_whole[read]) if high else 9,
        )

    def _edges_after_point(self, place: _Place) -> list[Edge]:
        length, read, low, high, rest = place
        found: list[Edge] = []
        if read == self._decimals(length):
            return found
        for digit in range(10):
            target = self._compared(
                (length, read + 1, low, high, rest),
                digit,
                _digit(self._low_part, read) if low else 0,
                _digit(self._high_part, read) if high else 9,
            )
            if target:
                found.append((0x30 + digit, 0x30 + digit, target))
        return found

    def _compared(self, place: _Place, digit: int, lowest: int, highest: int) -> _Place | None:
        if not lowest <= digit <= highest:
            return None
        length, read, low, high, rest = place
        return (
            length,
            read,
            low and digit == lowest,
            high and digit == highest,
            (rest * 10 + digit) % self._modulus,
        )

    def _decimals(self, length: int) -> int:
        """Return how many digits may follow the point after `length` digits before it."""
        if self._places is not None:
            return self._places
        return max(MOST_DIGITS - length, len(self._low_part), len(self._high_part))

    def _ends(self, low: bool, high: bool, rest: int, decimals: int) -> bool:
        if low and (self._low_part[decimals:].strip("0") or self._low.open):
            return False
        if high and self._high and self._high.open and not self._high_part[decimals:].strip("0"):
            return False
        return self._places is None or rest * 10 ** (self._places - decimals) % self._modulus == 0


class Signed:
    """The numbers of `positive`, and with a minus before them those of `negative`."""

    start = "start"

    def __init__(self, negative: Magnitude | None, positive: Magnitude | None) -> None:
        self._parts = {"-": negative, "+": positive}

    def edges(self, state: Any) -> list[Edge]:
        """Return where a minus, a digit or the point leads."""
        if state == "start":
            negative, positive = self._parts["-"], self._parts["+"]
            found: list[Edge] = [(0x2D, 0x2D, ("-", negative.start))] if negative else []
            return found + (self.edges(("+", positive.start)) if positive else [])
        sign, inner = state
        part = self._parts[sign]
        return [(low, high, (sign, target)) for low, high, target in (part.edges(inner) if part else ())]

    def accepts(self, state: Any) -> bool:
        """Return whether the digits so far are such a number."""
        if state == "start":
            return False
        sign, inner = state
        part = self._parts[sign]
        return part is not None and part.accepts(inner)


def between(low: Bound | None, high: Bound | None, step: Fraction | None) -> Signed:
    """Return the numbers from `low` to `high` that are multiples of `step`.

    Raises:
        TooLargeError: As `Magnitude`.
    """
    zero = Decimal(0)
    positive = negative = None
    if high is None or high.value >= 0:
        positive = Magnitude(low if low and low.value >= 0 else Bound(zero), high, step)
    if low is None or low.value < 0:
        nearest = Bound(-high.value, high.open) if high and high.value < 0 else Bound(zero, open=True)
        negative = Magnitude(nearest, Bound(-low.value, low.open) if low else None, step)
    return Signed(negative, positive)


def _digits(value: Decimal) -> tuple[str, str]:
    if value and abs(value.adjusted()) > _LARGEST_EXPONENT:
        raise TooLargeError
    whole, _point, part = format(value, "f").partition(".")
    if len(part) > _LARGEST_EXPONENT:
        raise TooLargeError
    return whole.lstrip("0") or "0", part.rstrip("0")


def _digit(digits: str, index: int) -> int:
    return int(digits[index]) if index < len(digits) else 0


def _decimal_step(step: Fraction) -> tuple[int, int]:
    """Return p and n with step = p / 10**n."""
    for places in range(MOST_DIGITS + 1):
        scaled = step * 10**places
        if scaled.denominator == 1:
            if scaled.numerator > _LARGEST_STEP:
                raise TooLargeError
            return scaled.numerator, places
    raise TooLargeError
