"""Guesses of what comes next, for the model to check several tokens at once.

A guess costs no quality: each token is still drawn from the model's own distribution, and the guess only
decides which logits are computed ahead. What was guessed wrongly was computed in vain.

The logits of a token differ in their last digits with what is computed beside it, and with the cells of the
KV cache that are used, so where two tokens are about as likely another one may win than without guesses.
Measured on small 4-bit models (tests/perf/near_ties.py): of 10 greedy answers of up to 128 tokens, 2 to 8
parted from the ones written plainly, as many as when the same question was simply asked twice (1 to 8), at
tokens preferred by less than 0.33 in the logarithm of the probability. A seed switches guessing off.

Prompt lookup: https://github.com/apoorvumang/prompt-lookup-decoding
Draft models: Leviathan et al., "Fast Inference from Transformers via Speculative Decoding", arXiv 2211.17192
"""

from collections.abc import Sequence
from typing import Protocol

MOST = 15  # tokens guessed at once

_NGRAM, _SHORT_NGRAM = 3, 2
_ENOUGH_FOR_SHORT = 4  # tokens that may be guessed, before the short one is believed
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
        # For each length of an n-gram: where what followed it last stands.
        self._places: dict[int, dict[tuple[int, ...], int]] = {_NGRAM: {}, _SHORT_NGRAM: {}}
        self._indexed = 0

    def draft(self, tokens: Sequence[int], most: int) -> list[int]:
        """Return what followed the last tokens where they stood before.

        The shorter the part that matches, the shorter the guess, and the more guesses come true, the less
        must match.

        Args:
            tokens: Everything so far; it only grows between two calls.
            most: Tokens.
        """
        self._index(tokens)
        match = _NGRAM
        place = self._places[match].get(tuple(tokens[-match:]))
        if place is None and most >= _ENOUGH_FOR_SHORT:
            match = _SHORT_NGRAM
            place = self._places[match].get(tuple(tokens[-match:]))
        if place is None:
            return []
        while match < _LONGEST_MATCH and match < place and tokens[place - match - 1] == tokens[-match - 1]:
            match += 1
        return list(tokens[place : place + min(most, max(match, most // 2))])

    def _index(self, tokens: Sequence[int]) -> None:
        # An n-gram is known once there is a token behind it, so the end of the text never finds itself.
        for length, places in self._places.items():
            for end in range(max(self._indexed, length), len(tokens)):
                places[tuple(tokens[end - length : end])] = end
        self._indexed = len(tokens)


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
