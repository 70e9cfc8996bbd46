"""A grammar that an answer follows, one token at a time."""

import codecs
import ctypes
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from llama_cpp import llama_cpp as api

from app.engine import gbnf
from app.engine.model import LoadedModel


class Grammar:
    """Where an answer stands in its grammar.

    A token is allowed when the text so far with that token can still become a text of the grammar.
    One that ends the answer is allowed when the text is complete. Other control tokens are not: they
    stand for no text. Nor are bytes that no UTF-8 text has, which llama.cpp lets pass.
    """

    def __init__(self, model: LoadedModel, text: str) -> None:
        """Begin at the rule "root".

        Args:
            model: The one that answers; it must outlive this.
            text: GBNF.

        Raises:
            UserError: When the grammar is not valid.
        """
        gbnf.check(text)
        self._model = model
        self._sampler = api.llama_sampler_init_grammar(model.vocab, text.encode(), b"root")
        if not self._sampler:
            raise RuntimeError("llama.cpp refused a grammar that passed its check")
        self._one = (api.llama_token_data * 1)()
        self._candidate = api.llama_token_data_array(self._one, 1, -1, False)
        self._unfinished = b""  # bytes of a character whose other bytes are still to come
        self._allowed: int | None = None  # the token that was last found to be allowed at this place

    def allows(self, token: int) -> bool:
        """Return whether `token` may come next; costs microseconds."""
        if not 0 <= token < self._model.vocabulary_size or not self._is_text(token):
            return False
        self._one[0] = api.llama_token_data(token, 0.0, 0.0)
        api.llama_sampler_apply(self._sampler, ctypes.byref(self._candidate))
        if self._one[0].logit != 0.0:
            return False
        self._allowed = token
        return True

    def restrict(self, candidates: "api.llama_token_data_array") -> None:
        """Give every candidate that may not come next the logit minus infinity.

        On a whole vocabulary this takes many milliseconds: ask `allows` first.
        """
        api.llama_sampler_apply(self._sampler, ctypes.byref(candidates))
        table = np.ctypeslib.as_array(candidates.data, (candidates.size,))
        left = np.flatnonzero(np.isfinite(table["logit"]))
        if not self._unfinished and len(left) > _FEW:
            left = left[_broken_tokens(self._model)[table["id"][left]]]
        for index in left.tolist():
            if not self._is_text(int(table["id"][index])):
                candidates.data[index].logit = -np.inf

    def accept(self, token: int) -> None:
        """Go on after `token`.

        Raises:
            ValueError: When the token is not allowed here; llama.cpp would end the process.
        """
        if token != self._allowed and not self.allows(token):
            raise ValueError(f"token {token} is not allowed by the grammar")
        self._allowed = None
        api.llama_sampler_accept(self._sampler, token)
        if not self._model.is_end(token):
            self._unfinished = _unfinished(self._unfinished + self._model.piece(token)) or b""

    def close(self) -> None:
        """Free the grammar."""
        if self._sampler:
            api.llama_sampler_free(self._sampler)
            self._sampler = None

    def _is_text(self, token: int) -> bool:
        """Return whether the token ends the answer or goes on with it in UTF-8."""
        if self._model.is_end(token):
            return not self._unfinished
        piece = self._model.piece(token)
        return bool(piece) and _unfinished(self._unfinished + piece) is not None


def _unfinished(data: bytes) -> bytes | None:
    """Return the bytes at the end of `data` that begin a character, or None when it is not UTF-8."""
    if data.isascii() and b"\0" not in data:
        return b""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(data)
    except UnicodeDecodeError:
        return None
    return None if b"\0" in data else decoder.getstate()[0]


_FEW = 4096  # candidates are looked at faster than a table of the whole vocabulary is made
_LONGEST_PIECE = 512  # the few longer ones are looked at one by one
_broken: "WeakKeyDictionary[LoadedModel, npt.NDArray[np.bool_]]" = WeakKeyDictionary()


def _broken_tokens(model: LoadedModel) -> "npt.NDArray[np.bool_]":
    """Return for each token whether it is no text when it stands alone; computed once for each model."""
    if model not in _broken:
        broken = np.ones(model.vocabulary_size, np.bool_)
        buffer = ctypes.create_string_buffer(_LONGEST_PIECE)
        for token in range(model.vocabulary_size):
            # Not `model.piece`, which would remember them all.
            length = api.llama_token_to_piece(model.vocab, token, buffer, _LONGEST_PIECE, 0, False)
            broken[token] = length <= 0 or _unfinished(ctypes.string_at(buffer, length)) is None
        _broken[model] = broken
    return _broken[model]
