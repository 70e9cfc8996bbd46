"""What a model takes at a context, from the header of its file alone."""

from dataclasses import asdict, dataclass
from typing import Any

import psutil

from app.domain.language import _
from app.domain.loading import KV_TYPES
from app.domain.model import Model
from app.services.headers import header_of
from models_registry import rope
from models_registry.fit import CELL_STEP, Layout, choose, usual_context
from models_registry.header import Header
from models_registry.memory import Memory, estimate

_UNKNOWN_TRAINING = 1 << 20  # tokens; the most that is looked at when the file does not say its own
_FEWER_AT_ONCE = 128  # tokens; takes a quarter of the room to compute in, and reads more slowly


@dataclass(frozen=True, slots=True)
class Alternative:
    """The same context made in another way, and what it takes then."""

    layout: Layout
    memory: Memory

    def to_json(self) -> dict[str, Any]:
        """Return what distinguishes it, and the bytes, as JSON types."""
        names = ("kv_type", "whole_window", "flash_attention", "ubatch")
        sizes = {"kv_cache": self.memory.kv_cache, "compute": self.memory.compute, "total": self.memory.total}
        return {name: getattr(self.layout, name) for name in names} | sizes


@dataclass(frozen=True, slots=True)
class Plan:
    """One model at one context.

    Attributes:
        model: Its name.
        context: Tokens it sees at once, as the engine rounds them.
        trained_context: What it was trained for; 0 when unknown.
        rope: How positions are scaled.
        kv_type: Type of the KV cache; "f16" where the model does not allow the one that was asked for.
        memory: What it takes.
        available: Bytes there are for it.
        fitting_context: The largest context up to the trained one that fits with this KV cache; 0 for none.
        fitting_kv_type: The best type of the KV cache with which this context fits; empty for none.
        alternatives: Each way to make this context, the one above among them.
    """

    model: str
    context: int
    trained_context: int
    rope: rope.Rope
    kv_type: str
    memory: Memory
    available: int
    fitting_context: int
    fitting_kv_type: str
    alternatives: tuple[Alternative, ...]

    @property
    def fits(self) -> bool:
        """Return whether there is memory for it."""
        return self.memory.total <= self.available

    @property
    def advice(self) -> list[str]:
        """Return what a person should know or do, in sentences; empty when all is well."""
        said = []
        if self.trained_context and self.context > self.trained_context:
            said.append(
                _(
                    "{model} was trained for a context of {trained:,} tokens "
                    "and cannot be loaded with a larger one."
                ).format(model=self.model, trained=self.trained_context)
            )
        if self.fits:
            return said
        if self.fitting_kv_type:
            said.append(_("This context fits with --kv-type {type}.").format(type=self.fitting_kv_type))
        if self.fitting_context:
            said.append(
                _("With the options as they are, a context of up to {count:,} tokens fits.").format(
                    count=self.fitting_context
                )
            )
        if not (self.fitting_kv_type or self.fitting_context):
            said.append(_("Choose a smaller model, or a smaller quantization of this one."))
        return said

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return {
            "context": self.context,
            "trained_context": self.trained_context,
            "rope": asdict(self.rope),
            "kv_type": self.kv_type,
            "memory": {**asdict(self.memory), "total": self.memory.total, "available": self.available},
            "fits": self.fits,
            "advice": self.advice,
            "alternatives": [each.to_json() for each in self.alternatives],
        }


def plan(model: Model, context: int | None, kv_type: str = "f16", available: int | None = None) -> Plan:
    """Say what `model` takes; nothing is loaded.

    Args:
        model: One that can be used.
        context: Tokens; None for what the engine takes by itself.
        kv_type: Type of the KV cache.
        available: Bytes of memory; None for what is free now, on the GPU where there is one.

    Raises:
        UserError: When the file cannot be read.
    """
    from app.engine import native

    header = header_of(model.path)
    native.start()
    if available is None:
        free = sum(device.memory_free for device in native.devices()[:-1])
        available = free or psutil.virtual_memory().available
    trained = header.context_length
    size = context or usual_context(trained)
    room = _Room(header, available, gpu=native.has_gpu())
    layout, memory = room.taken(size, kv_type)
    return Plan(
        model=model.name,
        context=layout.context,
        trained_context=trained,
        rope=rope.declared(header),
        kv_type=layout.kv_type,
        memory=memory,
        available=available,
        fitting_context=room.largest(trained or _UNKNOWN_TRAINING, kv_type),
        fitting_kv_type=next((kind for kind in KV_TYPES if room.fits(size, kind)), ""),
        alternatives=room.alternatives(size),
    )


class _Room:
    """The memory there is for one model."""

    def __init__(self, header: Header, available: int, *, gpu: bool) -> None:
        self._header = header
        self._available = available
        self._gpu = gpu

    def taken(self, context: int, kv_type: str) -> tuple[Layout, Memory]:
        layout = choose(self._header, context, kv_type=kv_type, gpu=self._gpu)
        return layout, estimate(self._header, layout, gpu=self._gpu)

    def alternatives(self, context: int) -> tuple[Alternative, ...]:
        """Return each way to make a context of this size that the model allows, once."""
        ways: list[dict[str, Any]] = [{"kv_type": kind} for kind in KV_TYPES]
        ways += [{"flash_attention": True}, {"flash_attention": False}, {"ubatch": _FEWER_AT_ONCE}]
        ways += [{"kv_type": kind, "whole_window": True} for kind in KV_TYPES]
        layouts = dict.fromkeys(choose(self._header, context, gpu=self._gpu, **way) for way in ways)
        return tuple(Alternative(layout, estimate(self._header, layout, gpu=self._gpu)) for layout in layouts)

    def fits(self, context: int, kv_type: str) -> bool:
        return self.taken(context, kv_type)[1].total <= self._available

    def largest(self, most: int, kv_type: str) -> int:
        """Return the largest context that fits, a multiple of CELL_STEP; 0 when none does."""
        low, high = 0, max(1, most // CELL_STEP)
        while low < high:
            middle = (low + high + 1) // 2
            if self.fits(middle * CELL_STEP, kv_type):
                low = middle
            else:
                high = middle - 1
        return low * CELL_STEP
