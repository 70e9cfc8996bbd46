"""Logits as numpy arrays: what the last decode computed, looked at where it lies."""

import ctypes
from functools import lru_cache
from typing import Any

import numpy as np
from llama_cpp import llama_cpp as api
from numpy.typing import NDArray

from app.engine.context import Context

Logits = NDArray[np.float32]
Tokens = NDArray[np.int32]

_TOKEN_DATA = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
_PLACES = 64  # outputs lie in the same places batch after batch
_STRIDE = 16  # one logit in so many tells well enough how they are distributed


def view(context: Context, index: int, size: int) -> Logits:
    """Return the `size` logits at output `index` of the last decode, without copying them.

    They may be written to; the array is valid until the next decode.
    """
    pointer = api.llama_get_logits_ith(context.handle, index)
    if not pointer:
        raise RuntimeError(f"the last decode left no logits at {index}")
    return _array(ctypes.addressof(pointer.contents), size)


@lru_cache(_PLACES)
def _array(address: int, size: int) -> Logits:
    """Return the memory at `address`; it is asked for only while there are logits."""
    memory = (ctypes.c_float * size).from_address(address)
    return np.frombuffer(memoryview(memory), np.float32)


def likeliest(logits: Logits, count: int) -> Tokens:
    """Return, in the order of their numbers, the tokens whose logits are highest: about `count` of them.

    Every token outside has a lower logit than every one inside; tokens of -inf are never inside.
    """
    if count * 2 < len(logits):
        sample = logits[::_STRIDE]
        rank = min(max(count // _STRIDE, 1), len(sample))
        lowest = np.partition(sample, len(sample) - rank)[len(sample) - rank]
        if lowest > -np.inf:
            return np.flatnonzero(logits >= lowest).astype(np.int32)
    return np.flatnonzero(logits > -np.inf).astype(np.int32)


class Candidates:
    """Tokens with their logits, as llama.cpp's samplers take them.

    Attributes:
        array: llama.cpp's llama_token_data_array, to be passed by reference.
    """

    def __init__(self, tokens: Tokens, logits: Logits) -> None:
        """Hold `tokens`, with `logits` in the same order."""
        self._data = np.empty(len(tokens), _TOKEN_DATA)
        self.fill(tokens, logits)

    def fill(self, tokens: Tokens, logits: Logits) -> None:
        """Begin anew with as many as before, in the same memory."""
        self._data["id"] = tokens
        self._data["logit"] = logits
        pointer = ctypes.cast(self._data.ctypes.data, api.llama_token_data_p)
        self.array: Any = api.llama_token_data_array(pointer, len(tokens), -1, False)

    @property
    def logits(self) -> Logits:
        """Return the logits as samplers left them, in the order given; for those that do not sort."""
        logits: Logits = self._data["logit"]
        return logits

    def apply(self, sampler: "api.llama_sampler_p") -> None:
        """Let `sampler` change them."""
        api.llama_sampler_apply(sampler, ctypes.byref(self.array))

    @property
    def chosen(self) -> int:
        """Return the token that the last sampler of a chain chose."""
        return int(self.array.data[self.array.selected].id)
