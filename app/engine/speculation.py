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

from app.engine.prefix import common_length

MOST = 15  # tokens guessed at once

_NGRAM, _SHORT_NGRAM = 3, 2
_LONG_MATCH, _LONGEST_MATCH = 5, 16
_RETRY = 1 / 8  # of a token, for each place at which a guess that never comes true was left out
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
        # For each short match: how many tokens came true the last time, and one more if all did.
        self._runs = dict.fromkeys(range(_SHORT_NGRAM, _LONG_MATCH), 1.0)
        self._tried: tuple[int, int, list[int]] | None = None  # a match, where its guess stood, and the guess

    def draft(self, tokens: Sequence[int], most: int) -> list[int]:
        """Return what followed the last tokens where they stood before.

        A long match is believed for as long as it is, and further, the more guesses come true. A short one is
        believed as far as the last of its length went: in a list of numbers, say, what follows a number
        is the same each time, and what follows that is not.

        Args:
            tokens: Everything so far; it only grows between two calls.
            most: Tokens.
        """
        self._learn(tokens)
        self._index(tokens)
        match, place = self._match(tokens)
        if not match:
            return []
        if match >= _LONG_MATCH:
            return list(tokens[place : place + min(most, max(match, most // 2))])
        run = self._runs[match]
        if run < 1:
            self._runs[match] = run + _RETRY
            return []
        guess = list(tokens[place : place + min(most, int(run))])
        self._tried = match, len(tokens), guess
        return guess

    def _match(self, tokens: Sequence[int]) -> tuple[int, int]:
        """Return how many of the last tokens stood somewhere before, and where what followed them stands."""
        for match, places in self._places.items():
            place = places.get(tuple(tokens[-match:]))
            if place is not None:
                while match < min(_LONGEST_MATCH, place) and tokens[place - match - 1] == tokens[-match - 1]:
                    match += 1
                return match, place
        return 0, 0

    def _learn(self, tokens: Sequence[int]) -> None:
        """See how much of the last guess came true."""
        if self._tried is None:
            return
        match, start, guess = self._tried
        self._tried = None
        right = common_length(guess, tokens[start : start + len(guess)])
        if right < len(guess):
            self._runs[match] = right
        else:
            self._runs[match] = min(MOST, max(self._runs[match], right + 1))

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
