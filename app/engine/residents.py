"""The models that are in memory: which one is current, which stays beside it, and which gives way."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil

from app.domain.loading import LoadOptions
from app.domain.retention import Retention
from app.engine import native
from app.engine.loaded import Loaded
from models_registry.memory import Memory

_MOST = 2
_KEPT_FREE = 1 << 30  # bytes that are left to all other programs; what llama.cpp leaves on each device, too


class Residents:
    """At most two models, the one used last first. A draft model counts as one.

    Attributes:
        retention: Which of them stay.
    """

    def __init__(self) -> None:
        self.retention = Retention()
        self._models: list[Loaded] = []
        self._has_gpu = native.has_gpu()

    def __iter__(self) -> Iterator[Loaded]:
        return iter(tuple(self._models))

    @property
    def current(self) -> Loaded | None:
        """Return the one that was used last."""
        return self._models[0] if self._models else None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return their files, that of the current one first."""
        return tuple(each.model.path for each in self._models)

    def find(self, path: Path) -> Loaded | None:
        """Return the model of this file, None when it is not in memory."""
        return next((each for each in self._models if each.model.path == path), None)

    def put_first(self, loaded: Loaded) -> None:
        """Make `loaded` the current one; it may be new."""
        self._models = [loaded, *(each for each in self._models if each is not loaded)]
        loaded.used = time.monotonic()

    def drop(self, loaded: Loaded) -> None:
        """Forget one that has been closed."""
        self._models.remove(loaded)

    def give_back(self, loaded: Loaded) -> None:
        """Close one, and keep on disk what is worth it."""
        self.drop(loaded)
        loaded.close()

    def close(self) -> None:
        """Give all of them back."""
        for each in self:
            self.give_back(each)

    def make_room(self, memory: Memory, options: LoadOptions, keep: Loaded | None = None) -> None:
        """Give back the least recently used ones until there is room for one more, or none is left.

        Args:
            memory: What the new one takes.
            options: How it is loaded.
            keep: It is this one, which gets another context.
        """
        if keep is not None and not self._is_mapped(options):
            memory = replace(memory, weights=0)  # they are there already
        others = [each for each in self._models if each is not keep]
        while others and not self._may_stay(others, memory, options):
            self.give_back(others.pop())

    def give_back_idle(self) -> bool:
        """Give back those that have had no work for long; return whether there were any."""
        now = time.monotonic()
        idle = [each for each in self._models if (end := self._end_of(each)) is not None and end <= now]
        for each in idle:
            self.give_back(each)
        return bool(idle)

    @property
    def seconds_left(self) -> float | None:
        """Return when the next one will have been idle for long; None when none ever is."""
        ends = [end for each in self._models if (end := self._end_of(each)) is not None]
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    def _end_of(self, loaded: Loaded) -> float | None:
        minutes = self.retention.idle_minutes
        return None if minutes is None else loaded.used + 60 * minutes

    def _may_stay(self, others: list[Loaded], memory: Memory, options: LoadOptions) -> bool:
        """Return whether all of `others` can stay beside a new model."""
        if not self.retention.two or len(others) >= _MOST or options.draft:
            return False
        if any(each.draft for each in others):
            return False
        free = psutil.virtual_memory().available
        if self._is_on_gpu(options):
            free = min(free, sum(device.memory_free for device in native.devices()[:-1]))
        needed = memory.total - memory.program + sum(map(self._claim, others))
        return needed + _KEPT_FREE <= free

    def _claim(self, loaded: Loaded) -> int:
        """Return the bytes of a loaded model that the system takes for free: mapped, or not yet touched."""
        if self._is_on_gpu(loaded.options):
            return 0
        return loaded.memory.compute + (loaded.memory.weights if self._is_mapped(loaded.options) else 0)

    def _is_on_gpu(self, options: LoadOptions) -> bool:
        return self._has_gpu and options.gpu_layers != 0

    def _is_mapped(self, options: LoadOptions) -> bool:
        return options.mmap and not options.mlock and not self._is_on_gpu(options)
