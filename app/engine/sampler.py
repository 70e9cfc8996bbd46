"""From logits to the next token."""

from collections.abc import Sequence
from typing import Any

from llama_cpp import llama_cpp as api

from app.domain.settings import Settings
from app.engine import chain, logits
from app.engine.adjustment import Adjustment
from app.engine.context import Context
from app.engine.model import LoadedModel


class Sampler:
    """llama.cpp's samplers, for one answer.

    They run as two chains. The first changes the logits of tokens that are named, or that the text
    already has: it is given only those, since to look every token of a vocabulary up takes longer than
    all the rest. The second narrows the choice and makes it.

    Attributes:
        settings: What is sampled with: a number for every sampler.
    """

    def __init__(self, settings: Settings, seed: int, model: LoadedModel, prompt: Sequence[int]) -> None:
        """Build the chains.

        Args:
            settings: Checked values.
            seed: For the draws.
            model: Whose tokens are drawn.
            prompt: What stands before the answer; its end counts for penalties and DRY.

        Raises:
            UserError: When the logit bias names a token that the model does not have.
        """
        self.settings = settings.resolved(chain.file_defaults(model))
        self._size = model.vocabulary_size
        self._adjustment = Adjustment(self.settings, model, prompt)
        self._choice: Any = chain.build(chain.choosing(self.settings), self.settings, seed, model)

    def sample(self, context: Context, index: int = -1) -> int:
        """Return the next token, and count it as written.

        Args:
            context: Whose last decode computed the logits.
            index: Of the output in that batch; -1 is the last.
        """
        values = logits.view(context, index, self._size)
        with self._adjustment.made(values):
            token = api.llama_sampler_sample(self._choice, context.handle, index)
        self._adjustment.accept(token)
        return int(token)

    def close(self) -> None:
        """Free everything."""
        self._adjustment.close()
        if self._choice:
            api.llama_sampler_free(self._choice)
            self._choice = None
