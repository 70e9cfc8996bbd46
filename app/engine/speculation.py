"""Guesses of what comes next, for the model to check several tokens at once.

A guess costs no quality: each token is still drawn from the model's own distribution, and the guess only
decides which logits are computed ahead. What was guessed wrongly was computed in vain.

Prompt lookup: https://github.com/apoorvumang/prompt-lookup-decoding
Draft models: Leviathan et al., "Fast Inference from Transformers via Speculative Decoding", arXiv 2211.17192
"""

from collections.abc import Sequence
from typing import Protocol

MOST = 15  # tokens guessed at once

_NGRAM = 3
_LONGEST_MATCH = 16
_FIRST_CREDIT, _MOST_CREDIT = 4.0, 30.0
_REGAINED = 1 / 64  # credit for each token that was written without a guess


class Drafter(Protocol):
    """Something that guesses."""

    def draft(self, tokens: Sequence[int], most: int) -> list[int]:
        """Return at most `most` tokens that may follow `tokens`."""


class PromptLookup:
    """Guesses that the text goes on as it did where its last words stood before.

    Answers about a text repeat much of it: quotations, code with one change, names, JSON keys.
    """

    def __init__(self) -> None:
        self._places: dict[tuple[int, ...], int] = {}  # n-gram: where what followed it stands
        self._indexed = 0

    def draft(self, tokens: Sequence[int], most: int) -> list[int]:
        """Return what followed the last `_NGRAM` tokens where they stood before.

        The shorter the part that matches, the shorter the guess.

        Args:
            tokens: Everything so far; it only grows between two calls.
            most: Tokens.
        """
        places = self._places
        # An n-gram is known once there is a token behind it, so the end of the text never finds itself.
        for end in range(max(self._indexed, _NGRAM), len(tokens)):
            places[tuple(tokens[end - _NGRAM : end])] = end
        self._indexed = len(tokens)
        place = places.get(tuple(tokens[-_NGRAM:]))
        if place is None:
            return []
        match = _NGRAM
        while match < _LONGEST_MATCH and match < place and tokens[place - match - 1] == tokens[-match - 1]:
            match += 1
        return list(tokens[place : place + min(most, match)])


class Pace:
    """Decides how much to guess, from how much of it came true.

    Every wrong guess costs credit and every right one earns some, so guessing ends by itself where it
    does not pay, and is tried again only now and then. Counts alone decide, never the clock: the same
    tokens lead to the same guesses.

    Attributes:
        drafted: Tokens guessed so far.
        accepted: How many of them the model wrote.
    """

    def __init__(self) -> None:
        self._credit = _FIRST_CREDIT
        self.drafted = 0
        self.accepted = 0

    @property
    def most(self) -> int:
        """Return how many tokens to guess now."""
        return min(MOST, int(self._credit))

    def count(self, drafted: int, accepted: int) -> None:
        """Take note of a guess of `drafted` tokens, 0 for none, of which `accepted` came true."""
        self.drafted += drafted
        self.accepted += accepted
        if drafted:
            self._credit += accepted - (drafted - accepted)
        else:
            self._credit += _REGAINED
        self._credit = min(max(self._credit, 0.0), _MOST_CREDIT)
