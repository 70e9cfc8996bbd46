"""What two lists of tokens begin with alike."""

from collections.abc import Sequence
from itertools import takewhile


def common_length(held: Sequence[int], wanted: Sequence[int]) -> int:
    """Return the length of the common beginning of two sequences of the same type."""
    if held == wanted[: len(held)]:  # compared at C speed; the usual case
        return len(held)
    return sum(1 for _pair in takewhile(lambda pair: pair[0] == pair[1], zip(held, wanted, strict=False)))
