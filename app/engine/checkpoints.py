"""Points that a sliding window or a recurrent state can go back to.

Such memories cannot be cut back: what has left the window is gone, and a recurrent state holds only its
last moment. So their part of a sequence's state is copied out at points to which a conversation is likely
to return: before the last token of a prompt, at the end of an answer, and now and then in a long text.
"""

from collections import OrderedDict
from collections.abc import Sequence

from app.engine.context import Context

SPACING = 8192  # tokens between two points in a long text
_MOST, _MOST_BYTES = 32, 256 * 1024 * 1024

AdapterKey = tuple[tuple[str, int, int, float], ...]
"""See `AdapterSet.key`."""

_Key = tuple[AdapterKey, tuple[int, ...]]


class Checkpoints:
    """The states of one context, by the tokens that led to them; the oldest give way.

    Attributes:
        needed: Whether the model of this context needs any.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._states: OrderedDict[_Key, bytes] = OrderedDict()
        self.needed = not context.rolls_back or context.window > 0

    def take(self, sequence: int, tokens: Sequence[int], adapters: AdapterKey) -> None:
        """Remember the state of `sequence`, which holds `tokens`."""
        if not self.needed or not tokens:
            return
        key = (adapters, tuple(tokens))
        self._states.pop(key, None)
        self._states[key] = self._context.partial_state(sequence)
        while len(self._states) > _MOST or sum(map(len, self._states.values())) > _MOST_BYTES:
            self._states.popitem(last=False)

    def longest(self, tokens: Sequence[int], adapters: AdapterKey) -> int:
        """Return the length of the longest beginning of `tokens` whose state is remembered; 0 for none."""
        wanted = tuple(tokens)
        return max(
            (len(held) for which, held in self._states if which == adapters and held == wanted[: len(held)]),
            default=0,
        )

    def restore(self, sequence: int, tokens: Sequence[int], adapters: AdapterKey) -> bool:
        """Give `sequence`, which holds `tokens` and possibly more, its state of back then."""
        state = self._states.get((adapters, tuple(tokens)))
        return state is not None and self._context.set_partial_state(sequence, state)
