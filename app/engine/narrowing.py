"""Which tokens a draw must look at, so that it is what it would be from all of them."""

from typing import Any, Protocol

import numpy as np
from llama_cpp import llama_cpp as api
from numpy.typing import NDArray

from app.domain import sampler_order
from app.domain.errors import UserError
from app.domain.language import _
from app.domain.settings import Settings
from app.engine.logits import Candidates, Logits, likeliest

_FIRST, _WIDER = 256, 8  # tokens that are looked at first, and how many times more in each next step

# What these do with one token hangs on the logits of all, down to the least likely.
_WHOLE = {"mirostat", "top_n_sigma"}


class Grammar(Protocol):
    """Says what may come next."""

    def allows(self, token: int) -> bool:
        """Return whether `token` may come next."""

    def restrict(self, candidates: "api.llama_token_data_array") -> None:
        """Give the candidates that may not come next the logit minus infinity."""

    def accept(self, token: int) -> None:
        """Go on after `token`."""

    def close(self) -> None:
        """Free it."""


class Narrowing:
    """Finds the tokens that the samplers of an answer have to be given.

    The likeliest ones are looked at first, and more of them until those that are left cannot change
    what the samplers do: to copy a whole vocabulary takes longer than most samplers, and a grammar takes
    a hundred times as long.
    """

    def __init__(self, settings: Settings) -> None:
        """Prepare for the samplers of `settings`, which are resolved."""
        s: Any = settings
        names = set(sampler_order.choosing(settings))
        self._greedy = "greedy" in names
        self._top_k: int = s.top_k if "top_k" in names else 0
        self._top_p: float = s.top_p if "top_p" in names and "typical_p" not in names else 1
        self._min_p: float = s.min_p if "min_p" in names and "typical_p" not in names else 0
        self._whole = bool(names & _WHOLE) or not (
            self._greedy or self._top_k > 0 or self._top_p < 1 or self._min_p > 0
        )
        self._every: Candidates | None = None

    def among_all(self, logits: Logits) -> Candidates:
        """Return candidates out of the whole vocabulary; `logits` has one for each of its tokens."""
        count = len(logits) if self._whole else _FIRST
        while count < len(logits):
            tokens = likeliest(logits, count)
            values = logits[tokens]
            if self._settled(values, float(values.min()), len(logits) - len(tokens)):
                return Candidates(tokens, values)
            count *= _WIDER
        if self._every is None:
            self._tokens = np.arange(len(logits), dtype=np.int32)
            self._every = Candidates(self._tokens, logits)
        else:  # fresh memory for a large vocabulary takes longer than filling it
            self._every.fill(self._tokens, logits)
        return self._every

    def among_allowed(self, logits: Logits, grammar: Grammar) -> Candidates:
        """Return candidates out of what `grammar` allows.

        For the samplers the other tokens are none: they count neither among the `top_k` nor in a sum of
        probabilities.

        Raises:
            UserError: When no token is allowed.
        """
        tokens, values = np.empty(0, np.int32), np.empty(0, np.float32)
        count = len(logits) if self._whole else _FIRST
        lowest, seen = np.float32(np.inf), 0  # what was looked at
        while True:
            looked = likeliest(logits, count)
            new = looked[logits[looked] < lowest]
            found = Candidates(new, logits[new])
            grammar.restrict(found.array)
            left = found.logits > -np.inf
            tokens, values = np.append(tokens, new[left]), np.append(values, found.logits[left])
            seen += len(new)
            lowest = logits[looked].min(initial=lowest)
            if count >= len(logits) or self._settled(values, float(lowest), len(logits) - seen):
                break
            count *= _WIDER
        if not len(tokens):
            raise UserError(
                _("The model has no token that can continue this answer."),
                _("Loosen the grammar or JSON Schema, or the logit bias."),
            )
        return Candidates(tokens, values)

    def _settled(self, values: Logits, lowest: float, rest: int) -> bool:
        """Return whether it is known what the samplers do.

        Args:
            values: Logits of the tokens that may come next, of all that have at least `lowest`.
            lowest: Every other token has a lower one.
            rest: How many others there are, at most.
        """
        if not len(values) or self._greedy:
            return len(values) > 0
        if self._top_k and len(values) >= self._top_k:
            return True
        best = values.max()
        weights = np.sort(np.exp((values - best).astype(np.float64)))[::-1]
        other = float(np.exp(lowest - best))  # what another token can weigh at most
        others = min(rest, self._top_k - len(values)) if self._top_k else rest
        beyond = len(values) + 1
        by_min_p = int((weights >= self._min_p).sum()) if other <= self._min_p else beyond
        # Top-p keeps the more, the more weight there is outside: at least this many, at most that many.
        least = most = beyond
        if self._top_p < 1:
            least, most = _nucleus(weights, self._top_p, 0), _nucleus(weights, self._top_p, others * other)
        return min(least, by_min_p) == min(most, by_min_p) < beyond


def _nucleus(weights: NDArray[np.float64], share: float, others: float) -> int:
    """Return how many weights, from the first on, make up `share` of them and `others` together."""
    total = float(weights.sum()) + others
    return int(np.searchsorted(np.cumsum(weights), share * total)) + 1
