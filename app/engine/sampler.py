"""From logits to the next token."""

import math
from collections.abc import Sequence
from typing import Any

from llama_cpp import llama_cpp as api

from app.domain import sampler_order
from app.domain.errors import UserError
from app.domain.generation import Chosen
from app.domain.language import _
from app.domain.settings import Settings
from app.engine import chain
from app.engine.adjustment import Adjustment
from app.engine.context import Context
from app.engine.logits import Candidates, Logits, view
from app.engine.model import LoadedModel
from app.engine.narrowing import Grammar, Narrowing
from app.engine.probabilities import Probabilities


class Sampler:
    """llama.cpp's samplers, for one answer.

    Attributes:
        settings: What is sampled with: a number for every sampler.
        order: The names of the samplers that run, first to last; see `sampler_order.order`.
        chosen: The token that was last written, with the likeliest ones there; None unless asked for.
    """

    def __init__(
        self,
        settings: Settings,
        seed: int,
        model: LoadedModel,
        prompt: Sequence[int],
        grammar: Grammar | None = None,
    ) -> None:
        """Build the samplers.

        Args:
            settings: Checked values.
            seed: For the draws.
            model: Whose tokens are drawn.
            prompt: What stands before the answer; its end counts for penalties and DRY.
            grammar: What the answer follows. It is closed with the sampler.

        Raises:
            UserError: When the logit bias names a token that the model does not have.
        """
        self.settings = settings.resolved(chain.file_defaults(model))
        self.order = sampler_order.order(self.settings)
        self.chosen: Chosen | None = None
        self._size = model.vocabulary_size
        self._grammar = grammar
        self._probabilities = Probabilities(model, settings.probabilities) if settings.probabilities else None
        self._adjustment = Adjustment(self.settings, model, prompt)
        self._narrowing = Narrowing(self.settings)
        self._names = sampler_order.choosing(self.settings)
        self._is_greedy = self._names == ("greedy",)
        self._choice: Any = chain.build(self._names, self.settings, seed, model)

    def sample(self, context: Context, index: int = -1) -> int:
        """Return the next token, and count it as written.

        Args:
            context: Whose last decode computed the logits.
            index: Of the output in that batch; -1 is the last.

        Raises:
            UserError: When the logits are no numbers, or the grammar leaves no token.
        """
        logits = view(context, index, self._size)
        if self._adjustment.is_none:
            token = self._next(logits)
        else:
            with self._adjustment.made(logits):
                token = self._next(logits)
        self._accept(token)
        if self._probabilities is not None:
            self.chosen = self._probabilities.read(logits, token)
        return token

    def close(self) -> None:
        """Free everything."""
        self._adjustment.close()
        if self._grammar is not None:
            self._grammar.close()
        if self._choice:
            api.llama_sampler_free(self._choice)
            self._choice = None

    def _next(self, logits: Logits) -> int:
        """Return a token; nothing is counted yet."""
        return self._draw(logits) if self._grammar is None else self._draw_allowed(logits, self._grammar)

    def _draw(self, logits: Logits) -> int:
        """Return a token out of all."""
        best = int(logits.argmax())
        if not math.isfinite(logits.item(best)):  # argmax prefers NaN
            raise UserError(
                _("The model computed no valid probabilities."),
                _("The model's file may be damaged; downloading it again often helps."),
            )
        if self._is_greedy:
            return best
        return self._choose(self._narrowing.among_all(logits))

    def _draw_allowed(self, logits: Logits, grammar: Grammar) -> int:
        """Return a token that `grammar` allows.

        Most tokens that a model would write are allowed, so one is drawn and asked about. Only after
        one that is not, the grammar goes first.
        """
        before = api.llama_sampler_clone(self._choice) if self._names[-1] == "mirostat" else None
        token = self._draw(logits)
        if grammar.allows(token):
            if before:
                api.llama_sampler_free(before)
            return token
        if before:  # Mirostat counts in what it draws
            api.llama_sampler_free(self._choice)
            self._choice = before
        return self._choose(self._narrowing.among_allowed(logits, grammar))

    def _choose(self, among: Candidates) -> int:
        among.apply(self._choice)
        return among.chosen

    def _accept(self, token: int) -> None:
        if self._grammar is not None:
            self._grammar.accept(token)
        self._adjustment.accept(token)
        if not self._is_greedy:  # which counts nothing
            api.llama_sampler_accept(self._choice, token)
