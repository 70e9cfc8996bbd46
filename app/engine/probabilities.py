"""How likely the model found a token, and what it would have written else."""

import numpy as np

from app.domain.generation import Choice, Chosen
from app.engine.logits import Logits, likeliest
from app.engine.model import LoadedModel

_SPARE = 256  # `likeliest` gives only about as many as it is asked for


class Probabilities:
    """Reads natural logarithms of probabilities off logits that no sampler has changed."""

    def __init__(self, model: LoadedModel, count: int) -> None:
        """Prepare to tell the `count` likeliest tokens of `model` with each that is written."""
        self._model = model
        self._count = count
        self._weights = np.empty(model.vocabulary_size, np.float32)

    def read(self, logits: Logits, token: int) -> Chosen:
        """Return what `logits`, one for each token of the vocabulary, say of `token` and the likeliest."""
        best = logits.max()
        np.subtract(logits, best, out=self._weights)
        np.exp(self._weights, out=self._weights)
        total = float(best) + float(np.log(self._weights.sum(dtype=np.float64)))
        found = likeliest(logits, 2 * self._count + _SPARE)
        if len(found) < self._count:
            found = np.arange(len(logits), dtype=np.int32)
        top = found[np.argsort(-logits[found], kind="stable")[: self._count]].tolist()
        return Chosen(
            self._choice(token, float(logits[token]) - total),
            tuple(self._choice(other, float(logits[other]) - total) for other in top),
        )

    def _choice(self, token: int, logprob: float) -> Choice:
        return Choice(token, self._model.piece(token).decode("utf-8", "replace"), logprob)
