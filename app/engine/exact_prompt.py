"""The exact prompt that a model reads, for people to look at."""

from collections.abc import Callable, Iterable
from itertools import groupby


def spelled(
    tokens: Iterable[int], piece: Callable[[int], bytes], is_control: Callable[[int], bool]
) -> list[tuple[str, bool]]:
    """Return `tokens` as stretches of (text, whether it is one control token).

    Args:
        tokens: A prompt.
        piece: The bytes of a token, also of a control token.
        is_control: Whether a token is a control token: one that no text can spell.
    """
    stretches: list[tuple[str, bool]] = []
    for control, group in groupby(tokens, is_control):
        pieces = [piece(token) for token in group]
        # A character may be spread over several tokens.
        for data in pieces if control else [b"".join(pieces)]:
            stretches.append((data.decode("utf-8", "replace"), control))  # noqa: PERF401
    return stretches
