"""Logit bias, penalties and DRY: what changes the logits of a few tokens."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from llama_cpp import llama_cpp as api

from app.domain import sampler_order
from app.domain.settings import Settings
from app.engine import chain
from app.engine.logits import Candidates, Logits, Tokens
from app.engine.model import LoadedModel


class Adjustment:
    """The samplers that change a few logits, for one answer.

    They are given only the tokens that they can touch: the named ones, and those that the text already
    has. To have every token of a vocabulary looked up takes longer than all other samplers together.
    """

    def __init__(self, settings: Settings, model: LoadedModel, prompt: Sequence[int]) -> None:
        """Build the samplers of `settings`, which are resolved, and let them see the end of `prompt`.

        Raises:
            UserError: When the logit bias names a token that the model does not have.
        """
        names = sampler_order.adjusting(settings)
        biased = chain.biases(settings, model)
        if biased and "logit_bias" not in names:
            names = ("logit_bias", *names)
        self._chain: Any = chain.build(names, settings, 0, model)
        self._tokens: Tokens = np.array(list(biased), np.int32)
        self._known = set(biased)
        self._remembers = names[-1:] not in ((), ("logit_bias",))
        if self._remembers:
            depth = max(settings.repeat_last_n or 0, settings.dry_last_n or 0)
            for token in prompt[-depth:]:
                self.accept(token)

    @property
    def is_none(self) -> bool:
        """Return whether no logit would change now."""
        return not len(self._tokens)

    @contextmanager
    def made(self, logits: Logits) -> Iterator[None]:
        """Have `logits`, one for each token of the vocabulary, adjusted inside, and as they were after."""
        raw = logits[self._tokens]
        candidates = Candidates(self._tokens, raw)
        candidates.apply(self._chain)
        logits[self._tokens] = candidates.logits
        try:
            yield
        finally:
            logits[self._tokens] = raw

    def accept(self, token: int) -> None:
        """Count `token` as written."""
        if not self._remembers:
            return
        api.llama_sampler_accept(self._chain, token)
        if token not in self._known:
            self._known.add(token)
            self._tokens = np.append(self._tokens, np.int32(token))

    def close(self) -> None:
        """Free the samplers."""
        if self._chain:
            api.llama_sampler_free(self._chain)
            self._chain = None
