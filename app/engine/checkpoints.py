"""Points that a sliding window or a recurrent state can go back to.

Such memories cannot always be cut back: what has left the window is gone, and a recurrent state holds only
its last moment. So their part of a sequence's state is copied out at points from which a conversation is
likely to go on: at the end of a prompt, at the end of an answer, and now and then in a long text.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from app.engine.context import Context, PartialState
from app.engine.prefix import common_length

SPACING = 8192  # tokens between two points in a long text
_MOST, _MOST_BYTES = 32, 256 * 1024 * 1024
_LARGEST = _MOST_BYTES // 2  # the end of a prompt and that of its answer

AdapterKey = tuple[tuple[str, int, int, float], ...]
"""See `AdapterSet.key`."""


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """A state, and the earliest position of which it holds something."""

    state: PartialState
    first: int


class Checkpoints:
    """The states of one context, by the tokens that led to them; the oldest give way.

    Attributes:
        needed: Whether the model of this context needs any.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._taken: OrderedDict[tuple[AdapterKey, tuple[int, ...]], _Checkpoint] = OrderedDict()
        self.needed = not context.rolls_back or context.window > 0

    def take(self, sequence: int, tokens: Sequence[int], adapters: AdapterKey) -> None:
        """Remember the state of `sequence`, which holds `tokens`, unless it is very large."""
        if not self.needed or not tokens:
            return
        key = (adapters, tuple(tokens))
        if key in self._taken:
            self._taken.move_to_end(key)
            return
        if self._context.partial_size(sequence) > _LARGEST:
            return
        # What the next token can no longer see is left out of a state, though the cells may still hold it.
        first = max(self._context.first_position(sequence), len(tokens) - self._context.window)
        self._taken[key] = _Checkpoint(self._context.partial_state(sequence), first)
        while len(self._taken) > _MOST or sum(each.state.size for each in self._taken.values()) > _MOST_BYTES:
            self._taken.popitem(last=False)

    def longest(self, tokens: Sequence[int], adapters: AdapterKey) -> int:
        """Return how much of `tokens` a remembered state leads back to at most; 0 for nothing."""
        return self._best(tokens, adapters)[0]

    def restore(self, sequence: int, tokens: Sequence[int], adapters: AdapterKey) -> bool:
        """Give `sequence` a state that holds `tokens`, and possibly more: cut it to their length then."""
        length, best = self._best(tokens, adapters)
        if best is None or length < len(tokens):
            return False
        return self._context.set_partial_state(sequence, best.state)

    def _best(self, tokens: Sequence[int], adapters: AdapterKey) -> tuple[int, _Checkpoint | None]:
        wanted = tuple(tokens)
        length, best = 0, None
        for (which, held), checkpoint in self._taken.items():
            shared = common_length(held, wanted) if which == adapters else 0
            whole = shared == len(held)
            if shared > length and (whole or self._context.can_go_back(checkpoint.first, shared)):
                length, best = shared, checkpoint
        return length, best
