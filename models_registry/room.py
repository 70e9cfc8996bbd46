"""What context fits into the memory there is: found from a model's header, without loading it.

Nothing here refuses. Where what is wanted does not fit, the nearest that does is named with what it costs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from models_registry.fit import CELL_STEP, KV_BLOCKS, Layout, choose, plain_cells
from models_registry.header import Header
from models_registry.memory import Memory, Sizes

UBATCHES = (512, 256, 128)
"""Tokens computed at once, from the fastest to what takes the least room."""

KV_TYPES = tuple(KV_BLOCKS)
"""From the most exact to the smallest."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a context is made, whatever its size; see `fit.choose`."""

    kv_type: str = "f16"
    ubatch: int = UBATCHES[0]
    flash_attention: bool | None = None
    whole_window: bool = False


class Cost(StrEnum):
    """What one gives up for memory, beside what was wanted."""

    SLOWER_WRITING = "slower_writing"  # flash attention on a processor
    SLOWER_READING = "slower_reading"  # fewer tokens at once
    SMALLER_CACHE = "smaller_cache"  # q8_0: hardly to be noticed
    SMALLEST_CACHE = "smallest_cache"  # q4_0: some exactness
    NO_ROLLING_BACK = "no_rolling_back"  # windows cut to size: an edit far back is read again
    SHORTER_CONTEXT = "shorter_context"


@dataclass(frozen=True, slots=True)
class Fit:
    """A context made in one way.

    Attributes:
        layout: How it is made.
        memory: What it takes.
        available: Bytes there are.
        costs: What it gives up beside what was wanted.
    """

    layout: Layout
    memory: Memory
    available: int
    costs: tuple[Cost, ...] = ()

    @property
    def fits(self) -> bool:
        """Return whether there is memory for it."""
        return self.memory.total <= self.available

    @property
    def missing(self) -> int:
        """Return the bytes that it lacks; 0 when it fits."""
        return max(0, self.memory.total - self.available)


class Room:
    """The memory there is for one model."""

    def __init__(self, header: Header, available: int, *, gpu: bool = False) -> None:
        """Look at `header`; takes a millisecond, and each question after that some ten.

        Args:
            header: The model.
            available: Bytes of memory, of the processor or of the GPU.
            gpu: Whether it is computed on a GPU.
        """
        self._header = header
        self._available = available
        self._gpu = gpu
        self._sizes = Sizes(header, gpu=gpu)

    def taken(self, context: int, way: Way = Way()) -> Fit:
        """Return what a context takes when it is made so, whether it fits or not."""
        layout = choose(
            self._header,
            context,
            kv_type=way.kv_type,
            flash_attention=way.flash_attention,
            ubatch=way.ubatch,
            whole_window=way.whole_window,
            gpu=self._gpu,
            shape=self._sizes.shape,
        )
        return Fit(layout, self._sizes.memory(layout), self._available)

    def largest(self, most: int, way: Way = Way()) -> int:
        """Return the largest context up to `most` that fits, a multiple of `CELL_STEP`; 0 when none does."""
        top = max(CELL_STEP, most // CELL_STEP * CELL_STEP)
        # Where attention changes its kind by itself, a larger context may take less: two stretches.
        change = top
        if way.flash_attention is None and not self._gpu:
            change = min(top, plain_cells(self._sizes.shape, min(way.ubatch, top)))
        return self._bisected(change, top, way) or self._bisected(0, change, way)

    def _bisected(self, low: int, high: int, way: Way) -> int:
        """Return the largest that fits above `low` and up to `high`; 0 for none."""
        first = low = low // CELL_STEP
        high //= CELL_STEP
        while low < high:
            middle = (low + high + 1) // 2
            if self.taken(middle * CELL_STEP, way).fits:
                low = middle
            else:
                high = middle - 1
        return low * CELL_STEP if low > first else 0

    def contexts(self, most: int, *, flash_attention: bool | None = None) -> dict[tuple[str, int], int]:
        """Return the largest context that fits, for each type of the KV cache and each of `UBATCHES`."""
        return {
            (kind, ubatch): self.largest(most, Way(kind, ubatch, flash_attention))
            for kind in KV_TYPES
            for ubatch in UBATCHES
        }

    def nearest(self, context: int, way: Way = Way()) -> Fit:
        """Return what comes nearest to a context made in one way, and what it costs.

        First what is wanted; then the same context at the price of speed, of exactness of the cache, or of
        both; then a shorter one. When not even the shortest fits, that one with its bytes missing.
        """
        wanted = self.taken(context, way)
        milder = list(_milder(way))
        for each in milder:
            found = self.taken(context, each)
            if found.fits:
                return replace(found, costs=_costs(wanted.layout, found.layout))
        best = max(milder, key=lambda each: self.largest(context, each))  # the mildest of several
        found = self.taken(self.largest(context, best) or CELL_STEP, best)
        if not found.fits:
            found = min((self.taken(CELL_STEP, each) for each in milder), key=lambda each: each.memory.total)
        return replace(found, costs=_costs(wanted.layout, found.layout))


def _milder(way: Way) -> Iterator[Way]:
    """Yield ways that take less and less, each type of the cache with all that only costs speed."""
    for kind in KV_TYPES[KV_TYPES.index(way.kv_type) :]:
        for ubatch in (way.ubatch, *(each for each in UBATCHES if each < way.ubatch)):
            yield replace(way, kv_type=kind, ubatch=ubatch)
            if kind == "f16" and not way.flash_attention:
                yield replace(way, kv_type=kind, ubatch=ubatch, flash_attention=True)
        if way.whole_window:
            yield replace(way, kv_type=kind, ubatch=UBATCHES[-1], whole_window=False)


def _costs(wanted: Layout, found: Layout) -> tuple[Cost, ...]:
    costs = []
    if found.flash_attention and not wanted.flash_attention and found.kv_type == wanted.kv_type:
        costs.append(Cost.SLOWER_WRITING)
    if found.ubatch < min(wanted.ubatch, found.context):
        costs.append(Cost.SLOWER_READING)
    if found.kv_type != wanted.kv_type:
        costs.append(Cost.SMALLEST_CACHE if found.kv_type == KV_TYPES[-1] else Cost.SMALLER_CACHE)
    if wanted.whole_window and not found.whole_window:
        costs.append(Cost.NO_ROLLING_BACK)
    if found.context < wanted.context:
        costs.append(Cost.SHORTER_CONTEXT)
    return tuple(costs)
